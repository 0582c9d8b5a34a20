import { quoteIdentifier } from '../plan/names'
import * as render from '../transfer/render'
import type { PlannedColumn } from '../types'

// The canonical forms of a column: as its rows were rendered for the load, or, where another tool has filled the
// target, a form that says what a value means, whatever type it was given.

/** The canonical form of a value as SQLite computes it. */
export function canonicalSource(column: PlannedColumn): string {
  const name = quoteIdentifier(column.source)
  switch (column.compare) {
    case undefined:
      return render.canonicalSource(column)
    case 'number':
      return numberSource(name)
    case 'boolean':
      return `CASE WHEN lower(${name}) IN ('1', '1.0', 't', 'true', 'y', 'yes', 'on') THEN '1' WHEN lower(${name}) IN ('0', '0.0', 'f', 'false', 'n', 'no', 'off') THEN '0' ELSE CAST(${name} AS TEXT) END`
    case 'bytes':
      return `CASE WHEN ${name} IS NOT NULL THEN hex(${name}) END`
    case 'date':
    case 'time':
    case 'instant':
      return `CASE WHEN ${name} IS NOT NULL THEN holdfast_time(${name}, '${column.compare}') END`
    case 'uuid':
      return `CASE typeof(${name}) WHEN 'blob' THEN lower(hex(${name})) ELSE lower(replace(${name}, '-', '')) END`
    case 'text':
      return `CAST(${name} AS TEXT)`
  }
}

/** The same form as PostgreSQL computes it. */
export function canonicalTarget(column: PlannedColumn): string {
  const name = quoteIdentifier(column.target)
  const time = (pattern: string) =>
    `CASE WHEN isfinite(${name}) THEN to_char(${name}, '${pattern}') ELSE ${name}::text END`
  switch (column.compare) {
    case undefined:
      return render.canonicalTarget(column)
    case 'number':
      return numberTarget(name)
    case 'boolean':
      return `${name}::integer::text`
    case 'bytes':
      return `upper(encode(${name}, 'hex'))`
    case 'date':
      return time('YYYY-MM-DD')
    case 'time':
    case 'instant':
      return time('YYYY-MM-DD HH24:MI:SS.US')
    case 'uuid':
      return `replace(${name}::text, '-', '')`
    case 'text':
      return `${name}::text`
  }
}

/** Whole numbers that fit 64 bits as decimal text, others by the bits of the double; text that is a number counts as one. */
const WHOLE = '9.2e18'

function numberSource(name: string): string {
  const numeric = `typeof(${name}) = 'text' AND ${name} GLOB '*[0-9]*' AND ${name} NOT GLOB '*[^0-9.eE+-]*'`
  const form = (value: string) =>
    `CASE WHEN typeof(${value}) = 'integer' THEN CAST(${value} AS TEXT) WHEN abs(${value}) < ${WHOLE} AND ${value} = CAST(${value} AS INTEGER) THEN CAST(CAST(${value} AS INTEGER) AS TEXT) ELSE holdfast_bits(${value}) END`
  return `CASE WHEN typeof(${name}) IN ('integer', 'real') THEN ${form(name)} WHEN ${numeric} THEN ${form(`(${name} + 0)`)} ELSE CAST(${name} AS TEXT) END`
}

function numberTarget(name: string): string {
  return `CASE WHEN abs(${name}) < ${WHOLE} AND ${name} = trunc(${name}::numeric) THEN trunc(${name}::numeric)::text ELSE encode(float8send(${name}::float8), 'hex') END`
}

/**
 * What a date or time means, in one form: ISO text with or without zone, Unix seconds or milliseconds, Julian days.
 * 'instant' takes the zone into account and is UTC; 'date' keeps the time where there is one, which a date has lost.
 */
export function canonicalTime(value: unknown, form: string): string {
  const normal = typeof value === 'string' ? fromText(value.trim(), form === 'instant') : fromNumber(value)
  if (normal === null) return String(value)
  return form === 'date' ? normal.replace(/ 00:00:00\.000000$/, '') : normal
}

const ISO =
  /^(\d{4})-(\d\d)-(\d\d)(?:[ T](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?)?\s*(Z|[+-]\d\d(?::?\d\d)?)?$/i

function fromText(text: string, zoned: boolean): string | null {
  const match = ISO.exec(text)
  if (!match) return null
  const [, year, month, day, hour = '00', minute = '00', second = '00', fraction = '', zone = ''] = match
  const micros = fraction.slice(0, 6).padEnd(6, '0')
  const plain = `${year}-${month}-${day} ${hour}:${minute}:${second}`
  if (!zoned || zone === '' || /^Z$/i.test(zone)) return `${plain}.${micros}`
  const [, sign, hours, minutes = '00'] = /^([+-])(\d\d):?(\d\d)?$/.exec(zone) ?? []
  const shift = (Number(hours) * 60 + Number(minutes)) * 60_000 * (sign === '-' ? 1 : -1)
  const at = Date.parse(`${plain.replace(' ', 'T')}Z`) + shift
  return Number.isNaN(at) ? null : `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')}.${micros}`
}

/** 2440587.5 is 1970-01-01 in Julian days (https://www.sqlite.org/lang_datefunc.html); years 1000 to 9999 as reals. */
function fromNumber(value: unknown): string | null {
  const number = Number(value)
  const julian = !Number.isInteger(number) && number > 2_086_000 && number < 5_373_485
  const at = julian
    ? Math.round((number - 2_440_587.5) * 86_400_000)
    : Math.abs(number) >= 1e11
      ? number
      : number * 1000
  if (!(Math.abs(at) < 8.64e15)) return null
  return `${new Date(at).toISOString().slice(0, 23).replace('T', ' ')}000`
}
