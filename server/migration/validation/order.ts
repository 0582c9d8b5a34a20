import { quoteIdentifier } from '../plan/names'
import { type Bounds, type Key, orderBy, type Scan, within } from '../transfer/ranges'
import type { PlannedTable } from '../types'

export interface DigestTask {
  table: PlannedTable
  schema: string
  bounds: Bounds
  /** The source's texts are UTF-16: their bytes are not those of the target. */
  utf16: boolean
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

/** The rows of a range in the order of the key, for a FROM. */
export function sourceRows({ table }: DigestTask, scan: Scan, range: Bounds): { from: string; values: Key } {
  const { condition, values } = within(scan, range)
  return {
    from: `(SELECT * FROM ${quoteIdentifier(table.source)} WHERE ${condition} ORDER BY ${orderBy(scan)})`,
    values,
  }
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
