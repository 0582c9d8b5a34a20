import { describe, expect, it } from 'vitest'
import { tableClauses } from './table-sql'

describe('the clauses of a CREATE TABLE', () => {
  it('are the checks with their names and columns, generated columns and collations', () => {
    const { checks, generated, collations, conflicts } = tableClauses(`CREATE TABLE "a (b" (
      a TEXT DEFAULT 'CHECK (1)' COLLATE NOCASE CONSTRAINT "long a" CHECK (length(a) < 9 AND a <> ')') NOT NULL,
      b INT CHECK (b IN (1, (2))) CHECK (b > 0),
      "check" INT DEFAULT (CAST(1 AS INTEGER)), -- CHECK (no)
      c INT GENERATED ALWAYS AS (b * 2) STORED CHECK (c <> 3), d AS (a || 'x'),
      e TEXT COLLATE binary UNIQUE ON CONFLICT REPLACE, h INT NOT NULL ON CONFLICT ABORT, f TEXT CONSTRAINT other NOT NULL CHECK (f <> ''),
      PRIMARY KEY (a, b), CONSTRAINT both CHECK (a <> b) CHECK ("check" = 1))`)
    expect(checks.map(({ name, column, expression }) => [name, column, expression])).toEqual([
      ['long a', 'a', "length(a) < 9 AND a <> ')'"],
      [null, 'b', 'b IN (1, (2))'],
      [null, 'b', 'b > 0'],
      [null, 'c', 'c <> 3'],
      [null, 'f', "f <> ''"],
      ['both', null, 'a <> b'],
      [null, null, '"check" = 1'],
    ])
    expect(checks[1]?.sql).toBe('CHECK (b IN (1, (2)))')
    expect([...generated]).toEqual([
      ['c', { expression: 'b * 2', stored: true, sql: 'AS (b * 2)' }],
      ['d', { expression: "a || 'x'", stored: false, sql: "AS (a || 'x')" }],
    ])
    expect(conflicts).toEqual(['e TEXT COLLATE binary UNIQUE ON CONFLICT REPLACE'])
    expect([...collations]).toEqual([['a', 'NOCASE']])
  })
})
