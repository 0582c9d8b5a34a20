import { describe, expect, it } from 'vitest'
import { noEvidence } from '../source/evidence'
import type { ColumnEvidence, PlannedColumn, Render } from '../types'
import { translateDefault } from './defaults'

const RENDERS: Record<string, Render> = {
  bigint: 'integer',
  'double precision': 'real',
  text: 'text',
  boolean: 'boolean',
  bytea: 'bytes',
}

const evidence: ColumnEvidence = { ...noEvidence }

function translated(sql: string, type: string, declaredType = type) {
  const render = RENDERS[type] ?? (type.startsWith('numeric') ? 'numeric' : 'time')
  const column: PlannedColumn = {
    source: 'c',
    target: 'c',
    declaredType,
    type,
    nullable: true,
    evidence,
    render,
  }
  return translateDefault(sql, column)
}

describe('a default', () => {
  it.each([
    ["'it''s'", 'text', "'it''s'"],
    ['"double quoted"', 'text', "'double quoted'"],
    ['((-1.5))', 'double precision', '-1.5'],
    ['-5', 'bigint', '-5'],
    ["'0'", 'bigint', '0'],
    ["'0.00'", 'numeric(8,2)', '0.00'],
    ['5', 'text', "'5'"],
    ['TRUE', 'boolean', 'true'],
    ['0', 'boolean', 'false'],
    ["x'0a'", 'bytea', "'\\x0a'::bytea"],
    ['(1 + 2)', 'bigint', '((1)::bigint + 2)'],
    ["'2024-02-29'", 'date', "'2024-02-29'"],
    ['current_timestamp', 'timestamp with time zone', 'now()'],
    ['CURRENT_DATE', 'date', "((now() AT TIME ZONE 'UTC'))::date"],
    [
      "( datetime( 'now' ) )",
      'text',
      "to_char(date_trunc('second', (now() AT TIME ZONE 'UTC')), 'YYYY-MM-DD HH24:MI:SS')",
    ],
    ["(strftime('%s', 'now'))", 'bigint', "floor(extract(epoch FROM (now() AT TIME ZONE 'UTC')))::bigint"],
  ])('is carried: %s as %s', (sql, type, expected) => {
    expect(translated(sql, type)).toEqual({ sql: expected })
  })
  it('of NULL is none', () => {
    expect(translated('NULL', 'text')).toBeNull()
  })
  it.each([
    ['9223372036854775808', 'bigint'],
    ['2', 'boolean'],
    ["'soon'", 'timestamp without time zone'],
    ["'2023-02-30'", 'date'],
    ["(printf('%d', 1))", 'text'],
    ["''", 'bigint'],
  ])('is refused with a reason: %s as %s', (sql, type) => {
    expect(translated(sql, type)).toHaveProperty('reason')
  })
})
