import { chmodSync, existsSync } from 'node:fs'
import BetterSqlite3 from 'better-sqlite3'

/** Where the store of a retired file lives now. */
export interface Retirement {
  /** UTC milliseconds. */
  at: number
  /** host:port/database */
  movedTo: string
}

const KEY = 'retired'

/**
 * Marks a SQLite store as left for good, folds its WAL into the file, closes the handle and makes the file
 * read-only. Calling it again changes nothing.
 */
export function retireSqlite(client: BetterSqlite3.Database, retirement: Retirement): void {
  const file = client.name
  client
    .prepare('INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO NOTHING')
    .run(KEY, JSON.stringify(retirement))
  client.pragma('wal_checkpoint(TRUNCATE)')
  client.pragma('journal_mode = DELETE')
  client.close()
  chmodSync(file, 0o444)
}

/** Why a start on this SQLite file is refused, as one sentence; null when it is in use, new, or not readable. */
export function retiredReason(file: string): string | null {
  const retirement = readRetirement(file)
  if (!retirement) return null
  const on = new Date(retirement.at).toISOString()
  return (
    `The SQLite store ${file} was retired on ${on}, when the console moved to PostgreSQL at ${retirement.movedTo}: ` +
    'put store.json back into the data folder, or set DB_TYPE=postgresql and the DB_ variables of that server.'
  )
}

/** A damaged or foreign file is not judged here: opening it says what is wrong with it. */
function readRetirement(file: string): Retirement | null {
  if (!existsSync(file)) return null
  let client: BetterSqlite3.Database | undefined
  try {
    client = new BetterSqlite3(file, { readonly: true, fileMustExist: true })
    const row = client.prepare('SELECT value FROM meta WHERE key = ?').get(KEY) as
      | { value: string }
      | undefined
    return row ? (JSON.parse(row.value) as Retirement) : null
  } catch {
    return null
  } finally {
    client?.close()
  }
}
