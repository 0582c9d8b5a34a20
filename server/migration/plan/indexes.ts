import { indexClauses } from '../source/index-sql'
import type { SourceIndex, SourceTable } from '../source/source'
import { fold } from '../sql/compare'
import { Refusal } from '../sql/cursor'
import { attempt, translateCondition, translateExpression } from '../sql/translate'
import type { Scope } from '../sql/types'
import type { NotCarried, PlannedColumn, PlannedIndex, PlannedTable } from '../types'
import { quoteIdentifier } from './names'
import { tableScope } from './scope'

type Report = (item: NotCarried) => void
type IndexColumn = PlannedIndex['columns'][number]

/** Indexes and UNIQUE constraints that serve and hold the same in PostgreSQL; others are reported. */
export function planIndexes(
  table: SourceTable,
  planned: Pick<PlannedTable, 'columns' | 'target'>,
  name: (wanted: string) => string,
  report: Report,
): PlannedIndex[] {
  const scope = tableScope(table, planned.columns)
  return table.indexes.flatMap((index) => {
    if (index.origin === 'pk') return keyByCollation(table, index, planned, scope, name, report) ?? []
    const found = attempt(() => planIndex(index, planned.columns, scope))
    if ('reason' in found) {
      report({ kind: 'index', name: index.name, reason: found.reason, ...(index.sql && { sql: index.sql }) })
      return []
    }
    const own = index.columns.find(({ collation }) => !/^(BINARY|NOCASE|RTRIM)$/i.test(collation))
    if (own) {
      const by = index.unique ? 'unique by' : 'ordered by'
      const reason = `${own.collation} is the application's own: the index is ${by} its characters.`
      report({ kind: 'collation', name: index.name, reason, ...(index.sql && { sql: index.sql }) })
    }
    const columns = index.columns.map((column) => column.name).join('_')
    const wanted = index.origin === 'u' ? `${table.name}_${columns}_key` : index.name
    return [{ ...found, name: name(wanted) }]
  })
}

function planIndex(
  index: SourceIndex,
  columns: readonly PlannedColumn[],
  scope: Scope,
): Omit<PlannedIndex, 'name'> {
  const { keys, where } = indexClauses(index.sql ?? '')
  const planned = index.columns.map((column, i): IndexColumn => {
    if (column.name === null) return expressionKey(keys[i] ?? '', column, index.unique, scope)
    return columnKey(column.name, column, scope)
  })
  if (index.columns.some((column) => column.descending)) orderNulls(planned, columns)
  const folded = planned.some((column) => column.expression !== undefined)
  // A constraint can't stand on an expression; an index that is unique holds the same.
  const constraint = index.origin === 'u' && !folded
  const result = { unique: index.unique, constraint, columns: planned, ...(index.sql && { sql: index.sql }) }
  if (!index.partial) return result
  const predicate = translateCondition(where ?? '', scope)
  if ('reason' in predicate) throw new Refusal(predicate.reason)
  if (!predicate.immutable) throw new Refusal('Its predicate depends on more than the row.')
  return { ...result, where: predicate.sql }
}

function columnKey(
  name: string,
  { collation, descending }: SourceIndex['columns'][number],
  scope: Scope,
): IndexColumn {
  const column = scope.find(name)
  if (!column) throw new Refusal(`Its column ${name} is left out.`)
  const target = column.sql.slice(1, -1).replaceAll('""', '"')
  const folds = column.kind === 'text' && /^(NOCASE|RTRIM)$/i.test(collation)
  const expression = folds ? fold(column.sql, collation.toUpperCase()) : undefined
  return { target, descending, ...(expression && { expression }) }
}

function expressionKey(
  sql: string,
  { collation, descending }: SourceIndex['columns'][number],
  unique: boolean,
  scope: Scope,
): IndexColumn {
  const found = translateExpression(sql, scope, { idiomatic: !unique && isBinary(collation) })
  if ('reason' in found) throw new Refusal(found.reason)
  if (!found.immutable) throw new Refusal('An expression depends on more than the row.')
  const { value } = found
  if (value.kind === 'other' || value.kind === 'null')
    throw new Refusal('An expression has values of several kinds.')
  const expression = value.kind === 'text' ? fold(value.sql, collation.toUpperCase()) : value.sql
  return { target: expression, descending, expression: `(${expression})` }
}

const isBinary = (collation: string) => collation.toUpperCase() === 'BINARY'

/** SQLite has NULL before everything else: an index that was made for an order keeps the whole of it. */
function orderNulls(keys: IndexColumn[], columns: readonly PlannedColumn[]): void {
  for (const key of keys) {
    if (columns.find((column) => column.target === key.target)?.nullable !== false)
      key.nulls = key.descending ? 'LAST' : 'FIRST'
  }
}

/** PostgreSQL's key compares texts as they are; under another collation a unique index beside it holds what SQLite's did. */
function keyByCollation(
  table: SourceTable,
  index: SourceIndex,
  planned: Pick<PlannedTable, 'target'>,
  scope: Scope,
  name: (wanted: string) => string,
  report: Report,
): PlannedIndex | null {
  if (index.columns.every((column) => isBinary(column.collation))) return null
  const found = attempt(() => index.columns.map((column) => columnKey(column.name ?? '', column, scope)))
  if ('reason' in found) {
    report({
      kind: 'index',
      name: `primary key of ${table.name}`,
      reason: `${found.reason} It is unique by its characters alone.`,
    })
    return null
  }
  if (!found.some((column) => column.expression)) return null
  const columns = found.map((column) => ({ ...column, descending: false }))
  return { name: name(`${planned.target}_pkey_folded`), unique: true, constraint: false, columns }
}

/** The collations of a table's columns that PostgreSQL's comparisons won't follow: listed with what to do. */
export function reportCollations(
  table: SourceTable,
  planned: readonly PlannedColumn[],
  report: Report,
): void {
  for (const column of table.columns) {
    const target = planned.find((one) => one.source === column.name)
    if (!column.collation || !target || target.render !== 'text') continue
    report({
      kind: 'collation',
      name: `${table.name}.${column.name}`,
      reason: collationReason(column.collation, quoteIdentifier(target.target)),
    })
  }
}

function collationReason(collation: string, column: string): string {
  if (collation === 'NOCASE')
    return `NOCASE: indexes, checks, views and triggers fold case as before, but other queries compare by case; write lower(${column} COLLATE "C") = lower(… COLLATE "C").`
  if (collation === 'RTRIM')
    return `RTRIM: indexes, checks, views and triggers pass over spaces at the end as before, but other queries don't; write rtrim(${column}) = rtrim(…).`
  return `${collation} is the application's own: texts compare by their characters.`
}
