import type Database from 'better-sqlite3'
import { quoteIdentifier as q } from '../plan/names'
import { sourceError } from '../source/open'
import { captureName, keysTable, wholeTable } from './install'
import type { Watched } from './watched'

/**
 * Begins a round: holds the application's writes for the moment in which `snapshot` begins its read transactions.
 * They see every key of this round and those before it, and none of the next, in which later writes are noted: so
 * what they see can be brought over and forgotten, whatever is written meanwhile. Answers the round's number.
 */
export async function beginRound(
  db: Database.Database,
  runId: string,
  snapshot: () => Promise<unknown>,
): Promise<number> {
  const name = q(captureName(runId))
  try {
    db.exec('BEGIN IMMEDIATE')
    const round = db.prepare(`SELECT holdfast_round FROM ${name}`).pluck().get() as number
    db.exec(`UPDATE ${name} SET holdfast_round = ${round + 1}`)
    await snapshot()
    db.exec('COMMIT')
    return round
  } catch (error) {
    if (db.inTransaction) db.exec('ROLLBACK')
    throw sourceError(error, db.name)
  }
}

/** Forgets what was noted up to a round; a key that was written to again since is noted in a later one. */
export function endRound(db: Database.Database, runId: string, watched: readonly Watched[], round: number) {
  try {
    db.transaction(() => {
      for (const { key, number } of watched) {
        if (key) db.exec(`DELETE FROM ${q(keysTable(runId, number))} WHERE round <= ${round}`)
      }
      db.exec(`DELETE FROM ${q(wholeTable(runId))} WHERE round <= ${round}`)
    }).immediate()
  } catch (error) {
    throw sourceError(error, db.name)
  }
}

/** Keys that are noted and not yet forgotten; a table that is carried as a whole counts as one. */
export function countNoted(db: Database.Database, runId: string, watched: readonly Watched[]): number {
  const count = (table: string) =>
    db
      .prepare(`SELECT count(*) FROM ${q(table)}`)
      .pluck()
      .get() as number
  return watched.reduce(
    (sum, { key, number }) => sum + (key ? count(keysTable(runId, number)) : 0),
    count(wholeTable(runId)),
  )
}
