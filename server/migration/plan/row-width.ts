import { MigrationError } from '../failure'
import type { PlannedTable } from '../types'

/** Bytes of a page that one row may take, without what PostgreSQL could move aside (https://www.postgresql.org/docs/current/limits.html). */
const PAGE = 8160
const HEADER = 24

const WIDTHS: Record<string, number> = { boolean: 1, smallint: 2, integer: 4, date: 4 }

/** Throws TARGET_MISMATCH for tables of which every row would be too wide, before anything is written. */
export function refuseWideRows(tables: readonly PlannedTable[]): void {
  const wide = tables.flatMap((table) => {
    const full = table.columns.filter(({ evidence }) => evidence.rows > 0 && evidence.nulls === 0)
    // Texts, blobs and numerics leave a pointer of 18 bytes, or are shorter.
    const bytes = full.reduce(
      (sum, column) => sum + least(column),
      HEADER + Math.ceil(table.columns.length / 8),
    )
    return bytes > PAGE ? [`${table.source} (${bytes.toLocaleString('en')} bytes at least)`] : []
  })
  if (wide.length === 0) return
  throw new MigrationError(
    'TARGET_MISMATCH',
    `Rows of these tables are wider than the ${PAGE.toLocaleString('en')} bytes of PostgreSQL's page: ${wide.join(', ')}.`,
    'Choose narrower types, leave columns out, or split the table in the source.',
  )
}

function least({ type, evidence, render }: PlannedTable['columns'][number]): number {
  if (render === 'text' || render === 'bytes' || render === 'numeric') {
    const values = evidence.rows - evidence.nulls
    return Math.min(18, 1 + Math.floor(evidence.bytes / Math.max(1, values)))
  }
  return WIDTHS[type] ?? 8
}
