import type { Render, TimeShape } from '../types'
import { decimalOf } from './mapping'

/** Words that are read as a boolean, in any case. */
const TRUE_WORDS = ['t', 'true', 'y', 'yes', 'on', '1']
const FALSE_WORDS = ['f', 'false', 'n', 'no', 'off', '0']

const words = (list: readonly string[]) => list.map((word) => `'${word}'`).join(', ')
export const isTrue = (column: string) => `lower(CAST(${column} AS TEXT)) IN (${words(TRUE_WORDS)})`
export const isFalse = (column: string) => `lower(CAST(${column} AS TEXT)) IN (${words(FALSE_WORDS)})`
const isFlag = (column: string) =>
  `typeof(${column}) <> 'blob' AND lower(CAST(${column} AS TEXT)) IN (${words([...TRUE_WORDS, ...FALSE_WORDS])})`

export const isFlagWord = (text: string): boolean =>
  [...TRUE_WORDS, ...FALSE_WORDS].includes(text.toLowerCase())

/** Smallest and largest value of PostgreSQL's integers (https://www.postgresql.org/docs/current/datatype-numeric.html). */
const RANGES: Record<string, [string, string]> = {
  smallint: ['-32768', '32767'],
  integer: ['-2147483648', '2147483647'],
}

/**
 * PostgreSQL's fields end at 1 GB, and so do the values that SQLite makes; COPY takes a blob as two characters a byte.
 * Longer values are rejected, and counted beforehand.
 */
export const LONGEST = 400 * 1024 * 1024

/** From the year 1 to the end of 9999, which both sides print alike. */
const SECONDS = [-62_135_596_800, 253_402_300_799] as const
const JULIAN = ['1721425.5', '5373484.4999'] as const

const HEX = '[0-9a-fA-F]'
const UUID = [8, 4, 4, 4, 12].map((digits) => HEX.repeat(digits)).join('-')

/** SQLite's test that a value has the form and names a real moment; year 0, which PostgreSQL lacks, passes. */
export function shapeTest(column: string, shape: TimeShape): string {
  // Most forms are SQLite's own: one call, and what it prints is what was there.
  if (shape === 'date') return `(${column} = date(${column}))`
  if (shape === ' 0') return `(${column} = datetime(${column}))`
  const seconds = `substr(${column}, 1, 19)`
  const form = `%Y-%m-%d${shape[0]}%H:%M:%S`
  const digits = Number(shape[1])
  const rest = (digits ? `.${'[0-9]'.repeat(digits)}` : '') + shape.slice(2)
  const tail = rest === '' ? `length(${column}) = 19` : `substr(${column}, 20) GLOB '${rest}'`
  return `(strftime('${form}', ${seconds}) = ${seconds} AND ${tail})`
}

/** Test of DECIMAL(p,s). abs() would fail at the least of all integers. */
export function decimalTest(column: string, precision: number, scale: number): string {
  const limit = `1e${precision - scale}`
  return `(round(${column}, ${scale}) = ${column} AND ${column} < ${limit} AND ${column} > -${limit})`
}

/**
 * SQL over the source that is 1 for values that the type holds, NULL among them, and 0 for others; null when it
 * holds every value. `column` is quoted.
 */
export function fitsTest(
  column: string,
  { type, render, shape }: { type: string; render: Render; shape?: TimeShape },
): string | null {
  const test = testOf(column, type, render, shape)
  return test && `ifnull(${column} IS NULL OR (${test}), 0)`
}

function testOf(column: string, type: string, render: Render, shape?: TimeShape): string | null {
  const isText = `typeof(${column}) = 'text'`
  const isInteger = `typeof(${column}) = 'integer'`
  const isNumber = `typeof(${column}) IN ('integer', 'real')`
  const between = (low: string | number, high: string | number) => `${column} BETWEEN ${low} AND ${high}`
  switch (render) {
    case 'integer': {
      const range = RANGES[type]
      return range ? `${isInteger} AND ${between(...range)}` : isInteger
    }
    case 'boolean':
      return `${isInteger} AND ${column} IN (0, 1)`
    case 'flag':
      return isFlag(column)
    case 'real':
      return `typeof(${column}) = 'real' OR ${isInteger} AND ${between(-(2 ** 53), 2 ** 53)}`
    case 'numeric': {
      const decimal = decimalOf(type)
      const finite = `${isNumber} AND ${column} > -9e999 AND ${column} < 9e999`
      return decimal ? `${finite} AND ${decimalTest(column, decimal.precision, decimal.scale)}` : finite
    }
    case 'time':
      // The column alone would give '0001' its affinity, and compare with a number.
      return shape ? `${isText} AND ${shapeTest(column, shape)} AND substr(${column}, 1, 4) >= '0001'` : null
    case 'seconds':
      return `${isNumber} AND ${between(...SECONDS)}`
    case 'milliseconds':
      return `${isInteger} AND ${between(SECONDS[0] * 1000, SECONDS[1] * 1000)}`
    case 'julian':
      return `${isNumber} AND ${between(...JULIAN)}`
    case 'uuid':
      return `${isText} AND ${column} GLOB '${UUID}'`
    case 'json':
      return `${isText} AND json_valid(${column})`
    case 'jsonb':
      return `${isText} AND json_valid(${column}) AND instr(${column}, '\\u0000') = 0`
    case 'text': {
      const length = /^character varying\((\d+)\)$/.exec(type)?.[1]
      const short = length ? ` AND length(CAST(${column} AS TEXT)) <= ${length}` : ''
      return `typeof(${column}) <> 'blob' AND octet_length(${column}) <= ${LONGEST}${short}`
    }
    case 'bytes':
      return `octet_length(${column}) <= ${LONGEST}`
  }
}
