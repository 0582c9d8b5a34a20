import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { MEASUREMENTS } from './measurements.mjs'

const root = join(import.meta.dirname, '..')
const page = readFileSync(join(root, 'docs/interface-rules.md'), 'utf8')
/** Rows of its tables, without heads and rules: the rule, and what holds it. */
const rows = page
  .split('\n')
  .filter((line) => /^\| (?!Rule \|)/.test(line))
  .map((line) => line.split(' | ').map((cell) => cell.replace(/^\| | \|$/g, '')))
const tests = [...page.matchAll(/`([^`]+\.(?:spec|test)\.tsx?)` “([^”]+)”/g)]
const commands = [...page.matchAll(/`npm run bench -- (\w+)`/g)]

describe('docs/interface-rules.md', () => {
  it('names for each rule a test or a measurement', () => {
    expect(rows.length).toBeGreaterThan(0)
    const held = /^`[^`]+\.(spec|test)\.tsx?` “|^`npm run bench -- /
    const open = rows.flatMap(([rule, by]) => (by && held.test(by) ? [] : [rule]))
    expect(open).toEqual([])
  })

  it('names tests that there are', () => {
    const missing = tests.flatMap(([, file = '', title]) => {
      const text = existsSync(join(root, file)) ? readFileSync(join(root, file), 'utf8') : ''
      const there = [`'${title}'`, `\`${title}\``].some((quoted) => text.includes(`(${quoted}`))
      return there ? [] : [`${file}: ${title}`]
    })
    expect(missing).toEqual([])
    expect(tests.length).toBeGreaterThan(rows.length - commands.length)
  })

  it('names measurements that there are', () => {
    for (const [, name = ''] of commands) expect(Object.keys(MEASUREMENTS.bench)).toContain(name)
  })
})
