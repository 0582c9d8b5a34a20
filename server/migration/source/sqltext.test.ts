import { describe, expect, it } from 'vitest'
import { namer, quoteLiteral } from '../plan/names'
import { deferrableReferences, tokenize } from './sqltext'

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
      d INT REFERENCES y, e INT REFERENCES z NOT DEFERRABLE INITIALLY DEFERRED, g INT REFERENCES z DEFERRABLE, h INT REFERENCES z(a) DEFERRABLE INITIALLY IMMEDIATE, f TEXT COLLATE BINARY, CHECK (a <> ')'))`
    expect(deferrableReferences(sql)).toEqual(['deferred', 'never', 'never', 'immediate', 'immediate'])
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
