import { expect, it } from 'vitest'
import { hidden, shown } from './text'

it('puts parameters in place of values', () => {
  expect(hidden("SELECT * FROM t WHERE a = 'secret' AND b = 42 /* secret */ -- secret")).toEqual({
    text: 'SELECT * FROM t WHERE a = $1 AND b = $2',
    whole: true,
  })
})

it.each([
  ["SELECT * FROM t WHERE a = 'sec", 'a quote that never ends'],
  ["SELECT * FROM t WHERE a = E'sec", 'one with escapes'],
  ['SELECT * FROM t WHERE a = $x$sec ret', 'a dollar quote that never ends'],
  ["SELECT * FROM t WHERE a = 'it\\' sec ret'", 'a backslash before a quote'],
  ["ALTER ROLE r PASSWORD 'sec", 'a password'],
  ['SELECT "a sec', 'a name that never ends'],
])('cuts what it cannot read: %s', (sql) => {
  const { text } = hidden(sql)
  expect(text).not.toContain('sec')
  expect(shown(sql)).toBe(text)
})

it('cuts a long text before a value that the cut goes through', () => {
  const sql = `${'SELECT a '.padEnd(16_380)}, 98765432123`
  const { text, whole } = hidden(sql)
  expect(whole).toBe(false)
  expect(text).not.toMatch(/9/)
  expect(shown(sql).length).toBeLessThanOrEqual(2_000)
})
