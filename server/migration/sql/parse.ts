import type { Token } from '../source/sqltext'
import type { Expr } from './ast'
import { type Cursor, openCursor, Refusal, readName } from './cursor'
import { parseSelect } from './parse-select'

/** A SQLite expression (https://www.sqlite.org/lang_expr.html). Throws a Refusal at what is not understood. */
export function parseExpression(sql: string): Expr {
  const cursor = openCursor(sql)
  const expr = readExpression(cursor)
  cursor.end()
  return expr
}

export function readExpression(cursor: Cursor): Expr {
  let left = readAnd(cursor)
  while (cursor.words('OR')) left = binary('OR', left, readAnd(cursor))
  return left
}

export function readList(cursor: Cursor): Expr[] {
  const items = [readExpression(cursor)]
  while (cursor.symbol(',')) items.push(readExpression(cursor))
  return items
}

function binary(operator: string, left: Expr, right: Expr): Expr {
  return { kind: 'binary', operator, left, right }
}

function readAnd(cursor: Cursor): Expr {
  let left = readNot(cursor)
  while (cursor.words('AND')) left = binary('AND', left, readNot(cursor))
  return left
}

function readNot(cursor: Cursor): Expr {
  if (cursor.words('NOT')) return { kind: 'unary', operator: 'NOT', operand: readNot(cursor) }
  return readEquality(cursor)
}

/** =, IS, IN, LIKE, BETWEEN and ISNULL stand on one level, from left to right. */
function readEquality(cursor: Cursor): Expr {
  let left = readComparison(cursor)
  for (;;) {
    const next = readEqualityTail(cursor, left)
    if (!next) return left
    left = next
  }
}

function readEqualityTail(cursor: Cursor, left: Expr): Expr | null {
  if (cursor.symbol('=') || cursor.symbol('==')) return binary('=', left, readComparison(cursor))
  if (cursor.symbol('<>') || cursor.symbol('!=')) return binary('<>', left, readComparison(cursor))
  if (cursor.words('ISNULL')) return binary('IS', left, { kind: 'null' })
  if (cursor.words('NOTNULL') || cursor.words('NOT', 'NULL')) return binary('IS NOT', left, { kind: 'null' })
  if (cursor.words('IS', 'NOT', 'DISTINCT', 'FROM')) return binary('IS', left, readComparison(cursor))
  if (cursor.words('IS', 'DISTINCT', 'FROM')) return binary('IS NOT', left, readComparison(cursor))
  if (cursor.words('IS', 'NOT')) return binary('IS NOT', left, readComparison(cursor))
  if (cursor.words('IS')) return binary('IS', left, readComparison(cursor))
  const follows = ['BETWEEN', 'IN', 'LIKE', 'GLOB']
  const negated = cursor.isNext('NOT') && follows.includes(cursor.peek(1)?.text.toUpperCase() ?? '')
  if (negated) cursor.next()
  if (cursor.words('BETWEEN')) {
    const low = readComparison(cursor)
    cursor.expectWord('AND')
    return { kind: 'between', negated, operand: left, low, high: readComparison(cursor) }
  }
  if (cursor.words('IN')) return readIn(cursor, left, negated)
  for (const operator of ['LIKE', 'GLOB'] as const) {
    if (!cursor.words(operator)) continue
    const pattern = readComparison(cursor)
    const escaping = cursor.words('ESCAPE') ? readComparison(cursor) : undefined
    return { kind: 'like', negated, operator, operand: left, pattern, ...(escaping && { escape: escaping }) }
  }
  return null
}

function readIn(cursor: Cursor, operand: Expr, negated: boolean): Expr {
  cursor.expectSymbol('(')
  if (cursor.isNext('SELECT')) {
    const query = parseSelect(cursor)
    cursor.expectSymbol(')')
    return { kind: 'inQuery', negated, operand, query }
  }
  if (cursor.symbol(')')) return { kind: 'in', negated, operand, items: [] }
  const items = readList(cursor)
  cursor.expectSymbol(')')
  return { kind: 'in', negated, operand, items }
}

/** A level of operators that group from left to right. */
function level(operators: readonly string[], below: (cursor: Cursor) => Expr): (cursor: Cursor) => Expr {
  return (cursor) => {
    let left = below(cursor)
    for (;;) {
      const operator = operators.find((one) => cursor.symbol(one))
      if (!operator) return left
      left = binary(operator, left, below(cursor))
    }
  }
}

const readConcat = level(['||'], readCollate)
const readProduct = level(['*', '/', '%'], readConcat)
const readSum = level(['+', '-'], readProduct)
const readBits = level(['&', '|', '<<', '>>'], readSum)
const readComparison = level(['<=', '>=', '<', '>'], readBits)

function readCollate(cursor: Cursor): Expr {
  let operand = readUnary(cursor)
  while (cursor.words('COLLATE')) operand = { kind: 'collate', operand, collation: readName(cursor) }
  return operand
}

function readUnary(cursor: Cursor): Expr {
  for (const operator of ['-', '+', '~'] as const) {
    if (cursor.symbol(operator)) return { kind: 'unary', operator, operand: readUnary(cursor) }
  }
  return readPrimary(cursor)
}

function readPrimary(cursor: Cursor): Expr {
  if (cursor.symbol('(')) {
    if (cursor.isNext('SELECT')) {
      const query = parseSelect(cursor)
      cursor.expectSymbol(')')
      return { kind: 'query', query }
    }
    const inner = readExpression(cursor)
    cursor.expectSymbol(')')
    return inner
  }
  const token = cursor.next()
  switch (token.kind) {
    case 'number':
      return { kind: 'number', text: token.text }
    case 'string':
      return { kind: 'text', text: token.text }
    case 'blob':
      return { kind: 'blob', hex: token.text }
    case 'quoted':
    case 'word':
      return readWord(cursor, token)
    default:
      throw new Refusal(`${token.text} is not understood here.`)
  }
}

function readWord(cursor: Cursor, token: Token): Expr {
  if (token.kind === 'word') {
    const word = token.text.toUpperCase()
    const called = cursor.peek()?.text === '('
    if (word === 'NULL') return { kind: 'null' }
    if (word === 'CASE') return readCase(cursor)
    if (word === 'CAST' && called) return readCast(cursor)
    if (word === 'EXISTS' && called) return readExists(cursor)
    if (word === 'RAISE' && called) return readRaise(cursor)
    if (called) return readCall(cursor, token.text)
  }
  if (cursor.symbol('.')) return { kind: 'name', table: token.text, name: readName(cursor) }
  const quoted = token.kind === 'quoted' && token.double === true
  return { kind: 'name', name: token.text, ...(quoted && { quoted: 'double' as const }) }
}

function readCase(cursor: Cursor): Expr {
  const operand = cursor.isNext('WHEN') ? undefined : readExpression(cursor)
  const branches: { when: Expr; result: Expr }[] = []
  while (cursor.words('WHEN')) {
    const when = readExpression(cursor)
    cursor.expectWord('THEN')
    branches.push({ when, result: readExpression(cursor) })
  }
  const otherwise = cursor.words('ELSE') ? readExpression(cursor) : undefined
  cursor.expectWord('END')
  return { kind: 'case', ...(operand && { operand }), branches, ...(otherwise && { otherwise }) }
}

function readCast(cursor: Cursor): Expr {
  cursor.expectSymbol('(')
  const operand = readExpression(cursor)
  cursor.expectWord('AS')
  const words: string[] = []
  while (cursor.peek() && cursor.peek()?.text !== ')') words.push(cursor.next().text)
  cursor.expectSymbol(')')
  return { kind: 'cast', operand, type: words.join(' ') }
}

function readExists(cursor: Cursor): Expr {
  cursor.expectSymbol('(')
  const query = parseSelect(cursor)
  cursor.expectSymbol(')')
  return { kind: 'exists', query }
}

function readRaise(cursor: Cursor): Expr {
  cursor.expectSymbol('(')
  const action = readName(cursor).toUpperCase()
  const message = cursor.symbol(',') ? cursor.next() : undefined
  if (message && message.kind !== 'string') throw new Refusal('RAISE with a computed message.')
  cursor.expectSymbol(')')
  return { kind: 'raise', action, message: message?.text ?? '' }
}

function readCall(cursor: Cursor, name: string): Expr {
  cursor.expectSymbol('(')
  const call = { kind: 'call' as const, name: name.toLowerCase() }
  let expr: Expr
  if (cursor.symbol('*')) {
    cursor.expectSymbol(')')
    expr = { ...call, args: [], star: true }
  } else if (cursor.symbol(')')) expr = { ...call, args: [] }
  else {
    const distinct = cursor.words('DISTINCT')
    expr = { ...call, args: readList(cursor), ...(distinct && { distinct: true as const }) }
    cursor.expectSymbol(')')
  }
  if (cursor.isNext('OVER') || cursor.isNext('FILTER'))
    throw new Refusal('Window functions and FILTER are not translated.')
  return expr
}
