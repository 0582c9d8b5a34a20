import Database from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { PlannedColumn } from '../types'
import { NULL_MARK, readable, registerCanonical, wholeRow } from './canonical'
import { canonicalSource, canonicalTarget, canonicalTime } from './forms'

let db: Database.Database
beforeAll(() => {
  db = new Database(':memory:')
  registerCanonical(db)
})
afterAll(() => db.close())

const column = (compare: PlannedColumn['compare']) =>
  ({ source: 'a "v"', target: 'V', render: 'text', compare }) as PlannedColumn

/** The form of a value as SQLite computes it. */
function form(compare: PlannedColumn['compare'], value: string | number | bigint | Buffer | null): unknown {
  const sql = `SELECT ${canonicalSource(column(compare))} AS form FROM (SELECT ? AS "a ""v""")`
  return (db.prepare(sql).get(value) as { form: unknown }).form
}

describe('the form that says what a value means, whatever type another tool gave it', () => {
  it('of numbers is the whole number, or the bits of the double, also where text says one', () => {
    const half = '3fe0000000000000'
    const cases: [string | number | bigint | null, unknown][] = [
      [7n, '7'],
      [-9_223_372_036_854_775_808n, '-9223372036854775808'],
      [7.0, '7'],
      [-3.0, '-3'],
      [0.5, half],
      ['0.5', half],
      ['7', '7'],
      ['7.0', '7'],
      ['1e3', '1000'],
      ['-12', '-12'],
      [1e19, '43e158e460913d00'],
      ['seven', 'seven'],
      ['7 apples', '7 apples'],
      ['', ''],
      [null, null],
    ]
    for (const [value, expected] of cases) expect(form('number', value), String(value)).toBe(expected)
  })

  it('of truths is 1 or 0, however they are written, and anything else is itself', () => {
    for (const yes of [1n, '1', 1.0, 't', 'TRUE', 'y', 'Yes', 'on']) expect(form('boolean', yes)).toBe('1')
    for (const no of [0n, '0', 0.0, 'f', 'False', 'n', 'NO', 'off']) expect(form('boolean', no)).toBe('0')
    expect(form('boolean', 'maybe')).toBe('maybe')
    expect(form('boolean', 2n)).toBe('2')
    expect(form('boolean', null)).toBe(null)
  })

  it('of bytes is hexadecimal', () => {
    expect(form('bytes', Buffer.from('00ff', 'hex'))).toBe('00FF')
    expect(form('bytes', 'a')).toBe('61')
    expect(form('bytes', null)).toBe(null)
  })

  it('of a UUID is its digits, from text or bytes', () => {
    const digits = '0123456789abcdef0123456789abcdef'
    expect(form('uuid', '01234567-89AB-CDEF-0123-456789ABCDEF')).toBe(digits)
    expect(form('uuid', Buffer.from(digits, 'hex'))).toBe(digits)
    expect(form('uuid', null)).toBe(null)
  })

  it('of text is the text, also of a number', () => {
    expect(form('text', 'Straße')).toBe('Straße')
    expect(form('text', 12n)).toBe('12')
    expect(form('text', null)).toBe(null)
  })

  it('of moments is one spelling', () => {
    expect(form('instant', '2024-02-29T12:00:00+02:00')).toBe('2024-02-29 10:00:00.000000')
    expect(form('time', '2024-02-29T12:00:00+02:00')).toBe('2024-02-29 12:00:00.000000')
    expect(form('date', '2024-02-29')).toBe('2024-02-29')
    for (const kind of ['instant', 'time', 'date'] as const) expect(form(kind, null)).toBe(null)
  })

  it('reads the column of the target by its name, quoted', () => {
    for (const kind of ['number', 'boolean', 'bytes', 'date', 'time', 'instant', 'uuid', 'text'] as const) {
      expect(canonicalTarget(column(kind))).toContain('"V"')
      expect(canonicalSource(column(kind))).toContain('"a ""v"""')
    }
  })
})

describe('a moment', () => {
  it.each([
    ['2024-02-29', '2024-02-29 00:00:00.000000'],
    ['2024-02-29 12:34', '2024-02-29 12:34:00.000000'],
    ['2024-02-29T12:34:56', '2024-02-29 12:34:56.000000'],
    [' 2024-02-29 12:34:56.7 ', '2024-02-29 12:34:56.700000'],
    ['2024-02-29 12:34:56.123456789', '2024-02-29 12:34:56.123456'],
    ['2024-02-29 12:34:56Z', '2024-02-29 12:34:56.000000'],
    ['2024-02-29 12:34:56z', '2024-02-29 12:34:56.000000'],
    ['2024-02-29 12:34:56 +02:00', '2024-02-29 10:34:56.000000'],
    ['2024-02-29 12:34:56-0530', '2024-02-29 18:04:56.000000'],
    ['2024-02-29 23:30:00.25-01', '2024-03-01 00:30:00.250000'],
    ['2024-13-01 00:00:00+01', '2024-13-01 00:00:00+01'],
    ['12:34', '12:34'],
    ['on 2024-02-29', 'on 2024-02-29'],
    ['2024-02-29 or so', '2024-02-29 or so'],
    ['', ''],
  ])('%s is %s as an instant', (text, expected) => {
    expect(canonicalTime(text, 'instant')).toBe(expected)
  })

  it('keeps what its clock said where no zone counts', () => {
    expect(canonicalTime('2024-02-29 12:34:56+02:00', 'time')).toBe('2024-02-29 12:34:56.000000')
  })

  it('has no time as a date, unless it has one', () => {
    expect(canonicalTime('2024-02-29 00:00:00', 'date')).toBe('2024-02-29')
    expect(canonicalTime('2024-02-29 00:00:01', 'date')).toBe('2024-02-29 00:00:01.000000')
    expect(canonicalTime('2024-02-29 00:00:00', 'time')).toBe('2024-02-29 00:00:00.000000')
  })

  it.each([
    [0, '1970-01-01 00:00:00.000000'],
    [1_700_000_000, '2023-11-14 22:13:20.000000'],
    [-1, '1969-12-31 23:59:59.000000'],
    [99_999_999_999, '5138-11-16 09:46:39.000000'],
    [100_000_000_000, '1973-03-03 09:46:40.000000'],
    [1_700_000_000_123, '2023-11-14 22:13:20.123000'],
    [-100_000_000_000, '1966-10-31 14:13:20.000000'],
    [1_700_000_000.5, '2023-11-14 22:13:20.500000'],
    [2_440_587.5, '1970-01-01 00:00:00.000000'],
    [2_460_263.25, '2023-11-14 18:00:00.000000'],
    [2_440_588, '1970-01-29 05:56:28.000000'],
    [2_085_999.5, '1970-01-25 03:26:39.500000'],
    [5_373_485.5, '1970-03-04 04:38:05.500000'],
    [8.64e15, '8640000000000000'],
    [Number.NaN, 'NaN'],
  ])('%d is %s', (number, expected) => {
    expect(canonicalTime(number, 'instant')).toBe(expected)
  })
})

describe('canonical values', () => {
  it('make one text of a row, in which NULL is no empty text', () => {
    expect(wholeRow(['a', null, ''])).toBe(`a\x1f${NULL_MARK}\x1f`)
    expect(wholeRow([''])).not.toBe(wholeRow([null]))
  })

  it('are read by people: doubles from their parts or bits, all else as it is', () => {
    const real = { render: 'real' } as PlannedColumn
    expect(readable(real, `2_${2n ** 61n}`)).toBe('2.5')
    expect(readable(real, `-2_-${2n ** 61n}`)).toBe('-2.5')
    expect(readable(real, '3fe0000000000000')).toBe('0.5')
    expect(readable(real, '0')).toBe('0')
    expect(readable(real, 'x3fe0000000000000')).toBe('x3fe0000000000000')
    expect(readable(real, '3fe00000000000000')).toBe('3fe00000000000000')
    expect(readable(real, 'a1_2')).toBe('a1_2')
    expect(readable(real, '1_2b')).toBe('1_2b')
    expect(readable(real, null)).toBe(null)
    expect(readable({ render: 'text' } as PlannedColumn, '1_2')).toBe('1_2')
  })
})
