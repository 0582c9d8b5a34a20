import type { Expr } from './ast'
import { translateCase, translateCast } from './cases'
import { compare, pair } from './compare'
import { Refusal } from './cursor'
import { translateCall } from './functions'
import { translateLike } from './like'
import { parseExpression } from './parse'
import { currentMoment } from './times'
import {
  asCondition,
  asNumber,
  asText,
  type Context,
  numberLiteral,
  type Scope,
  type Typed,
  textLiteral,
} from './types'

/** What a SQLite expression means in PostgreSQL, or why it is not known to mean the same. */
export type Translated = { value: Typed; immutable: boolean } | { reason: string }

/** Translates one expression over the names of a scope. */
export function translateExpression(sql: string, scope: Scope, more: Partial<Context> = {}): Translated {
  return attempt(() => {
    const context: Context = { ...more, scope, stable: false }
    const value = translate(context, parseExpression(sql))
    return { value, immutable: !context.stable }
  })
}

/** Translates one expression and does with it what `use` does, in the same context. */
export function translateFor<T>(
  sql: string,
  scope: Scope,
  use: (context: Context, value: Typed) => T,
): { result: T; immutable: boolean } {
  const context: Context = { scope, stable: false }
  const result = use(context, translate(context, parseExpression(sql)))
  return { result, immutable: !context.stable }
}

/** Translates what is taken for true or false: a CHECK, a WHERE. */
export function translateCondition(
  sql: string,
  scope: Scope,
): { sql: string; immutable: boolean } | { reason: string } {
  return attempt(() => {
    const context: Context = { scope, stable: false }
    const condition = asCondition(translate(context, parseExpression(sql)))
    return { sql: condition, immutable: !context.stable }
  })
}

/** Runs a translation; a Refusal becomes its reason. */
export function attempt<T>(body: () => T): T | { reason: string } {
  try {
    return body()
  } catch (error) {
    if (error instanceof Refusal) return { reason: error.message }
    throw error
  }
}

export function translate(context: Context, expr: Expr): Typed {
  const one = (inner: Expr) => translate(context, inner)
  switch (expr.kind) {
    case 'number':
      return numberLiteral(expr.text)
    case 'text':
      return textLiteral(expr.text)
    case 'blob':
      return { sql: `'\\x${expr.hex}'::bytea`, kind: 'bytes', literal: expr.hex }
    case 'null':
      return { sql: 'NULL', kind: 'null' }
    case 'name':
      return translateName(context, expr)
    case 'unary':
      return translateUnary(context, expr.operator, expr.operand)
    case 'binary':
      return translateBinary(context, expr)
    case 'between': {
      const operand = one(expr.operand)
      const inside = `(${compare(context, '>=', operand, one(expr.low)).sql} AND ${compare(context, '<=', operand, one(expr.high)).sql})`
      return { sql: expr.negated ? `(NOT ${inside})` : inside, kind: 'boolean' }
    }
    case 'in':
      return translateIn(context, expr)
    case 'like':
      return translateLike(context, expr, one)
    case 'case':
      return translateCase(context, expr, one)
    case 'cast':
      return translateCast(context, one(expr.operand), expr.type)
    case 'call':
      return translateCall(context, expr, one)
    case 'collate':
      return { ...one(expr.operand), collation: expr.collation.toUpperCase(), explicit: true }
    case 'exists':
      return { sql: `EXISTS (${subquery(context, expr.query).sql})`, kind: 'boolean' }
    case 'query':
      return translateScalar(context, expr)
    case 'inQuery': {
      const found = subquery(context, expr.query)
      if (found.columns.length !== 1) throw new Refusal('IN over a query of several columns.')
      const operand = one(expr.operand)
      const inner = found.columns[0] as Typed
      const sides = pair(context, operand, { ...inner, sql: 'x', literal: undefined })
      if (sides.left !== operand.sql || sides.right !== 'x')
        throw new Refusal('IN over a query of another kind.')
      return { sql: `(${operand.sql} ${expr.negated ? 'NOT ' : ''}IN (${found.sql}))`, kind: 'boolean' }
    }
    case 'raise':
      throw new Refusal('RAISE stands where it is not known.')
  }
}

function subquery(context: Context, query: Parameters<NonNullable<Scope['query']>>[0]) {
  if (!context.scope.query) throw new Refusal('A query stands within an expression.')
  return context.scope.query(query)
}

function translateScalar(context: Context, expr: Extract<Expr, { kind: 'query' }>): Typed {
  const { sql, columns } = subquery(context, expr.query)
  const only = columns[0]
  if (!only || columns.length > 1) throw new Refusal('A query of several columns stands for a value.')
  const aggregate =
    expr.query.groupBy.length === 0 &&
    expr.query.columns.every((column) => !column.star && isAggregate(column.value))
  if (!aggregate && expr.query.limit === undefined)
    throw new Refusal('A query that may give several rows stands for a value.')
  return { ...only, sql: `(${sql})`, literal: undefined, affinity: undefined }
}

function isAggregate(expr: Expr): boolean {
  return expr.kind === 'call' && /^(count|sum|total|avg|min|max)$/.test(expr.name) && expr.args.length <= 1
}

function translateName(context: Context, expr: Extract<Expr, { kind: 'name' }>): Typed {
  const column = context.scope.find(expr.name, expr.table)
  if (column) return column.expanded ? { ...column, sql: column.expanded } : column
  if (expr.table === undefined) {
    if (expr.quoted) return textLiteral(expr.name)
    const word = expr.name.toUpperCase()
    if (word === 'TRUE' || word === 'FALSE') return numberLiteral(word === 'TRUE' ? '1' : '0')
    const moment = currentMoment(context, word)
    if (moment) return moment
  }
  throw new Refusal(`${expr.table ? `${expr.table}.` : ''}${expr.name} is not a column that is carried.`)
}

function translateUnary(context: Context, operator: string, operand: Expr): Typed {
  if (operator === 'NOT') return { sql: `(NOT ${asCondition(translate(context, operand))})`, kind: 'boolean' }
  if (operator === '+') {
    const { affinity: _, ...value } = translate(context, operand)
    return value
  }
  const value = translate(context, operand)
  if (
    operator === '-' &&
    value.literal !== undefined &&
    (value.kind === 'integer' || value.kind === 'real')
  ) {
    const negative = numberLiteral(value.literal)
    return {
      ...negative,
      sql: `(-${negative.sql})`,
      literal: `-${value.literal}`,
      atLeast: -Number(value.literal),
    }
  }
  const number = asNumber(value)
  if (operator === '~' && number.kind !== 'integer') throw new Refusal('~ of a fraction.')
  return { sql: `(${operator}${widened(number)})`, kind: number.kind }
}

/** int4 arithmetic would overflow where SQLite's 64 bits don't. */
function widened(value: Typed): string {
  return value.narrow && value.literal === undefined ? `(${value.sql})::bigint` : value.sql
}

function translateBinary(context: Context, expr: Extract<Expr, { kind: 'binary' }>): Typed {
  const { operator } = expr
  if (operator === 'IS' || operator === 'IS NOT') {
    const tested = translateIs(context, expr)
    if (tested) return tested
  }
  const left = translate(context, expr.left)
  const right = translate(context, expr.right)
  switch (operator) {
    case 'AND':
    case 'OR':
      return { sql: `(${asCondition(left)} ${operator} ${asCondition(right)})`, kind: 'boolean' }
    case '||':
      return { sql: `(${asText(context, left).sql} || ${asText(context, right).sql})`, kind: 'text' }
    case '+':
    case '-':
    case '*':
    case '/':
    case '%':
    case '&':
    case '|':
      return arithmetic(operator, left, right)
    case '<<':
    case '>>':
      throw new Refusal('Shifts are not translated.')
    default:
      return compare(context, operator, left, right)
  }
}

/** IS NULL, and IS TRUE, which asks for truth rather than for 1. */
function translateIs(context: Context, expr: Extract<Expr, { kind: 'binary' }>): Typed | null {
  const { right } = expr
  if (right.kind === 'null')
    return { sql: `(${translate(context, expr.left).sql} ${expr.operator} NULL)`, kind: 'boolean' }
  const word = right.kind === 'name' && !right.quoted && !right.table ? right.name.toUpperCase() : ''
  if ((word !== 'TRUE' && word !== 'FALSE') || context.scope.find(word)) return null
  return { sql: `(${asCondition(translate(context, expr.left))} ${expr.operator} ${word})`, kind: 'boolean' }
}

function arithmetic(operator: string, one: Typed, other: Typed): Typed {
  if (operator === '/' && (one.kind === 'numeric' || other.kind === 'numeric')) {
    const fraction = one.kind === 'real' || other.kind === 'real'
    if (!fraction)
      throw new Refusal('SQLite divides a DECIMAL that holds a whole number without a remainder.')
  }
  if (operator === '%' && (one.kind !== 'integer' || other.kind !== 'integer'))
    throw new Refusal('% of fractions.')
  const [left, right] = [asNumber(one), asNumber(other)]
  const integers = left.kind === 'integer' && right.kind === 'integer'
  if ((operator === '&' || operator === '|') && !integers) throw new Refusal(`${operator} of fractions.`)
  const narrow = integers && narrowed(left) && narrowed(right)
  const a = narrow ? `(${left.sql})::bigint` : left.sql
  const divides = operator === '/' || operator === '%'
  const divisor =
    right.literal !== undefined && Number(right.literal) !== 0 ? right.sql : `NULLIF(${right.sql}, 0)`
  const value: Typed = {
    sql: `(${a} ${operator} ${divides ? divisor : right.sql})`,
    kind: integers ? 'integer' : 'real',
  }
  const [low, high] = [left.atLeast, right.atLeast]
  if (integers && low !== undefined && high !== undefined && low >= 0 && high >= 0) {
    if (operator === '+') value.atLeast = low + high
    else if (operator !== '-') value.atLeast = 0
  }
  return value
}

const narrowed = (value: Typed) => value.narrow === true

function translateIn(context: Context, expr: Extract<Expr, { kind: 'in' }>): Typed {
  if (expr.items.length === 0) return { sql: expr.negated ? 'true' : 'false', kind: 'boolean' }
  const operand = translate(context, expr.operand)
  // The operands of the list have no affinity and no collation of their own.
  const pairs = expr.items.map((item) => {
    const { affinity: _, collation: __, explicit: ___, ...value } = translate(context, item)
    return pair(context, operand, value)
  })
  const left = pairs[0]?.left
  const same = pairs.every((one) => one.left === left)
  const inside = same
    ? `(${left} IN (${pairs.map((one) => one.right).join(', ')}))`
    : `(${pairs.map((one) => `${one.left} = ${one.right}`).join(' OR ')})`
  return { sql: expr.negated ? `(NOT ${inside})` : inside, kind: 'boolean' }
}
