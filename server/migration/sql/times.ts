import { quoteLiteral } from '../plan/names'
import type { TimeShape } from '../types'
import type { Expr } from './ast'
import { Refusal } from './cursor'
import type { Context, Typed } from './types'

type Call = Extract<Expr, { kind: 'call' }>

/** A moment as PostgreSQL's timestamp without time zone, in UTC. */
interface Moment {
  sql: string
  /** Fractions of a second may be there. */
  fractions: boolean
}

const NOW = `(now() AT TIME ZONE 'UTC')`

/** CURRENT_TIMESTAMP and its like; null for another word. */
export function currentMoment(context: Context, word: string): Typed | null {
  const form = { CURRENT_TIMESTAMP: 'datetime', CURRENT_DATE: 'date', CURRENT_TIME: 'time' }[word]
  if (!form) return null
  context.stable = true
  return show(context, form, { sql: NOW, fractions: true })
}

/** date(), time(), datetime(), strftime() and unixepoch() (https://www.sqlite.org/lang_datefunc.html); null for others. */
export function translateTime(context: Context, call: Call, one: (expr: Expr) => Typed): Typed | null {
  const { name } = call
  if (name === 'julianday') throw new Refusal('julianday() is not translated.')
  if (!['date', 'time', 'datetime', 'strftime', 'unixepoch'].includes(name)) return null
  const [format, args] = name === 'strftime' ? [call.args[0], call.args.slice(1)] : [undefined, call.args]
  const moment = modified(baseMoment(context, args[0], args.slice(1), one), args.slice(1))
  if (name === 'unixepoch') {
    context.stable ||= moment.sql.includes('now()')
    return { sql: `floor(extract(epoch FROM ${moment.sql}))::bigint`, kind: 'integer' }
  }
  if (name !== 'strftime') return show(context, name, moment)
  if (format?.kind !== 'text') throw new Refusal('strftime() with a computed format.')
  return formatted(context, format.text, moment)
}

function baseMoment(
  context: Context,
  base: Expr | undefined,
  modifiers: Expr[],
  one: (expr: Expr) => Typed,
): Moment {
  if (!base || (base.kind === 'text' && base.text.toLowerCase() === 'now')) {
    context.stable = true
    return { sql: NOW, fractions: true }
  }
  const value = one(base)
  if (value.kind === 'time' && value.shape) {
    const sql = value.zone
      ? `(${value.sql} AT TIME ZONE 'UTC')`
      : value.shape === 'date'
        ? `${value.sql}::timestamp`
        : value.sql
    return { sql: `(${sql})`, fractions: /[36]/.test(value.shape) }
  }
  const seconds = modifiers[0]?.kind === 'text' && modifiers[0].text.toLowerCase() === 'unixepoch'
  if (value.kind === 'integer' && seconds)
    return { sql: `(to_timestamp(${value.sql}) AT TIME ZONE 'UTC')`, fractions: false }
  throw new Refusal('A time is taken from a text or number that may be none.')
}

function modified(moment: Moment, modifiers: Expr[]): Moment {
  let at = moment
  for (const modifier of modifiers) {
    if (modifier.kind !== 'text') throw new Refusal('A computed modifier of a time.')
    const word = modifier.text.trim().toLowerCase()
    if (word === 'unixepoch') continue
    const start = /^start of (day|month|year)$/.exec(word)
    const shift = /^([+-]?\d+)(?:\.0+)? (day|hour|minute|second)s?$/.exec(word)
    if (start) at = { sql: `date_trunc('${start[1]}', ${at.sql})`, fractions: false }
    else if (shift) {
      const sql = `(${at.sql} + interval '${Number(shift[1])} ${shift[2]}')`
      at = { sql, fractions: at.fractions }
    } else throw new Refusal(`The modifier '${modifier.text}' of a time is not translated.`)
  }
  return at
}

/** The times that SQLite's functions give have a form of their own each. */
function show(context: Context, name: string, { sql, fractions }: Moment): Typed {
  if (name === 'date') return { sql: `(${sql})::date`, kind: 'time', shape: 'date' }
  if (name === 'datetime') {
    const whole = fractions ? `date_trunc('second', ${sql})` : sql
    return { sql: whole, kind: 'time', shape: ' 0' }
  }
  context.stable = true
  return { sql: `to_char(${sql}, 'HH24:MI:SS')`, kind: 'text' }
}

const PATTERNS: Record<string, string> = {
  d: 'DD',
  F: 'YYYY-MM-DD',
  H: 'HH24',
  j: 'DDD',
  m: 'MM',
  M: 'MI',
  S: 'SS',
  f: 'SS.MS',
  T: 'HH24:MI:SS',
  R: 'HH24:MI',
  Y: 'YYYY',
}

const FORMS: Record<string, TimeShape> = {
  '%Y-%m-%d': 'date',
  '%Y-%m-%d %H:%M:%S': ' 0',
  '%Y-%m-%dT%H:%M:%S': 'T0',
}

/** The same form as a time where it is one, so that columns of that form can take it; else text. */
function formatted(context: Context, format: string, moment: Moment): Typed {
  const { sql, fractions } = moment
  const shape = FORMS[format]
  if (shape === 'date') return show(context, 'date', moment)
  if (shape) return { ...show(context, 'datetime', moment), shape }
  if (format === '%s') {
    const whole = `floor(extract(epoch FROM ${sql}))::bigint`
    return { sql: `${whole}::text`, kind: 'text', whole }
  }
  if (/^%Y-%m-%d[T ]%H:%M:%fZ$/.test(format)) {
    const whole = fractions ? `date_trunc('milliseconds', ${sql})` : sql
    return {
      sql: `(${whole} AT TIME ZONE 'UTC')`,
      kind: 'time',
      shape: `${format[8] as 'T' | ' '}3Z`,
      zone: true,
    }
  }
  if (/^%Y-%m-%d[T ]%H:%M:%SZ$/.test(format)) {
    const whole = fractions ? `date_trunc('second', ${sql})` : sql
    return {
      sql: `(${whole} AT TIME ZONE 'UTC')`,
      kind: 'time',
      shape: `${format[8] as 'T' | ' '}0Z`,
      zone: true,
    }
  }
  if (/^%Y-%m-%d[T ]%H:%M:%f$/.test(format)) {
    const whole = fractions ? `date_trunc('milliseconds', ${sql})` : sql
    return { sql: whole, kind: 'time', shape: `${format[8] as 'T' | ' '}3` }
  }
  context.stable = true
  const parts = [...format.matchAll(/%(.)|([^%]+)/g)].map(([, letter, plain]) => {
    if (plain !== undefined) return `"${plain.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
    const pattern = letter === '%' ? '"%"' : PATTERNS[letter as string]
    if (!pattern) throw new Refusal(`%${letter} of strftime() is not translated.`)
    return pattern
  })
  return { sql: `to_char(${sql}, ${quoteLiteral(parts.join(''))})`, kind: 'text' }
}
