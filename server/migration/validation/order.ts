import { quoteIdentifier } from '../plan/names'
import { type Bounds, type Key, orderBy, type Scan, within } from '../transfer/ranges'
import { accepted } from '../transfer/rejected'
import type { PlannedTable } from '../types'

export interface DigestTask {
  table: PlannedTable
  schema: string
  bounds: Bounds
  /** The source's texts are UTF-16: their bytes are not those of the target. */
  utf16: boolean
  /** Positions of the table's rejected rows: the source is read without them. */
  rejected: string[]
}

/**
 * The source columns by which both engines give rows in one order: an integer primary key. Text keys sort by
 * collation in PostgreSQL, so that their tables are compared as sets of rows.
 */
export function orderedScan(table: PlannedTable): Scan | null {
  if (!table.primaryKey) return null
  const columns = table.primaryKey.columns.map((key) => table.columns.find((column) => column.target === key))
  if (columns.some((column) => column?.render !== 'integer' || column.evidence.nulls > 0)) return null
  return {
    table: table.source,
    columns: columns.map((column) => column?.source as string),
    descending: false,
  }
}

/** The rows of a range that were stored, for a FROM. `by`: INDEXED BY … or NOT INDEXED. */
export function storedRows(
  task: DigestTask,
  scan: Scan,
  range: Bounds,
  by = '',
): { from: string; values: Key } {
  const { condition, values } = within(scan, range)
  const stored = accepted(task.table, task.rejected)
  return { from: `${quoteIdentifier(task.table.source)} ${by} WHERE (${condition}) AND ${stored}`, values }
}

/** The same in the order of the key. Without an index, rows come by rowid anyway. */
export function sourceRows(task: DigestTask, scan: Scan, range: Bounds): { from: string; values: Key } {
  if (task.table.scan.kind === 'rowid' && scan.columns.join() === task.table.scan.name) {
    return storedRows(task, scan, range, 'NOT INDEXED')
  }
  const { from, values } = storedRows(task, scan, range)
  return { from: `(SELECT * FROM ${from} ORDER BY ${orderBy(scan)})`, values }
}

/** The same range in the target. */
export function targetRange(
  table: PlannedTable,
  scan: Scan,
  range: Bounds,
): { where: string; order: string; names: string[] } {
  const names = scan.columns.map((source) =>
    quoteIdentifier(table.columns.find((column) => column.source === source)?.target as string),
  )
  const key = names.length === 1 ? (names[0] as string) : `(${names.join(', ')})`
  const literal = (values: Key) => {
    const items = values.map((value) => `'${value}'::bigint`)
    return items.length === 1 ? items[0] : `(${items.join(', ')})`
  }
  const parts = [
    range.lo && `${key} > ${literal(range.lo)}`,
    range.hi && `${key} <= ${literal(range.hi)}`,
  ].filter(Boolean)
  return { where: parts.length ? `WHERE ${parts.join(' AND ')}` : '', order: names.join(', '), names }
}
