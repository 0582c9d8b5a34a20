import { translateAggregate } from './aggregates'
import type { Expr } from './ast'
import { compare } from './compare'
import { Refusal } from './cursor'
import { translateRandom } from './random'
import { translateTime } from './times'
import { asCondition, asNumber, asText, type Context, type Typed, textLiteral } from './types'
import { unify } from './unify'

type Call = Extract<Expr, { kind: 'call' }>
type Translator = (context: Context, args: Typed[]) => Typed

/** A call of a function that is known to give the same in both databases (https://www.sqlite.org/lang_corefunc.html). */
export function translateCall(context: Context, call: Call, one: (expr: Expr) => Typed): Typed {
  const special =
    translateTime(context, call, one) ??
    translateRandom(context, call) ??
    translateAggregate(context, call, one)
  if (special) return special
  const [translator, least, most] = FUNCTIONS[call.name] ?? []
  if (!translator || least === undefined || most === undefined)
    throw new Refusal(`The function ${call.name}() is not translated.`)
  if (call.args.length < least || call.args.length > most || call.distinct || call.star)
    throw new Refusal(`${call.name}() with ${call.args.length} arguments is not translated.`)
  return translator(context, call.args.map(one))
}

const text = (sql: string): Typed => ({ sql, kind: 'text' })
const count = (sql: string): Typed => ({ sql, kind: 'integer', atLeast: 0, narrow: true })

/** With the least and greatest number of arguments. */
const FUNCTIONS: Record<string, [Translator, number, number]> = {
  abs: [(_, [value]) => absolute(asNumber(value as Typed)), 1, 1],
  coalesce: [(context, values) => joined(context, 'COALESCE', values), 2, 100],
  ifnull: [(context, values) => joined(context, 'COALESCE', values), 2, 2],
  hex: [(_, [value]) => hex(value as Typed), 1, 1],
  iif: [(context, values) => choose(context, values), 2, 3],
  if: [(context, values) => choose(context, values), 2, 3],
  instr: [
    (context, [a, b]) =>
      count(`strpos(${asText(context, a as Typed).sql}, ${asText(context, b as Typed).sql})`),
    2,
    2,
  ],
  json_valid: [(_, [value]) => validJson(value as Typed), 1, 1],
  length: [(context, [value]) => measure(context, value as Typed), 1, 1],
  octet_length: [(context, [value]) => octets(context, value as Typed), 1, 1],
  lower: [(context, [value]) => folded(context, 'lower', value as Typed), 1, 1],
  upper: [(context, [value]) => folded(context, 'upper', value as Typed), 1, 1],
  likely: [(_, [value]) => value as Typed, 1, 1],
  unlikely: [(_, [value]) => value as Typed, 1, 1],
  ltrim: [(context, values) => trimmed(context, 'ltrim', values), 1, 2],
  rtrim: [(context, values) => trimmed(context, 'rtrim', values), 1, 2],
  trim: [(context, values) => trimmed(context, 'btrim', values), 1, 2],
  max: [(context, values) => extreme(context, 'GREATEST', values), 2, 100],
  min: [(context, values) => extreme(context, 'LEAST', values), 2, 100],
  nullif: [(context, [a, b]) => nullIf(context, a as Typed, b as Typed), 2, 2],
  replace: [
    (context, values) => text(`replace(${values.map((value) => asText(context, value).sql).join(', ')})`),
    3,
    3,
  ],
  round: [(_, [value, digits]) => round(value as Typed, digits), 1, 2],
  substr: [(context, values) => slice(context, values), 2, 3],
  substring: [(context, values) => slice(context, values), 2, 3],
  typeof: [(_, [value]) => storageClass(value as Typed), 1, 1],
}

function absolute(value: Typed): Typed {
  return { sql: `abs(${value.sql})`, kind: value.kind, ...(value.kind === 'integer' && { atLeast: 0 }) }
}

function joined(context: Context, name: string, values: Typed[]): Typed {
  const { kind, items, shape } = unify(context, values)
  const collation = values[0]?.collation
  return {
    sql: `${name}(${items.map((item) => item.sql).join(', ')})`,
    kind,
    ...(shape && { shape, zone: items[0]?.zone }),
    ...(collation && kind === 'text' && { collation }),
  }
}

function choose(context: Context, [condition, yes, no]: Typed[]): Typed {
  const results = no ? [yes as Typed, no] : [yes as Typed]
  const { kind, items, shape } = unify(context, results)
  const otherwise = no ? ` ELSE ${items[1]?.sql}` : ''
  return {
    sql: `(CASE WHEN ${asCondition(condition as Typed)} THEN ${items[0]?.sql}${otherwise} END)`,
    kind,
    ...(shape && { shape, zone: items[0]?.zone }),
  }
}

function hex(value: Typed): Typed {
  if (value.kind !== 'bytes') throw new Refusal('hex() of what is not a blob.')
  return text(`COALESCE(upper(encode(${value.sql}, 'hex')), '')`)
}

/** Whatever is stored as json is valid. */
function validJson(value: Typed): Typed {
  throw new Refusal(
    value.kind === 'text'
      ? 'PostgreSQL before 16 has no test for JSON; jsonb can be chosen as the type.'
      : 'json_valid() of what is not a text.',
  )
}

function measure(context: Context, value: Typed): Typed {
  return value.kind === 'bytes'
    ? count(`octet_length(${value.sql})`)
    : count(`length(${asText(context, value).sql})`)
}

function octets(context: Context, value: Typed): Typed {
  return count(`octet_length(${value.kind === 'bytes' ? value.sql : asText(context, value).sql})`)
}

/** SQLite folds ASCII alone, as PostgreSQL does under the collation C. */
function folded(context: Context, name: string, value: Typed): Typed {
  const { sql } = asText(context, value)
  return text(
    context.idiomatic || value.literal !== undefined ? `${name}(${sql})` : `${name}(${sql} COLLATE "C")`,
  )
}

function trimmed(context: Context, name: string, values: Typed[]): Typed {
  return text(`${name}(${values.map((value) => asText(context, value).sql).join(', ')})`)
}

/** Of several values; NULL when one is NULL, which PostgreSQL passes over. */
function extreme(context: Context, name: string, values: Typed[]): Typed {
  const { kind, items } = unify(context, values)
  if (kind === 'time') throw new Refusal('min() and max() of several times.')
  const bytes = kind === 'text' ? ' COLLATE "C"' : ''
  const nulls = items.filter((item) => item.literal === undefined).map((item) => `${item.sql} IS NULL`)
  const picked = `${name}(${items.map((item, i) => `${item.sql}${i === 0 ? bytes : ''}`).join(', ')})`
  return {
    sql: nulls.length === 0 ? picked : `(CASE WHEN ${nulls.join(' OR ')} THEN NULL ELSE ${picked} END)`,
    kind,
  }
}

function nullIf(context: Context, value: Typed, other: Typed): Typed {
  const equal = compare(context, '=', value, other)
  const { literal: _, affinity: __, ...rest } = value
  return { ...rest, sql: `(CASE WHEN ${equal.sql} THEN NULL ELSE ${value.sql} END)` }
}

function round(value: Typed, digits: Typed | undefined): Typed {
  const number = asNumber(value)
  if (number.kind === 'integer') return { sql: `(${number.sql})::double precision`, kind: 'real' }
  if (digits)
    throw new Refusal('SQLite rounds a fraction to digits by its binary value, PostgreSQL by its decimals.')
  return { sql: `(sign(${number.sql}) * floor(abs(${number.sql}) + 0.5))`, kind: 'real' }
}

/** Negative places count from the end in SQLite, so that only starts known to be positive are the same. */
function slice(context: Context, [value, start, length]: Typed[]): Typed {
  const source = asText(context, value as Typed).sql
  const first = start as Typed
  if (length && (length.kind !== 'integer' || (length.atLeast ?? -1) < 0))
    throw new Refusal('substr() with a length that may be negative.')
  if (first.kind === 'integer' && (first.atLeast ?? 0) >= 1) {
    const end = length ? `, (${length.sql})::integer` : ''
    return text(`substr(${source}, (${first.sql})::integer${end})`)
  }
  if (/^-[1-9]\d*$/.test(first.literal ?? '') && !length)
    return text(`right(${source}, ${(first.literal as string).slice(1)})`)
  throw new Refusal('substr() with a start that may not be positive.')
}

function storageClass(value: Typed): Typed {
  const names: Partial<Record<Typed['kind'], string>> = {
    boolean: 'integer',
    integer: 'integer',
    real: 'real',
    text: 'text',
    time: 'text',
    bytes: 'blob',
    null: 'null',
  }
  const name = names[value.kind]
  if (!name) throw new Refusal('typeof() of a column of several kinds.')
  if (value.literal !== undefined || value.kind === 'null') return textLiteral(name)
  return text(`(CASE WHEN ${value.sql} IS NULL THEN 'null' ELSE '${name}' END)`)
}
