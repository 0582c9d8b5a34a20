import type pg from 'pg'
import { MigrationError } from '../failure'
import { readRejects } from '../target/rejects'
import type { Plan, RejectedRow, RejectLimits, RunNews, TableProgress } from '../types'

/** Rows in one event. */
const PIECE = 500

export const defaultLimits: RejectLimits = { perTable: 1_000, perRun: 10_000 }

/** Tells all rejected rows of a run: what was told before may have been lost on its way, or been taken back. */
export async function tellRejects(
  deps: { emit(news: RunNews): void },
  client: pg.Client,
  runId: string,
): Promise<void> {
  const rows = await readRejects(client, runId)
  deps.emit({ type: 'rejects', rows: rows.slice(0, PIECE), first: true })
  for (let from = PIECE; from < rows.length; from += PIECE) {
    deps.emit({ type: 'rejects', rows: rows.slice(from, from + PIECE) })
  }
}

export const countRejected = (tables: readonly TableProgress[]) =>
  tables.reduce((sum, table) => sum + table.rejected, 0)

/** Rejected rows of one table, by its name in the target. */
export function countOf(rejects: readonly RejectedRow[], plan: Plan, target: string): number {
  const source = plan.tables.find((table) => table.target === target)?.source
  return rejects.filter((row) => row.table === source).length
}

/** Why a run with these rejected rows may not go on; null: it may. */
export function exceeded(
  tables: readonly TableProgress[],
  limits: RejectLimits = defaultLimits,
): MigrationError | null {
  const table = tables.find(({ rejected }) => rejected > limits.perTable)
  const total = countRejected(tables)
  if (!table && total <= limits.perRun) return null
  const [count, where, limit] = table
    ? [table.rejected, `of table ${table.table}`, limits.perTable]
    : [total, 'of the run', limits.perRun]
  return new MigrationError(
    'REJECTS_EXCEEDED',
    `${count.toLocaleString('en')} rows ${where} can't be stored; the limit is ${limit.toLocaleString('en')}.`,
    'Look at the rejected rows. Then raise the limit and resume, or cancel the run and choose other types.',
    table ? { table: table.table } : {},
  )
}
