import { describeIndex } from './ddl'
import { type Demand, isEquality, type TableDemand, withoutAlias } from './demands'
import type { IndexKey, IndexShape } from './types'
import { columnsBeside } from './usage'

/** A part of a table is worth an index of its own when it holds no more than this share of it. */
const PARTIAL_SHARE = 0.15
/** Columns of an INCLUDE and their bytes: more makes a second table of an index. */
const INCLUDE = { columns: 3, bytes: 32 }

export interface Candidate {
  shape: IndexShape
  demand: TableDemand
}

/** Indexes that could serve what a query asks of a table, from its structure alone; each once. */
export function candidatesFor(demand: TableDemand): Candidate[] {
  const shapes = [...plainShapes(demand), ...partialShapes(demand)].filter(
    ({ keys }) => keys.length > 0 && keys.length <= 3,
  )
  const unique = new Map(shapes.map((shape) => [describeIndex(shape), shape]))
  return [...unique.values()].filter((shape) => !exists(shape, demand)).map((shape) => ({ shape, demand }))
}

/** The same index with the other columns that the query reads, when they are few and narrow. */
export function covering(candidate: Candidate): Candidate | undefined {
  const { shape, demand } = candidate
  const include = columnsBeside(candidate)
  if (!include) return undefined
  const bytes = include.reduce((sum, name) => sum + (demand.table.columns.get(name)?.width ?? 0), 0)
  if (include.length === 0 || include.length > INCLUDE.columns || bytes > INCLUDE.bytes) return undefined
  return { shape: { ...shape, include }, demand }
}

function plainShapes(demand: TableDemand): IndexShape[] {
  const { demands } = demand
  const equal = ordered(demands.filter((each) => isEquality(each) && !each.expression && each.facts.sortable))
  const joins = ordered(demands.filter(({ kind, facts }) => kind === 'join' && facts.sortable))
  const expressions = demands.filter(
    (each) => each.expression && (each.kind === 'equal' || each.kind === 'in'),
  )
  const shape = (keys: IndexKey[]): IndexShape => ({ ...place(demand), keys, include: [], where: null })
  const starts: Demand[][] = [
    [],
    // A truth alone is no key: of its rarer value a partial index is the better form.
    ...equal.filter(({ kind }) => kind !== 'true' && kind !== 'false').map((each) => [each]),
    ...pairs(equal),
    ...(equal.length === 3 ? [equal] : []),
    ...joins.map((each) => [each]),
    ...joins.flatMap((join) =>
      equal.slice(0, 2).flatMap((each) => [
        [join, each],
        [each, join],
      ]),
    ),
    ...pairs(joins).slice(0, 2),
  ]
  return [
    ...starts.flatMap((start) => endings(demand, start.map(column)).map(shape)),
    ...expressions.map((each) => shape([{ name: each.expression as string, expression: true }])),
  ]
}

/** An index on the rows that a constant condition names: their equality columns, range or order, without the constant. */
function partialShapes(demand: TableDemand): IndexShape[] {
  const { demands, table } = demand
  return demands.filter(isPart).flatMap((part) => {
    if (part.rows === null || part.rows > table.rows * PARTIAL_SHARE) return []
    const where = withoutAlias(part.text, demand.source.alias)
    const rest = demands.filter(
      (each) => each !== part && each.facts.name !== part.facts.name && each.facts.sortable,
    )
    const equal = ordered(
      rest.filter((each) => (isEquality(each) || each.kind === 'join') && !each.expression),
    )
    const shape = (keys: IndexKey[]): IndexShape => ({ ...place(demand), keys, include: [], where })
    const starts = [[], ...equal.map((each) => [each])].flatMap((start) =>
      endings(demand, start.map(column), part),
    )
    const useful = starts.filter((keys) => keys.length > 0)
    // Its own column, which is the same in every entry, is a key only where there is no other.
    const itself = useful.length === 0 && part.facts.sortable ? [[column(part)]] : []
    return [...useful, ...itself].map(shape)
  })
}

/** Conditions that hold a constant or need none. */
function isPart(demand: Demand): boolean {
  if (demand.expression) return false
  return demand.constant !== undefined || ['null', 'notNull', 'true', 'false'].includes(demand.kind)
}

/** The keys alone, with the range after them, with the order after them, and with the groups. */
function endings(demand: TableDemand, start: IndexKey[], part?: Demand): IndexKey[][] {
  const taken = new Set(start.map(({ name }) => name))
  if (part) taken.add(part.facts.name)
  const ranges = demand.demands.filter(
    ({ kind, expression, facts }) =>
      (kind === 'range' || kind === 'prefix') && !expression && facts.sortable && !taken.has(facts.name),
  )
  const nullTests = demand.demands.filter(
    ({ kind, facts }) => kind === 'null' && facts.sortable && !taken.has(facts.name),
  )
  const order = demand.order.filter(({ name }) => !taken.has(name))
  return [
    start,
    ...ranges.map((range) => [...start, rangeKey(range)]),
    ...nullTests.map((test) => [...start, column(test)]),
    [...start, ...orderKeys(order)],
    ...(order.length > 1 ? [[...start, ...orderKeys(order.slice(0, 1))]] : []),
    [
      ...start,
      ...demand.group.filter((name) => !taken.has(name)).map((name) => ({ name, expression: false })),
    ],
  ]
}

function rangeKey({ kind, facts }: Demand): IndexKey {
  const operators = kind === 'prefix' && facts.needsPatternOperators ? { operators: 'text_pattern_ops' } : {}
  return { name: facts.name, expression: false, ...operators }
}

/** An index is read backwards as easily: only columns that run against the first need DESC. */
function orderKeys(order: TableDemand['order']): IndexKey[] {
  const mixed = order.some(({ descending }) => descending !== order[0]?.descending)
  return order.map(({ name, descending }) => ({
    name,
    expression: false,
    ...(mixed && descending && { descending }),
  }))
}

const column = ({ facts }: Demand): IndexKey => ({ name: facts.name, expression: false })

/** The most selective first, each column once. */
function ordered(demands: Demand[]): Demand[] {
  const unique = new Map(demands.map((each) => [each.facts.name, each]))
  return [...unique.values()].sort((a, b) => (b.facts.distinct ?? 0) - (a.facts.distinct ?? 0)).slice(0, 3)
}

function pairs<T>(items: T[]): T[][] {
  return items.flatMap((first, at) => items.slice(at + 1).map((second) => [first, second]))
}

const place = ({ table }: TableDemand): Pick<IndexShape, 'schema' | 'table'> => ({
  schema: table.schema,
  table: table.name,
})

/** An index of the table begins with the same keys already, for all rows or for the same part. */
function exists(shape: IndexShape, { table }: TableDemand): boolean {
  return table.indexes.some(
    (index) =>
      index.valid &&
      index.method === 'btree' &&
      bare(index.where) === bare(shape.where) &&
      shape.include.length === 0 &&
      shape.keys.every((key, at) => index.keys[at] === key.name && !key.descending && !key.operators),
  )
}

/** A condition without the casts and parentheses that the database adds to what was written. */
const bare = (where: string | null): string | undefined => where?.replace(/::[a-z ]+|[()\s]/g, '')

/** Whether unique columns of the table are all compared with values: one row at most. */
export function findsOneRow({ demands, table }: TableDemand): boolean {
  const equal = new Set(
    demands.filter((each) => each.kind === 'equal' && !each.expression).map(({ facts }) => facts.name),
  )
  return table.indexes.some(
    (index) =>
      index.unique && index.valid && index.where === null && index.keys.every((key) => equal.has(key)),
  )
}
