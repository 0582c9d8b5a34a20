import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { severityOf } from '@/server/audit/severity'
import { eventWords } from './event-words'

const document = join(import.meta.dirname, '..', '..', 'docs', 'security.md')
const marks = /(<!-- events -->\n)[\s\S]*?(<!-- \/events -->)/

function table(): string {
  const lines = Object.entries(eventWords).map(([event, words]) => {
    const [success, failure] = [severityOf(event, 'success'), severityOf(event, 'failure')]
    return `| \`${event}\` | ${words} | ${success === failure ? success : `${success}, else ${failure}`} |`
  })
  return `| Event | Meaning | Severity |\n|---|---|---|\n${lines.join('\n')}\n`
}

// UPDATE_DOCS=1 npx vitest run components/security/events-table.test.ts writes the table anew.
it('documents every event as the code names and weighs it', () => {
  const before = readFileSync(document, 'utf8')
  expect(marks.test(before)).toBe(true)
  const after = before.replace(marks, (_, open: string, close: string) => open + table() + close)
  if (process.env.UPDATE_DOCS) writeFileSync(document, after)
  expect(readFileSync(document, 'utf8')).toBe(after)
})
