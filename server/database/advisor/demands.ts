import type { Predicate } from './conditions'
import type { Query, Source } from './statement'
import type { Column } from './syntax'
import type { ColumnFacts, TableFacts } from './types'

/** A predicate whose column was found in a table. `rows` is filled in by who can estimate. */
export interface Demand extends Predicate {
  facts: ColumnFacts
  /** How many rows of the table the predicate leaves; null while nobody has asked. */
  rows: number | null
}

/** What one query asks of one table that it reads. */
export interface TableDemand {
  query: Query
  source: Source
  table: TableFacts
  demands: Demand[]
  order: { name: string; descending: boolean }[]
  group: string[]
  /** Columns read; null for all of them. */
  columns: string[] | null
  /** Of them those that the query names in one place only. */
  once: Set<string>
}

/** Sorts what a query asks by the tables it asks it of. Tables that nobody knows are left out. */
export function demandsOf(query: Query, tables: ReadonlyMap<Source, TableFacts>): TableDemand[] {
  return query.sources.flatMap((source) => {
    const table = tables.get(source)
    if (!table) return []
    const mine = (column: Column): ColumnFacts | undefined =>
      ownerOf(column, query, tables) === source ? table.columns.get(column.name) : undefined
    const demands = query.predicates.flatMap((predicate) => {
      const facts = mine(predicate.column)
      return facts ? [{ ...predicate, facts, rows: null }] : []
    })
    const order = query.order.map(({ column, descending }) => ({
      facts: mine(column) ?? joinedTo(column, query, tables, mine),
      descending,
    }))
    const group = query.group.map((column) => mine(column)?.name)
    const named = query.columns?.flatMap((column) => mine(column)?.name ?? [])
    const columns = named ? [...new Set(named)] : null
    return [
      {
        query,
        source,
        table,
        demands,
        // An order that begins in one table and ends in another is no index's.
        order: order.every(({ facts }) => facts?.sortable)
          ? order.map(({ facts, descending }) => ({ name: (facts as ColumnFacts).name, descending }))
          : [],
        group: group.every((name) => name !== undefined) ? (group as string[]) : [],
        columns,
        once: new Set(columns?.filter((name) => named?.indexOf(name) === named?.lastIndexOf(name))),
      },
    ]
  })
}

/** The column of this table that a join makes equal to one of another: an order by the one is an order by both. */
function joinedTo(
  column: Column,
  query: Query,
  tables: ReadonlyMap<Source, TableFacts>,
  mine: (column: Column) => ColumnFacts | undefined,
): ColumnFacts | undefined {
  const owner = ownerOf(column, query, tables)
  const equal = query.predicates.find(
    ({ kind, column: own, other }) =>
      kind === 'join' &&
      other?.name === column.name &&
      ownerOf(other, query, tables) === owner &&
      mine(own) !== undefined,
  )
  return equal && mine(equal.column)
}

/** The table that a column belongs to: the alias's, or the only one with a column of this name. */
function ownerOf(column: Column, query: Query, tables: ReadonlyMap<Source, TableFacts>): Source | undefined {
  if (column.alias) {
    return [...query.sources, ...query.outer].find(({ alias }) => alias === column.alias)
  }
  return [...query.sources, ...query.outer].find((source) => tables.get(source)?.columns.has(column.name))
}

/** Whether an equality is asked of a plain column: by a value, a list, another table's column, or a truth. */
export const isEquality = ({ kind }: Predicate): boolean =>
  kind === 'equal' || kind === 'in' || kind === 'true' || kind === 'false'

/** Takes the aliases off a condition, so that it can stand in an index. */
export function withoutAlias(text: string, alias: string): string {
  const name = alias.replace(/[^\w]/g, '\\$&')
  return text.replace(new RegExp(`'(?:[^']|'')*'|"?\\b${name}\\b"?\\s*\\.\\s*`, 'g'), (match) =>
    match.startsWith("'") ? match : '',
  )
}
