import { MigrationError } from '../failure'
import { quoteIdentifier as q } from '../plan/names'
import { hasBooks } from '../target/checkpoint'
import { dropRejects, readTableRejects, writeRejects } from '../target/rejects'
import { andStorable, misfitsWhere } from '../transfer/misfits'
import { decodeKey, scanOf } from '../transfer/ranges'
import type { Round } from './apply'
import { keysTable } from './install'
import type { Watched } from './watched'

/** SQL condition for the rows of a table that a round brings over. */
export function broughtOver(runId: string, { key, number }: Watched, whole: boolean): string {
  if (whole || !key) return 'true'
  const names = key.map((column) => q(column.source)).join(', ')
  return `(${names}) IN (SELECT ${key.map((_, i) => `k${i}`).join(', ')} FROM ${q(keysTable(runId, number))})`
}

/**
 * Makes the rejected rows of a table what they are in the round's snapshot, inside its transaction: one that was
 * mended or deleted in the source is none any more, and one that was written since may be one.
 */
export async function settleRejects(round: Round, watched: Watched, whole: boolean): Promise<void> {
  const { db, client, runId } = round
  const { table } = watched
  const scan = scanOf(table)
  const noted = broughtOver(runId, watched, whole)
  if (!(await hasBooks(client, runId))) return refuseNew(round, watched, noted)
  const before = await readTableRejects(client, runId, table.source)
  const match = scan.columns.map((name) => `${q(name)} = ?`).join(' AND ')
  const look = db
    .prepare(
      `SELECT ifnull((${noted}) AND ${andStorable('true', table, 'texts')}, 0) FROM ${q(table.source)} WHERE ${match}`,
    )
    .pluck()
  const gone = before.filter((position) => look.get(...(decodeKey(position) ?? [])) !== 0)
  await dropRejects(client, runId, table.source, gone)
  const kept = new Set(before.filter((position) => !gone.includes(position)))
  const found = misfitsWhere(db, table, { condition: noted, values: [] }, 'texts', Number.MAX_SAFE_INTEGER)
  const added = found.filter(({ position }) => !kept.has(position))
  await writeRejects(client, { runId, table: table.source, part: -1 }, added)
}

/** After a run its books are gone, and its rejects are settled: a later row that cannot be stored holds following up. */
function refuseNew({ db, known }: Round, { table }: Watched, noted: string): void {
  const found = misfitsWhere(db, table, { condition: noted, values: [] }, 'texts', Number.MAX_SAFE_INTEGER)
  const first = found.find(({ position }) => !known?.has(position))
  if (!first) return
  const where = first.column ? `, column ${first.column}` : ''
  throw new MigrationError(
    'VALUE_REFUSED',
    `${table.source}, ${first.key}${where}, was written since the copy and cannot be stored: ${first.reason}`,
    'Correct the row in the source: following then goes on by itself.',
    { table: table.source, heals: true },
  )
}
