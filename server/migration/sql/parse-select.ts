import type { Order, Select, SelectColumn, Source } from './ast'
import { type Cursor, Refusal, readName } from './cursor'
import { readExpression, readList } from './parse'

/** A plain SELECT of tables and views (https://www.sqlite.org/lang_select.html). Throws a Refusal at anything else. */
export function parseSelect(cursor: Cursor): Select {
  const named = readWith(cursor)
  const select = { ...readCore(cursor), ...(named.length > 0 && { with: named }) }
  for (;;) {
    const operator = cursor.words('UNION', 'ALL')
      ? ('UNION ALL' as const)
      : (['UNION', 'INTERSECT', 'EXCEPT'] as const).find((word) => cursor.words(word))
    if (!operator) break
    select.compound.push({ operator, select: readCore(cursor) })
  }
  if (cursor.words('ORDER', 'BY')) {
    do select.orderBy.push(readOrder(cursor))
    while (cursor.symbol(','))
  }
  if (cursor.words('LIMIT')) {
    select.limit = readExpression(cursor)
    if (cursor.words('OFFSET')) select.offset = readExpression(cursor)
    else if (cursor.symbol(',')) {
      select.offset = select.limit
      select.limit = readExpression(cursor)
    }
  }
  return select
}

function readWith(cursor: Cursor): NonNullable<Select['with']> {
  const named: NonNullable<Select['with']> = []
  if (!cursor.words('WITH')) return named
  if (cursor.isNext('RECURSIVE')) throw new Refusal('WITH RECURSIVE is not translated.')
  do {
    const name = readName(cursor)
    let columns: string[] | null = null
    if (cursor.symbol('(')) {
      columns = [readName(cursor)]
      while (cursor.symbol(',')) columns.push(readName(cursor))
      cursor.expectSymbol(')')
    }
    cursor.expectWord('AS')
    cursor.expectSymbol('(')
    named.push({ name, columns, query: parseSelect(cursor) })
    cursor.expectSymbol(')')
  } while (cursor.symbol(','))
  return named
}

function readCore(cursor: Cursor): Select {
  cursor.expectWord('SELECT')
  const distinct = cursor.words('DISTINCT')
  if (!distinct) cursor.words('ALL')
  const columns = [readColumn(cursor)]
  while (cursor.symbol(',')) columns.push(readColumn(cursor))
  const from = cursor.words('FROM') ? readFrom(cursor) : []
  const where = cursor.words('WHERE') ? readExpression(cursor) : undefined
  const groupBy = cursor.words('GROUP', 'BY') ? readList(cursor) : []
  const having = cursor.words('HAVING') ? readExpression(cursor) : undefined
  if (cursor.isNext('WINDOW')) throw new Refusal('Window functions are not translated.')
  return {
    distinct,
    columns,
    from,
    ...(where && { where }),
    groupBy,
    ...(having && { having }),
    compound: [],
    orderBy: [],
  }
}

function readColumn(cursor: Cursor): SelectColumn {
  if (cursor.symbol('*')) return { star: true }
  if (cursor.peek(1)?.text === '.' && cursor.peek(2)?.text === '*') {
    const table = readName(cursor)
    cursor.next()
    cursor.next()
    return { star: true, table }
  }
  const value = readExpression(cursor)
  if (cursor.words('AS')) return { value, alias: readName(cursor) }
  const follows = cursor.peek()
  const alias = follows && (follows.kind === 'quoted' || follows.kind === 'string' || isAlias(follows.text))
  return alias && follows.kind !== 'symbol' ? { value, alias: readName(cursor) } : { value }
}

const CLAUSES = new Set(
  'FROM WHERE GROUP HAVING ORDER LIMIT UNION INTERSECT EXCEPT WINDOW ON USING JOIN LEFT RIGHT FULL INNER CROSS NATURAL OUTER SET INDEXED NOT'.split(
    ' ',
  ),
)

function isAlias(text: string): boolean {
  return /^[A-Za-z_\u0080-\uffff]/.test(text) && !CLAUSES.has(text.toUpperCase())
}

function readFrom(cursor: Cursor): Source[] {
  const sources = [readSource(cursor, 'CROSS')]
  for (;;) {
    const join = readJoin(cursor)
    if (!join) return sources
    const source = readSource(cursor, join)
    if (cursor.words('ON')) source.on = readExpression(cursor)
    else if (cursor.words('USING')) {
      cursor.expectSymbol('(')
      source.using = [readName(cursor)]
      while (cursor.symbol(',')) source.using.push(readName(cursor))
      cursor.expectSymbol(')')
    }
    sources.push(source)
  }
}

function readJoin(cursor: Cursor): Source['join'] | null {
  if (cursor.symbol(',') || cursor.words('CROSS', 'JOIN')) return 'CROSS'
  if (cursor.words('JOIN') || cursor.words('INNER', 'JOIN')) return 'INNER'
  if (cursor.words('LEFT', 'JOIN') || cursor.words('LEFT', 'OUTER', 'JOIN')) return 'LEFT'
  for (const word of ['NATURAL', 'RIGHT', 'FULL']) {
    if (cursor.isNext(word)) throw new Refusal(`${word} joins are not translated.`)
  }
  return null
}

function readSource(cursor: Cursor, join: Source['join']): Source {
  if (cursor.symbol('(')) {
    if (!cursor.isNext('SELECT')) throw new Refusal('Parentheses in FROM are not translated.')
    const query = parseSelect(cursor)
    cursor.expectSymbol(')')
    return { table: '', query, alias: readAlias(cursor) ?? 'query', join }
  }
  let table = readName(cursor)
  if (cursor.symbol('.')) {
    if (table.toLowerCase() !== 'main') throw new Refusal(`${table} is another database.`)
    table = readName(cursor)
  }
  if (cursor.peek()?.text === '(') throw new Refusal(`The table function ${table} is not translated.`)
  return { table, alias: readAlias(cursor) ?? table, join }
}

function readAlias(cursor: Cursor): string | null {
  const follows = cursor.peek()
  const named =
    cursor.words('AS') ||
    (follows && follows.kind !== 'symbol' && (follows.kind === 'quoted' || isAlias(follows.text)))
  return named ? readName(cursor) : null
}

function readOrder(cursor: Cursor): Order {
  const value = readExpression(cursor)
  const descending = cursor.words('DESC')
  if (!descending) cursor.words('ASC')
  const nulls = cursor.words('NULLS', 'FIRST')
    ? ('FIRST' as const)
    : cursor.words('NULLS', 'LAST')
      ? ('LAST' as const)
      : undefined
  return { value, descending, ...(nulls && { nulls }) }
}
