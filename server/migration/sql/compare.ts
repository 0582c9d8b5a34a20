import { quoteLiteral } from '../plan/names'
import { shapeOf } from '../source/evidence'
import { Refusal } from './cursor'
import { isReal } from './moments'
import { asText, type Context, type Typed } from './types'

/** Both operands of a comparison in the one form in which PostgreSQL compares them as SQLite does. */
export interface Pair {
  left: string
  right: string
  text: boolean
}

const NUMBERS = new Set(['integer', 'real', 'numeric'])

/** https://www.sqlite.org/datatype3.html#comparison_expressions: storage classes, affinities, collations. */
export function pair(context: Context, left: Typed, right: Typed): Pair {
  const plain = (a: string, b: string) => ({ left: a, right: b, text: false })
  if (left.kind === 'null' || right.kind === 'null') return plain(left.sql, right.sql)
  if (left.kind === 'boolean' || right.kind === 'boolean') return pairBooleans(context, left, right)
  if (NUMBERS.has(left.kind) && NUMBERS.has(right.kind))
    return plain(bareNumber(left, right), bareNumber(right, left))
  if (left.kind === 'bytes' && right.kind === 'bytes') return plain(left.sql, right.sql)
  if (left.kind === 'time' || right.kind === 'time') return pairTimes(context, left, right)
  if (left.kind === 'text' && right.kind === 'text') return pairTexts(left, right)
  if (left.kind === 'text' && right.kind === 'integer') return pairMixed(left, right)
  if (left.kind === 'integer' && right.kind === 'text') return swap(pairMixed(right, left))
  throw new Refusal('Values of different kinds are compared.')
}

/** The collation that decides: one that is written out, else the left column's, else the right's. */
export function decidingCollation(left: Typed, right: Typed): string | undefined {
  const written = [left, right].find((one) => one.explicit)
  const collation = written
    ? written.collation
    : (left.collation ?? (left.affinity ? undefined : right.collation))
  return collation === 'BINARY' ? undefined : collation
}

/** A text so folded that equal means equal under the collation. */
export function fold(sql: string, collation: string | undefined): string {
  if (collation === undefined || collation === 'BINARY') return sql
  if (collation === 'NOCASE') return `lower(${sql} COLLATE "C")`
  if (collation === 'RTRIM') return `rtrim(${sql})`
  throw new Refusal(`The collation ${collation} is the application's own.`)
}

const swap = ({ left, right, text }: Pair): Pair => ({ left: right, right: left, text })

/** A literal fraction beside a number keeps its digits. */
function bareNumber(value: Typed, other: Typed): string {
  return value.kind === 'real' && value.literal !== undefined && other.kind !== 'real'
    ? value.literal
    : value.sql
}

function pairBooleans(context: Context, left: Typed, right: Typed): Pair {
  if (left.kind === right.kind) return { left: left.sql, right: right.sql, text: false }
  const [truth, other] = left.kind === 'boolean' ? [left, right] : [right, left]
  const bit = other.literal === '0' ? 'false' : other.literal === '1' ? 'true' : null
  const one: Pair =
    bit !== null && other.kind === 'integer'
      ? { left: truth.sql, right: bit, text: false }
      : pair(context, { sql: `(${truth.sql})::integer`, kind: 'integer', affinity: 'INTEGER' }, other)
  return truth === left ? one : swap(one)
}

/** The forms order alike as text and as time, as long as both sides have the same. */
function pairTimes(context: Context, left: Typed, right: Typed): Pair {
  const same =
    left.kind === 'time' &&
    right.kind === 'time' &&
    left.shape === right.shape &&
    Boolean(left.zone) === Boolean(right.zone)
  if (same) return { left: left.sql, right: right.sql, text: false }
  if (left.kind === 'time' && fits(right, left)) return { left: left.sql, right: moment(right), text: false }
  if (right.kind === 'time' && fits(left, right)) return { left: moment(left), right: right.sql, text: false }
  if (![left, right].every((one) => one.kind === 'time' || one.kind === 'text'))
    throw new Refusal('A time that is stored as text is compared with a number.')
  return pairTexts(asText(context, left), asText(context, right))
}

function fits(value: Typed, time: Typed): boolean {
  return (
    value.literal !== undefined &&
    value.kind === 'text' &&
    shapeOf(value.literal) === time.shape &&
    isReal(value.literal)
  )
}

const moment = (value: Typed) => quoteLiteral(value.literal as string)

function pairTexts(left: Typed, right: Typed): Pair {
  refuseConversion(left, right)
  refuseConversion(right, left)
  const collation = decidingCollation(left, right)
  return { left: fold(left.sql, collation), right: fold(right.sql, collation), text: true }
}

/** The affinity of a column of times makes a number of a text that looks like one, and numbers come before texts. */
function refuseConversion(column: Typed, other: Typed): void {
  if (!isNumeric(column.affinity) || isNumeric(other.affinity)) return
  if (other.literal === undefined || /^\s*[-+]?\.?\d[^-:]*$/.test(other.literal))
    throw new Refusal('A text is compared that SQLite may take for a number.')
}

function isNumeric(affinity: Typed['affinity']): boolean {
  return affinity === 'INTEGER' || affinity === 'REAL' || affinity === 'NUMERIC'
}

/** A column's affinity converts a literal; anything else of two classes is never equal. */
function pairMixed(text: Typed, number: Typed): Pair {
  if (text.affinity === 'TEXT' && number.literal !== undefined && number.affinity === undefined) {
    const collation = decidingCollation(text, number)
    return { left: fold(text.sql, collation), right: quoteLiteral(number.literal), text: true }
  }
  const converts = number.affinity !== undefined && number.affinity !== 'BLOB' && number.affinity !== 'TEXT'
  if (converts && text.literal !== undefined && /^-?\d{1,18}$/.test(text.literal))
    return { left: BigInt(text.literal).toString(), right: number.sql, text: false }
  throw new Refusal('A text is compared with a number.')
}

/** A comparison by one of SQLite's operators. Texts are ordered by their bytes. */
export function compare(context: Context, operator: string, left: Typed, right: Typed): Typed {
  const sides = pair(context, left, right)
  const ordered = sides.text && /^[<>]=?$/.test(operator)
  const word =
    operator === 'IS' ? 'IS NOT DISTINCT FROM' : operator === 'IS NOT' ? 'IS DISTINCT FROM' : operator
  const bytes = ordered ? ' COLLATE "C"' : ''
  return { sql: `(${sides.left}${bytes} ${word} ${sides.right})`, kind: 'boolean' }
}
