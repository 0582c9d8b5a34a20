import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { configurationTable } from './env-table'

const readme = join(import.meta.dirname, '..', 'README.md')
const marks = /(<!-- configuration -->\n)[\s\S]*?(\n<!-- \/configuration -->)/

// UPDATE_README=1 npx vitest run server/env-table.test.ts writes the table anew.
it('documents every variable in the README as the code reads it', () => {
  const before = readFileSync(readme, 'utf8')
  const after = before.replace(marks, (_, open: string, close: string) => open + configurationTable() + close)
  if (process.env.UPDATE_README) writeFileSync(readme, after)
  expect(marks.test(before)).toBe(true)
  expect(readFileSync(readme, 'utf8')).toBe(after)
})
