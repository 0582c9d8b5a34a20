import { describe, expect, it } from 'vitest'
import { noEvidence, shapeOf } from '../source/evidence'
import type { ColumnEvidence } from '../types'
import { affinityOf, mapColumn } from './mapping'
import { renderFor } from './plan-existing'

const evidence = (more: Partial<ColumnEvidence>): ColumnEvidence => ({ ...noEvidence, rows: 100, ...more })
const type = (declared: string, more: Partial<ColumnEvidence>) => mapColumn(declared, evidence(more)).type

describe('the affinity of a declared type', () => {
  it('follows SQLite, for invented types too', () => {
    const cases = {
      INT: 'INTEGER',
      'UNSIGNED BIG INT': 'INTEGER',
      POINT: 'INTEGER',
      'NVARCHAR(160)': 'TEXT',
      'BLOB SUB_TYPE TEXT': 'TEXT',
      CLOB: 'TEXT',
      BLOB: 'BLOB',
      '': 'BLOB',
      'DOUBLE PRECISION': 'REAL',
      FLOAT: 'REAL',
      'DECIMAL(4,2)': 'NUMERIC',
      BOOLEAN: 'NUMERIC',
      DATETIME: 'NUMERIC',
    }
    for (const [declared, affinity] of Object.entries(cases))
      expect(affinityOf(declared), declared).toBe(affinity)
  })
})

describe('the type of a column', () => {
  it('is bigint for integers, unless declaration and rows both say that 32 bits do', () => {
    const small = { integers: 100, min: '1', max: '2' }
    for (const declared of ['INTEGER', 'BIGINT', 'UNSIGNED BIG INT', 'INT8', 'INT UNSIGNED', ''])
      expect(type(declared, small), declared).toBe('bigint')
    for (const declared of [
      'INT',
      'int(11)',
      'SMALLINT',
      'TINYINT(1)',
      'smallint unsigned',
      'INT4',
      'MEDIUMINT',
    ])
      expect(type(declared, small), declared).toBe('integer')
    expect(type('INT', { integers: 100, min: '-1073741824', max: '1073741823' })).toBe('integer')
    expect(type('INT', { integers: 100, min: '0', max: '1073741824' })).toBe('bigint')
    expect(type('TINYINT', { integers: 100, min: '-9223372036854775808', max: '9223372036854775807' })).toBe(
      'bigint',
    )
    expect(type('INT', { rows: 0 })).toBe('bigint')
  })
  it('is boolean where it was declared and all values are 0 and 1', () => {
    expect(type('BOOLEAN', { integers: 90, nulls: 10, min: '0', max: '1' })).toBe('boolean')
    expect(type('BOOL', { integers: 100, min: '0', max: '2' })).toBe('bigint')
    expect(type('BOOLEAN', { texts: 100, min: 'true', max: 'true' })).toBe('text')
    expect(type('INTEGER', { integers: 100, min: '0', max: '1' })).toBe('bigint')
  })
  it('is numeric(p,s) where every value fits it', () => {
    expect(type('DECIMAL(10,2)', { reals: 100, decimal: true, min: '0.5', max: '1.5' })).toBe('numeric(10,2)')
    expect(type('DECIMAL(10,2)', { reals: 100, decimal: false, min: '0.555', max: '1.5' })).toBe('numeric')
    expect(type('DECIMAL(30,2)', { reals: 100, min: '0.5', max: '1.5' })).toBe('numeric')
    expect(type('NUMERIC', { reals: 50, integers: 50, min: '-Infinity', max: '3' })).toBe('double precision')
  })
  it('holds fractions in an integer column exactly', () => {
    expect(type('INTEGER', { integers: 99, reals: 1, min: '1', max: '9007199254740993' })).toBe('numeric')
    expect(type('INTEGER', { reals: 100, min: '0.5', max: '1.5' })).toBe('double precision')
  })
  it('is text or bytea where values of several kinds meet', () => {
    expect(type('INTEGER', { integers: 99, texts: 1 })).toBe('text')
    expect(type('TEXT', { texts: 99, blobs: 1 })).toBe('bytea')
    expect(type('BLOB', { texts: 100 })).toBe('text')
    expect(type('', { integers: 100, min: '1', max: '1' })).toBe('bigint')
  })
  it('is a time where every value has one form', () => {
    expect(type('DATETIME', { texts: 100, shape: ' 0' })).toBe('timestamp without time zone')
    expect(type('TIMESTAMP', { texts: 100, shape: 'T3Z' })).toBe('timestamp with time zone')
    expect(type('DATE', { texts: 100, shape: 'date' })).toBe('date')
    expect(type('DATE', { texts: 100 })).toBe('text')
    expect(type('DATETIME', { integers: 100, min: '0', max: '1700000000' })).toBe('bigint')
  })
  it('follows the declaration where there are no values', () => {
    const empty = { rows: 0 }
    expect(
      ['INTEGER', 'TEXT', 'BLOB', 'REAL', 'BOOLEAN', 'DATE', 'DECIMAL(4,2)', ''].map((one) =>
        type(one, empty),
      ),
    ).toEqual(['bigint', 'text', 'bytea', 'double precision', 'boolean', 'date', 'numeric(4,2)', 'text'])
  })
})

describe('the form of a time', () => {
  it('is known by separator, digits and zone', () => {
    expect(shapeOf('2024-01-02')).toBe('date')
    expect(shapeOf('2024-01-02 03:04:05')).toBe(' 0')
    expect(shapeOf('2024-01-02T03:04:05.678Z')).toBe('T3Z')
    expect(shapeOf('2024-01-02 03:04:05.123456')).toBe(' 6')
    for (const text of ['', '1700000000', '2024-1-2', '2024-01-02 03:04', '2024-01-02 03:04:05+02:00']) {
      expect(shapeOf(text), text).toBeUndefined()
    }
  })
})

describe('a column that exists', () => {
  it('takes only what fits its type', () => {
    expect(renderFor('integer', evidence({ integers: 100, min: '-2147483648', max: '2147483647' }))).toBe(
      'integer',
    )
    expect(renderFor('integer', evidence({ integers: 100, min: '0', max: '2147483648' }))).toHaveProperty(
      'reason',
    )
    expect(renderFor('bigint', evidence({ integers: 100, min: '-9223372036854775808', max: '0' }))).toBe(
      'integer',
    )
    expect(renderFor('boolean', evidence({ integers: 100, min: '0', max: '1' }))).toBe('boolean')
    expect(renderFor('boolean', evidence({ integers: 100, min: '0', max: '2' }))).toHaveProperty('reason')
    expect(renderFor('character varying(5)', evidence({ texts: 100, maxBytes: 5 }))).toBe('text')
    expect(renderFor('character varying(5)', evidence({ texts: 100, maxBytes: 6 }))).toHaveProperty('reason')
    expect(renderFor('jsonb', evidence({ texts: 100 }))).toBe('jsonb')
    expect(renderFor('money', evidence({ nulls: 100 }))).toHaveProperty('reason')
    expect(renderFor('timestamp without time zone', evidence({ texts: 100 }))).toHaveProperty('reason')
  })
})
