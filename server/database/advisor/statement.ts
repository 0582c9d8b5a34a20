import { type Predicate, readConditions } from './conditions'
import {
  type Column,
  columnOf,
  columnsIn,
  type Group,
  isGroup,
  isMark,
  isName,
  isWord,
  type Node,
  split,
  splitCommas,
  treeOf,
} from './syntax'

/** A table that a query reads, under the name that the query gives it. */
export interface Source {
  alias: string
  schema?: string
  table: string
}

export interface Ordered {
  column: Column
  descending: boolean
}

/** One SELECT, UPDATE or DELETE of a statement: each subquery is one of its own. */
export interface Query {
  sources: Source[]
  predicates: Predicate[]
  /** The order asked for, as far as it names plain columns; empty when it begins with something else. */
  order: Ordered[]
  /** Whether only the first rows are wanted: of an order, or the one of min() and max(). */
  limited: boolean
  group: Column[]
  /** Every column read; null when it is all of them. */
  columns: Column[] | null
  /** Sources of the queries around it, which its conditions may name. */
  outer: Source[]
  /** Columns that an UPDATE sets. */
  sets: string[]
}

export interface Statement {
  kind: 'select' | 'insert' | 'update' | 'delete' | 'other'
  queries: Query[]
}

/** Words that begin a clause, in the order in which they are looked for at one level. */
const BEGINS =
  'with select from where group having window order limit offset fetch for returning set using values union intersect except'.split(
    ' ',
  )

/** Finds out what a statement asks of which tables. What it cannot read it leaves out; it never throws. */
export function readStatement(sql: string): Statement {
  const nodes = treeOf(sql).filter((node) => !isMark(node, ';'))
  const main = nodes.find((node) => isWord(node, 'select', 'insert', 'update', 'delete', 'merge', 'values'))
  const kind =
    main?.kind === 'word' && /^(select|insert|update|delete)$/.test(main.text) ? main.text : 'other'
  const queries: Query[] = []
  readLevel(sql, nodes, [], queries)
  return { kind: kind as Statement['kind'], queries }
}

function readLevel(sql: string, nodes: Node[], outer: Source[], queries: Query[]): void {
  for (const part of split(nodes, (node) => isWord(node, 'union', 'intersect', 'except'))) {
    readQuery(sql, part, outer, queries)
  }
}

function readQuery(sql: string, nodes: Node[], outer: Source[], queries: Query[]): void {
  const verbAt = nodes.findIndex((node) => isWord(node, 'select', 'update', 'delete', 'insert'))
  if (verbAt < 0) {
    for (const node of nodes) if (isGroup(node)) readLevel(sql, node.nodes, outer, queries)
    return
  }
  const clause = clauses(nodes.slice(verbAt + 1), isWord(nodes[verbAt], 'delete'))
  const insert = isWord(nodes[verbAt], 'insert')
  const from = readFrom(sql, fromNodes(nodes[verbAt] as Node, clause))
  const withNames = commonNames(nodes.slice(0, verbAt))
  const sources = insert ? [] : from.sources.filter((source) => !withNames.has(source.table))
  const order = (clause.order ?? []).slice(1)
  const select = isWord(nodes[verbAt], 'select') ? clause.head : undefined
  const extreme = select && !clause.group ? extremeOf(select) : undefined
  if (sources.length > 0) {
    queries.push({
      sources,
      outer,
      predicates: [...from.predicates, ...readConditions(sql, clause.where ?? [])],
      order: extreme ? [{ column: extreme, descending: false }] : readOrder(order),
      limited: Boolean(clause.limit || clause.fetch || extreme),
      group: splitCommas((clause.group ?? []).slice(1)).flatMap((part) => columnOf(part) ?? []),
      sets: splitCommas(clause.set ?? []).flatMap(([first]) => (isName(first) ? first.text : [])),
      columns: columnsRead(select, nodes.slice(verbAt + 1)),
    })
  }
  const inner = [...sources, ...outer]
  const deeper = (list: Node[]): void => {
    for (const node of list) {
      if (!isGroup(node)) continue
      if (isQuery(node)) readLevel(sql, node.nodes, inner, queries)
      else deeper(node.nodes)
    }
  }
  deeper(nodes)
  if (insert) {
    const at = nodes.findIndex((node, index) => index > verbAt && isWord(node, 'select'))
    if (at > 0) readQuery(sql, nodes.slice(at), outer, queries)
  }
}

const isQuery = (node: Group): boolean =>
  isWord(node.nodes[0], 'select', 'with', 'update', 'delete', 'insert')

/** The nodes of each clause without the word that begins it; `head` stands before the first. */
function clauses(nodes: Node[], deletes: boolean): Record<string, Node[] | undefined> & { head: Node[] } {
  const found: Record<string, Node[] | undefined> & { head: Node[] } = { head: [] }
  let current = 'head'
  nodes.forEach((node, at) => {
    const word = node.kind === 'word' ? node.text : ''
    // IS DISTINCT FROM is no clause; nor is USING, but in DELETE, where it names tables.
    const begins =
      BEGINS.includes(word) &&
      !(word === 'from' && isWord(nodes[at - 1], 'distinct')) &&
      (word !== 'using' || deletes)
    if (begins) {
      current = word
      found[current] ??= []
    } else (found[current] as Node[]).push(node)
  })
  return found
}

function fromNodes(verb: Node, clause: Record<string, Node[] | undefined> & { head: Node[] }): Node[] {
  if (isWord(verb, 'select')) return clause.from ?? []
  const comma: Node = { kind: 'mark', text: ',', start: 0, end: 0 }
  if (isWord(verb, 'update')) return [...clause.head, ...(clause.from ? [comma, ...clause.from] : [])]
  return [...(clause.from ?? []), ...(clause.using ? [comma, ...clause.using] : [])]
}

const JOINS = ['join', 'inner', 'left', 'right', 'full', 'cross', 'natural', 'outer']

function readFrom(sql: string, nodes: Node[]): { sources: Source[]; predicates: Predicate[] } {
  const sources: Source[] = []
  const predicates: Predicate[] = []
  for (const item of split(nodes, (node) => isMark(node, ',') || isWord(node, ...JOINS))) {
    const on = item.findIndex((node) => isWord(node, 'on', 'using'))
    const table = on < 0 ? item : item.slice(0, on)
    const before = sources.at(-1)
    const [only] = table
    if (table.length === 1 && isGroup(only) && !isQuery(only)) {
      const inner = readFrom(sql, only.nodes)
      sources.push(...inner.sources)
      predicates.push(...inner.predicates)
    } else {
      const source = readSource(table)
      if (source) sources.push(source)
      if (on >= 0 && isWord(item[on], 'using') && source && before) {
        predicates.push(...sameNames(item[on + 1], before, source))
      }
    }
    if (on >= 0 && isWord(item[on], 'on')) predicates.push(...readConditions(sql, item.slice(on + 1)))
  }
  return { sources, predicates }
}

function sameNames(list: Node | undefined, left: Source, right: Source): Predicate[] {
  if (!isGroup(list)) return []
  return splitCommas(list.nodes).flatMap((part) => {
    const name = columnOf(part)?.name
    if (!name) return []
    const [a, b] = [
      { alias: left.alias, name },
      { alias: right.alias, name },
    ]
    const text = `${a.alias}.${name} = ${b.alias}.${name}`
    return [
      { kind: 'join' as const, column: a, other: b, text },
      { kind: 'join' as const, column: b, other: a, text },
    ]
  })
}

/** [schema.]table [AS] alias; a function or a subquery is no table. */
function readSource(nodes: Node[]): Source | undefined {
  let rest = nodes.filter((node) => !isWord(node, 'only', 'lateral'))
  let [first] = rest
  if (!isName(first)) return undefined
  let schema: string | undefined
  const second = rest[2]
  if (isMark(rest[1], '.') && isName(second)) {
    schema = first.text
    first = second
    rest = rest.slice(2)
  }
  if (isGroup(rest[1])) return undefined
  const named = isWord(rest[1], 'as') ? rest[2] : rest[1]
  return { table: first.text, alias: isName(named) ? named.text : first.text, ...(schema && { schema }) }
}

/** Names that WITH gives: they are no tables. */
function commonNames(nodes: Node[]): Set<string> {
  const names = nodes.flatMap((node, at) =>
    isName(node) && !isWord(node, 'recursive', 'materialized') && nodes[at + 1] ? node.text : [],
  )
  return new Set(isWord(nodes[0], 'with') ? names : [])
}

function readOrder(nodes: Node[]): Ordered[] {
  const found: Ordered[] = []
  for (const part of splitCommas(nodes)) {
    const end = part.findIndex((node) => isWord(node, 'asc', 'desc', 'nulls', 'using', 'collate'))
    const column = columnOf(end < 0 ? part : part.slice(0, end))
    // Another order of nulls or another collation is not that of a plain index.
    if (!column || part.some((node) => isWord(node, 'nulls', 'using', 'collate'))) break
    found.push({ column, descending: part.some((node) => isWord(node, 'desc')) })
  }
  return found
}

/** The column of a lone min(x) or max(x), which the first row of an order answers. */
function extremeOf(nodes: Node[]): Column | undefined {
  const [call, group] = nodes
  const alone = nodes.length === 2 || isWord(nodes[2], 'as') || (nodes.length === 3 && isName(nodes[2]))
  return isWord(call, 'min', 'max') && isGroup(group) && alone ? columnOf(group.nodes) : undefined
}

function columnsRead(select: Node[] | undefined, all: Node[]): Column[] | null {
  const star = (select ?? []).some(
    (node, at, list) =>
      isMark(node, '*') && (at === 0 || isMark(list[at - 1], ',', '.') || isWord(list[at - 1], 'distinct')),
  )
  return star || !select ? null : columnsIn(all)
}
