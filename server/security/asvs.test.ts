import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '..', '..')
const page = readFileSync(join(root, 'docs', 'security.md'), 'utf8')
const rows = page
  .split('\n')
  .map((line) => /^\| ([\d., ]+) \| (.+?) \| (.+) \|$/.exec(line))
  .filter((match) => match !== null)
  .map(([, row = '', holds = '', proof = '']) => ({ row, holds, proof }))

describe('docs/security.md', () => {
  it('maps rows of all four chapters', () => {
    const chapters = new Set(rows.map(({ row }) => row[0]))
    expect([...chapters].sort()).toEqual(['6', '7', '8', '9'])
    expect(rows.length).toBeGreaterThan(50)
  })

  it.each(rows)('names for row $row proofs that exist', ({ proof }) => {
    const section = /^described under \*(.+)\*$/.exec(proof)?.[1]
    if (section) return expect(page).toContain(`\n## ${section}\n`)
    const tests = [...proof.matchAll(/`([^`]+)`: (.+?)(?=; `|$)/g)]
    expect(tests.length).toBeGreaterThan(0)
    for (const [, file = '', title = ''] of tests) {
      expect(existsSync(join(root, file)), file).toBe(true)
      expect(readFileSync(join(root, file), 'utf8'), file).toContain(title)
    }
  })
})
