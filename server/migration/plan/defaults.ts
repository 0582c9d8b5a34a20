import { tokenize } from '../source/sqltext'
import { affinityOf } from './mapping'
import { quoteIdentifier, quoteLiteral } from './names'

/** A PostgreSQL expression, or why there is none. */
export type Translation = { sql: string } | { reason: string }

const MOMENTS: Record<string, 'timestamp' | 'date' | 'time'> = {
  CURRENT_TIMESTAMP: 'timestamp',
  CURRENT_DATE: 'date',
  CURRENT_TIME: 'time',
  "DATETIME('NOW')": 'timestamp',
  "DATE('NOW')": 'date',
  "TIME('NOW')": 'time',
}

const FORMS = { timestamp: 'YYYY-MM-DD HH24:MI:SS', date: 'YYYY-MM-DD', time: 'HH24:MI:SS' }

/**
 * A DEFAULT of SQLite for a column of `type`: literals, NULL, TRUE and FALSE, CURRENT_… and
 * datetime('now') in its forms. SQLite's moments are UTC text.
 */
export function translateDefault(sql: string, type: string, declaredType: string): Translation | null {
  const text = strip(sql)
  const tokens = tokenize(text)
  const upper = tokens.map((token) =>
    token.kind === 'string' ? `'${token.text.toUpperCase()}'` : token.text.toUpperCase(),
  )
  if (upper.join('') === 'NULL') return null
  const moment = MOMENTS[upper.join('')]
  if (moment) return translateMoment(moment, type)
  const negative = tokens.length === 2 && (tokens[0]?.text === '-' || tokens[0]?.text === '+')
  const only = tokens[negative ? 1 : 0]
  if (!only || tokens.length > (negative ? 2 : 1))
    return { reason: `The expression ${sql} is not translated.` }
  if (only.kind === 'number')
    return translateNumber((negative && tokens[0]?.text === '-' ? '-' : '') + only.text, type)
  if (negative) return { reason: `The expression ${sql} is not translated.` }
  if (only.kind === 'string' || only.kind === 'quoted') return translateText(only.text, type, declaredType)
  if (only.kind === 'blob' && type === 'bytea') return { sql: `'\\x${only.text}'::bytea` }
  if (upper[0] === 'TRUE' || upper[0] === 'FALSE')
    return translateNumber(upper[0] === 'TRUE' ? '1' : '0', type)
  return { reason: `The expression ${sql} is not translated.` }
}

function strip(sql: string): string {
  let text = sql.trim()
  for (;;) {
    const tokens = tokenize(text)
    const last = tokens.at(-1)
    if (tokens[0]?.text !== '(' || last?.text !== ')') return text
    let depth = 0
    const wraps = tokens.every((token, i) => {
      if (token.kind === 'symbol') depth += token.text === '(' ? 1 : token.text === ')' ? -1 : 0
      return depth > 0 || i === tokens.length - 1
    })
    if (!wraps) return text
    text = text.slice(tokens[0].end, last.start).trim()
  }
}

function translateMoment(moment: keyof typeof FORMS, type: string): Translation {
  const utc = `(now() AT TIME ZONE 'UTC')`
  if (type === 'timestamp with time zone' && moment === 'timestamp') return { sql: 'now()' }
  if (type === 'timestamp without time zone' && moment !== 'time')
    return { sql: moment === 'date' ? `date_trunc('day', ${utc})` : `date_trunc('second', ${utc})` }
  if (type === 'date' && moment !== 'time') return { sql: `${utc}::date` }
  if (type === 'text' || type.startsWith('character varying'))
    return { sql: `to_char(${utc}, '${FORMS[moment]}')` }
  return { reason: `A moment in a column of type ${type}.` }
}

function translateNumber(number: string, type: string): Translation {
  if (type === 'boolean') {
    return /^[01]$/.test(number)
      ? { sql: number === '1' ? 'true' : 'false' }
      : { reason: `${number} is not a boolean.` }
  }
  const bits = { smallint: 16, integer: 32, bigint: 64 }[type]
  if (bits) {
    return /^-?\d+(\.0*)?$/.test(number) && fitsBits(number, bits)
      ? { sql: number.replace(/\..*$/, '') }
      : { reason: `${number} is not a ${bits}-bit integer.` }
  }
  if (type === 'double precision' || type.startsWith('numeric')) return { sql: number }
  if (type === 'text') return { sql: quoteLiteral(number) }
  return { reason: `A number in a column of type ${type}.` }
}

function fitsBits(number: string, bits: number): boolean {
  const value = BigInt(number.replace(/\..*$/, ''))
  return BigInt.asIntN(bits, value) === value
}

/** SQLite applies the column's affinity to a text default: '0' in an INTEGER column is the number 0. */
function translateText(text: string, type: string, declaredType: string): Translation {
  if (text.includes('\0')) return { reason: 'The default holds a NUL character.' }
  if (type === 'text' || type.startsWith('character varying')) return { sql: quoteLiteral(text) }
  if (affinityOf(declaredType) !== 'BLOB' && /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text))
    return translateNumber(text, type)
  if (type === 'date' && /^\d{4}-\d\d-\d\d$/.test(text)) return { sql: quoteLiteral(text) }
  if (type.startsWith('timestamp') && /^\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?Z?$/.test(text))
    return { sql: quoteLiteral(text) }
  return { reason: `The text ${quoteLiteral(text)} in a column of type ${type}.` }
}

/**
 * The predicate of a partial index, if it is plain: comparisons of columns with literals, IS [NOT] NULL, AND, OR,
 * NOT and parentheses. `columns` maps lower-case source names to target name and type.
 */
export function translatePredicate(
  sql: string,
  columns: ReadonlyMap<string, { target: string; type: string }>,
): Translation {
  const refuse = { reason: `The predicate ${sql} is not translated.` }
  const out: string[] = []
  let column: { target: string; type: string } | undefined
  for (const token of tokenize(sql)) {
    const word = token.text.toUpperCase()
    const named =
      token.kind === 'quoted' || token.kind === 'word' ? columns.get(token.text.toLowerCase()) : undefined
    if (named) {
      column = named
      out.push(quoteIdentifier(named.target))
    } else if (token.kind === 'word' && ['AND', 'OR', 'NOT', 'IS', 'NULL'].includes(word)) out.push(word)
    else if (token.kind === 'symbol' && ['(', ')', '=', '<', '>', '<=', '>=', '<>', '!='].includes(word))
      out.push(word)
    else if (token.kind === 'symbol' && word === '==') out.push('=')
    else if (column && (token.kind === 'number' || token.kind === 'string')) {
      const textual = column.type === 'text'
      const literal =
        token.kind === 'number' && !textual ? translateNumber(token.text, column.type) : undefined
      if (literal && 'sql' in literal) out.push(literal.sql)
      else if (token.kind === 'string' && textual) out.push(quoteLiteral(token.text))
      else return refuse
    } else return refuse
  }
  return out.length > 0 ? { sql: out.join(' ') } : refuse
}
