import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { errorStatus } from './errors'

it('has every code, with its status, in the table of docs/api.md', () => {
  const rows = readFileSync('docs/api.md', 'utf8').matchAll(
    /^\| `([A-Z_]+)` \| (\d{3}) \| (.+?) \| (.+?) \|$/gm,
  )
  const told = [...rows].map(([, code, status]) => [code, Number(status)])
  expect(told).toEqual(Object.entries(errorStatus))
})
