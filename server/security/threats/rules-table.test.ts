import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { rules } from './rules'
import type { Rule } from './types'

const document = join(import.meta.dirname, '..', '..', '..', 'docs', 'security.md')
const marks = /(<!-- rules -->\n)[\s\S]*?(<!-- \/rules -->)/

function table(): string {
  const line = ({ title, severity, explanation, params, responses, outside }: Rule) => {
    const parameters = Object.values(params).map(({ label, unit, value }) => `${label}: ${value} ${unit}`)
    const [first, ...others] = responses
    const does = others.length > 0 ? `**${first}**, ${others.join(', ')}` : `**${first}**`
    const where = { too: 'the console and applications', never: 'the console', only: 'applications' }[outside]
    return `| ${title} | ${severity} | ${explanation} | ${parameters.join('; ')} | ${does} | ${where} |`
  }
  return `| Rule | Severity | What it looks for | Defaults | May do (default first) | Events of |\n|---|---|---|---|---|---|\n${rules.map(line).join('\n')}\n`
}

// UPDATE_DOCS=1 npx vitest run server/security/threats/rules-table.test.ts writes the table anew.
it('documents every rule as the code has it', () => {
  const before = readFileSync(document, 'utf8')
  expect(marks.test(before)).toBe(true)
  const after = before.replace(marks, (_, open: string, close: string) => open + table() + close)
  if (process.env.UPDATE_DOCS) writeFileSync(document, after)
  expect(readFileSync(document, 'utf8')).toBe(after)
})
