import type Database from 'better-sqlite3'
import { quoteIdentifier } from '../plan/names'
import type { PlannedTable } from '../types'
import { decodeKey, scanOf } from './ranges'

const LIST = 'temp."holdfast rejected"'

/** Makes the keys of rejected rows known to this connection, for `accepted`; those of one table at a time. */
export function keepRejected(db: Database.Database, table: PlannedTable, positions: readonly string[]): void {
  db.exec(`DROP TABLE IF EXISTS ${LIST}`)
  if (positions.length === 0) return
  const columns = scanOf(table).columns.map((_, i) => `k${i}`)
  db.exec(`CREATE TABLE ${LIST} (${columns.join(', ')})`)
  const insert = db.prepare(`INSERT INTO ${LIST} VALUES (${columns.map(() => '?').join(', ')})`)
  for (const position of positions) insert.run(...(decodeKey(position) ?? []))
}

/** SQL condition over the source: the row is none of the rejected ones. */
export function accepted(table: PlannedTable, positions: readonly string[]): string {
  if (positions.length === 0) return 'true'
  const keys = scanOf(table).columns
  const key = keys.map(quoteIdentifier).join(', ')
  return `(${key}) NOT IN (SELECT ${keys.map((_, i) => `k${i}`).join(', ')} FROM ${LIST})`
}
