import { describe, expect, it } from 'vitest'
import { translateDefault, translatePredicate } from '../plan/defaults'
import { namer, quoteLiteral } from '../plan/names'
import { deferredReferences, tokenize } from './sqltext'

describe('SQL text', () => {
  it('is read with all of SQLite’s quotes and comments', () => {
    const kinds = tokenize(`"a ""b" [c d] \`e\` 'it''s' x'00' 1.5e3 word -- CHECK (x)\n /* CHECK */ <>`)
    expect(kinds.map(({ kind, text }) => `${kind} ${text}`)).toEqual([
      'quoted a "b',
      'quoted c d',
      'quoted e',
      "string it's",
      'blob 00',
      'number 1.5e3',
      'word word',
      'symbol <>',
    ])
  })
  it('shows which keys are deferred', () => {
    const sql = `CREATE TABLE t (a TEXT DEFAULT 'CHECK (1)' COLLATE NOCASE, b INT CHECK (b IN (1, (2))), c INT REFERENCES x(id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
      d INT REFERENCES y, e INT REFERENCES z NOT DEFERRABLE INITIALLY DEFERRED, f TEXT COLLATE BINARY, CHECK (a <> ')'))`
    expect(deferredReferences(sql)).toEqual([true, false, false])
  })
})

describe('a default', () => {
  const sql = (text: string, type: string, declared = '') => translateDefault(text, type, declared)
  it('is carried where it is a literal or a moment', () => {
    expect(sql("'it''s'", 'text')).toEqual({ sql: "'it''s'" })
    expect(sql('((-1.5))', 'double precision')).toEqual({ sql: '-1.5' })
    expect(sql("'0'", 'bigint', 'INTEGER')).toEqual({ sql: '0' })
    expect(sql('TRUE', 'boolean')).toEqual({ sql: 'true' })
    expect(sql('NULL', 'text')).toBeNull()
    expect(sql("x'0a'", 'bytea')).toEqual({ sql: "'\\x0a'::bytea" })
    expect(sql('current_timestamp', 'timestamp with time zone')).toEqual({ sql: 'now()' })
    expect(sql("( datetime( 'now' ) )", 'text')).toEqual({
      sql: "to_char((now() AT TIME ZONE 'UTC'), 'YYYY-MM-DD HH24:MI:SS')",
    })
  })
  it('is refused with a reason otherwise', () => {
    for (const [text, type] of [
      ["strftime('%s', 'now')", 'bigint'],
      ['(1 + 2)', 'bigint'],
      ['9223372036854775808', 'bigint'],
      ['2', 'boolean'],
      ["'soon'", 'timestamp without time zone'],
    ] as const) {
      expect(sql(text, type), text).toHaveProperty('reason')
    }
  })
})

describe('a predicate', () => {
  const columns = new Map([
    ['state', { target: 'State', type: 'text' }],
    ['done', { target: 'done', type: 'boolean' }],
    ['n', { target: 'n', type: 'bigint' }],
  ])
  const sql = (text: string) => translatePredicate(text, columns)
  it('is carried where it compares columns with literals', () => {
    expect(sql('state IS NOT NULL AND "n" >= 5')).toEqual({ sql: '"State" IS NOT NULL AND "n" >= 5' })
    expect(sql("NOT (done = 1) OR state == 'x'")).toEqual({ sql: `NOT ( "done" = true ) OR "State" = 'x'` })
  })
  it('is refused otherwise', () => {
    for (const text of ['length(state) > 3', "n = 'x'", 'n + 1 = 2', 'unknown = 1', "state LIKE 'a%'", '']) {
      expect(sql(text), text).toHaveProperty('reason')
    }
  })
})

describe('names', () => {
  it('are unique within 63 bytes and cut between characters', () => {
    const name = namer()
    const long = '東'.repeat(30)
    const given = [name('a'), name('a'), name(`${long}1`), name(`${long}2`)]
    expect(new Set(given).size).toBe(4)
    expect(given[0]).toBe('a')
    for (const one of given) {
      expect(Buffer.byteLength(one)).toBeLessThanOrEqual(63)
      expect(one).not.toContain('�')
    }
  })
  it('and texts are quoted', () => {
    expect(quoteLiteral("a'b")).toBe("'a''b'")
    expect(quoteLiteral('a\\b')).toBe("E'a\\\\b'")
  })
})
