import { quoteLiteral } from '../plan/names'
import { shapeOf } from '../source/evidence'
import type { PlannedColumn } from '../types'
import { Refusal } from './cursor'
import { isReal } from './moments'
import { asNumber, asText, type Context, knownColumn, type Typed } from './types'

/**
 * A value as PostgreSQL stores it in a column for which SQLite would store it, after the column's affinity. Throws a
 * Refusal where the stored values would differ.
 */
export function assign(context: Context, value: Typed, column: PlannedColumn): string {
  if (value.kind === 'null') return 'NULL'
  const { type, render } = column
  const { affinity } = knownColumn(column)
  const refuse = (): never => {
    throw new Refusal(`Its value is no ${type}.`)
  }
  const number = numberOf(value, affinity)
  switch (render) {
    case 'integer':
      return number?.kind === 'integer' ? (number.literal ?? number.sql) : refuse()
    case 'boolean':
      if (value.kind === 'boolean') return value.sql
      return number?.literal === '0' || number?.literal === '1' ? String(number.literal === '1') : refuse()
    case 'real':
      return number ? (number.literal ?? `(${number.sql})::double precision`) : refuse()
    case 'numeric':
      if (number?.literal !== undefined) return number.literal
      if (value.kind === 'numeric') return value.sql
      return number?.kind === 'integer' || (number && type.includes('('))
        ? `(${number.sql})::${type}`
        : refuse()
    case 'text':
      return value.kind === 'text' || affinity === 'TEXT' ? asText(context, value).sql : refuse()
    case 'bytes':
      return value.kind === 'bytes' ? value.sql : refuse()
    case 'time':
      return assignTime(value, column) ?? refuse()
    case 'seconds':
      return number ? `to_timestamp((${number.sql})::double precision)` : refuse()
    case 'milliseconds':
      return number ? `to_timestamp((${number.sql}) / 1000.0)` : refuse()
    case 'flag':
      return flagOf(value.literal ?? '') ?? refuse()
    case 'uuid':
    case 'json':
    case 'jsonb':
      return value.kind === 'text' ? `(${value.sql})::${type}` : refuse()
    default:
      return refuse()
  }
}

/** A text that looks like a number becomes one in a column for numbers. */
function numberOf(value: Typed, affinity: Typed['affinity']): Typed | null {
  if (
    value.kind === 'integer' ||
    value.kind === 'real' ||
    value.kind === 'numeric' ||
    value.kind === 'boolean'
  )
    return asNumber(value)
  if (affinity === 'TEXT' || affinity === 'BLOB') return null
  if (value.whole !== undefined) return { sql: value.whole, kind: 'integer' }
  const { literal } = value
  if (value.kind !== 'text' || literal === undefined) return null
  if (/^[-+]?\d{1,18}$/.test(literal)) {
    const plain = BigInt(literal).toString()
    return { sql: plain, kind: 'integer', literal: plain }
  }
  return /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(literal)
    ? { sql: literal, kind: 'real', literal }
    : null
}

function assignTime(value: Typed, { type }: PlannedColumn): string | null {
  const zoned = type === 'timestamp with time zone'
  if (value.kind === 'text' && value.literal !== undefined) {
    const shape = shapeOf(value.literal)
    const day = shape === 'date'
    return shape && isReal(value.literal) && day === (type === 'date') && shape.endsWith('Z') === zoned
      ? quoteLiteral(value.literal)
      : null
  }
  if (value.kind !== 'time' || (value.shape === 'date') !== (type === 'date')) return null
  return Boolean(value.zone) === zoned ? value.sql : `(${value.sql} AT TIME ZONE 'UTC')`
}

/** The words that are taken for a boolean. */
function flagOf(word: string): string | null {
  if (/^(t|true|y|yes|on|1)$/i.test(word)) return 'true'
  return /^(f|false|n|no|off|0)$/i.test(word) ? 'false' : null
}
