import {
  type Column,
  columnOf,
  columnsIn,
  hasSubquery,
  isGroup,
  isMark,
  isWord,
  type Node,
  sourceOf,
  split,
  splitAnd,
  splitCommas,
} from './syntax'

/** What a condition asks of one column, or of an expression over columns of one table. */
export interface Predicate {
  kind: 'equal' | 'in' | 'range' | 'prefix' | 'null' | 'notNull' | 'true' | 'false' | 'join' | 'other'
  column: Column
  /** As SQL, when it is more than a column: lower(email). */
  expression?: string
  /** The value as SQL, when the statement holds it as a constant: a part of the table may then be enough. */
  constant?: string
  /** The column of the other table, of a join. */
  other?: Column
  /** The condition as written. */
  text: string
}

const COMPARISONS = ['=', '==', '<', '>', '<=', '>=']
const MIRRORED: Record<string, string> = { '<': '>', '>': '<', '<=': '>=', '>=': '<=' }

/** Reads what is asked in a WHERE or ON; `sql` is the statement that the nodes come from. */
export function readConditions(sql: string, nodes: Node[]): Predicate[] {
  return splitAnd(nodes).flatMap((part) => readCondition(sql, part))
}

function readCondition(sql: string, nodes: Node[]): Predicate[] {
  const [only] = nodes
  if (nodes.length === 1 && isGroup(only) && !isWord(only.nodes[0], 'select'))
    return readConditions(sql, only.nodes)
  const text = sourceOf(sql, nodes)
  if (nodes.some((node) => isWord(node, 'or'))) return alternatives(sql, nodes)
  const column = columnOf(nodes)
  if (column) return [{ kind: 'true', column, text }]
  if (isWord(nodes[0], 'not')) {
    const negated = columnOf(nodes.slice(1))
    return negated ? [{ kind: 'false', column: negated, text }] : other(nodes, text)
  }
  if (isWord(nodes[0], 'exists')) return []
  return (
    isTest(nodes, text) ??
    betweenTest(nodes, text) ??
    inTest(sql, nodes, text) ??
    likeTest(nodes, text) ??
    comparison(sql, nodes, text) ??
    other(nodes, text)
  )
}

/** a = 1 OR a = 2 asks what a IN (1, 2) does; different columns cannot be served by one index. */
function alternatives(sql: string, nodes: Node[]): Predicate[] {
  const parts = split(nodes, (node) => isWord(node, 'or')).map((part) => readCondition(sql, part))
  const first = parts[0]?.[0]
  const same = parts.every(
    ([one, ...more]) =>
      more.length === 0 &&
      (one?.kind === 'equal' || one?.kind === 'in') &&
      !one.expression &&
      one.column.name === first?.column.name &&
      one.column.alias === first.column.alias,
  )
  const text = sourceOf(sql, nodes)
  return same && first ? [{ kind: 'in', column: first.column, text }] : other(nodes, text)
}

function isTest(nodes: Node[], text: string): Predicate[] | undefined {
  const at = nodes.findIndex((node) => isWord(node, 'is', 'isnull', 'notnull'))
  const column = at > 0 ? columnOf(nodes.slice(0, at)) : undefined
  if (!column) return undefined
  const rest = nodes
    .slice(at)
    .map((node) => (node.kind === 'word' ? node.text : '?'))
    .join(' ')
  const kinds: Record<string, Predicate['kind']> = {
    'is null': 'null',
    isnull: 'null',
    'is not null': 'notNull',
    notnull: 'notNull',
    'is true': 'true',
    'is false': 'false',
  }
  return [{ kind: kinds[rest] ?? 'other', column, text }]
}

function betweenTest(nodes: Node[], text: string): Predicate[] | undefined {
  const at = nodes.findIndex((node) => isWord(node, 'between'))
  if (at < 1) return undefined
  const column = columnOf(nodes.slice(0, at))
  return column && isValue(nodes.slice(at + 1)) ? [{ kind: 'range', column, text }] : undefined
}

function inTest(sql: string, nodes: Node[], text: string): Predicate[] | undefined {
  const at = nodes.findIndex((node) => isWord(node, 'in'))
  const list = nodes[at + 1]
  const column = at > 0 ? columnOf(nodes.slice(0, at)) : undefined
  if (!column || !isGroup(list)) return undefined
  // Of a subquery the rows come one by one, as of a join.
  if (isWord(list.nodes[0], 'select')) return [{ kind: 'join', column, text }]
  if (!isValue(list.nodes)) return undefined
  const items = splitCommas(list.nodes)
  const [first] = items
  const single = items.length === 1 && first && isConstant(first) ? sourceOf(sql, first) : undefined
  return [{ kind: single ? 'equal' : 'in', column, text, ...(single && { constant: single }) }]
}

function likeTest(nodes: Node[], text: string): Predicate[] | undefined {
  const at = nodes.findIndex((node) => isWord(node, 'like', 'glob'))
  const column = at > 0 ? columnOf(nodes.slice(0, at)) : undefined
  if (!column) return undefined
  const [pattern] = nodes.slice(at + 1)
  const fixed = pattern?.kind === 'string' && /^'[^%_*?[]/.test(pattern.text)
  // Of a pattern that comes as a parameter nobody knows how it begins.
  return [{ kind: fixed ? 'prefix' : 'other', column, text }]
}

function comparison(sql: string, nodes: Node[], text: string): Predicate[] | undefined {
  const at = nodes.findIndex((node) => isMark(node, ...COMPARISONS))
  const mark = nodes[at]
  if (at < 1 || mark?.kind !== 'mark') return undefined
  const left = nodes.slice(0, at)
  const right = nodes.slice(at + 1)
  const [leftColumn, rightColumn] = [columnOf(left), columnOf(right)]
  if (leftColumn && rightColumn) {
    if (!mark.text.startsWith('=')) return other(nodes, text)
    return [
      { kind: 'join', column: leftColumn, other: rightColumn, text },
      { kind: 'join', column: rightColumn, other: leftColumn, text },
    ]
  }
  if (isValue(right)) return sided(sql, left, mark.text, right, text)
  if (isValue(left)) return sided(sql, right, MIRRORED[mark.text] ?? mark.text, left, text)
  const [column, rest] = leftColumn ? [leftColumn, right] : [rightColumn, left]
  // A column against something of other tables: o.id = i.order_id + 1, or a subquery.
  if (column && mark.text.startsWith('=') && columnsIn(rest).every((each) => each.alias !== column.alias)) {
    return [{ kind: 'join', column, text }]
  }
  return undefined
}

function sided(
  sql: string,
  side: Node[],
  mark: string,
  value: Node[],
  text: string,
): Predicate[] | undefined {
  const equal = mark.startsWith('=')
  const kind = equal ? (isAnyOf(value) ? 'in' : 'equal') : 'range'
  const column = columnOf(side)
  const constant = equal && isConstant(value) ? { constant: sourceOf(sql, value) } : {}
  if (column) {
    const truth =
      equal && value.length === 1 && isWord(value[0], 'true', 'false')
        ? (value[0] as { text: 'true' }).text
        : undefined
    return [{ kind: truth ?? kind, column, text, ...(truth ? {} : constant) }]
  }
  const row = rowColumns(side)
  // (a, b) < (x, y) is a range on a; that b follows is for the order to tell.
  if (row)
    return equal
      ? row.map((each) => ({ kind: 'equal', column: each, text }))
      : [{ kind: 'range', column: row[0] as Column, text }]
  const inside = columnsIn(side)
  const [first] = inside
  if (!first || hasSubquery(side)) return undefined
  return [{ kind, column: first, expression: expressionOf(side), text, ...constant }]
}

function rowColumns(nodes: Node[]): Column[] | undefined {
  const [only] = nodes
  const group = isGroup(only) ? only : isWord(only, 'row') && isGroup(nodes[1]) ? nodes[1] : undefined
  if (!group) return undefined
  const columns = splitCommas(group.nodes).map(columnOf)
  return columns.length > 1 && columns.every((column) => column !== undefined) ? columns : undefined
}

/** The expression without aliases, as an index on it is written. */
export function expressionOf(nodes: Node[]): string {
  let text = ''
  for (let at = 0; at < nodes.length; at++) {
    const node = nodes[at] as Node
    if (isMark(nodes[at + 1], '.') && !isGroup(nodes[at + 3])) {
      at++
      continue
    }
    const part = isGroup(node)
      ? `(${expressionOf(node.nodes)})`
      : node.kind === 'name'
        ? `"${node.text}"`
        : node.text
    const tight = isGroup(node) || /^(,|::|\.)$/.test(part) || /(::|\.)$/.test(text) || text === ''
    text += tight ? part : ` ${part}`
  }
  return text
}

/** Nothing of a table is in it: parameters, literals, now() - interval '1 day'. */
function isValue(nodes: Node[]): boolean {
  return nodes.length > 0 && columnsIn(nodes).length === 0 && !hasSubquery(nodes)
}

function isAnyOf(nodes: Node[]): boolean {
  return isWord(nodes[0], 'any', 'some') && isGroup(nodes[1])
}

function isConstant(nodes: Node[]): boolean {
  const [value, cast, type] = nodes
  const literal = value?.kind === 'string' || value?.kind === 'number'
  return literal && (nodes.length === 1 || (nodes.length === 3 && isMark(cast, '::') && isWord(type)))
}

/** A condition that no plain index serves; it says at least which columns are read. */
function other(nodes: Node[], text: string): Predicate[] {
  return columnsIn(nodes).map((column) => ({ kind: 'other', column, text }))
}
