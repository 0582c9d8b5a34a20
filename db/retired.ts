import { chmodSync, existsSync } from 'node:fs'
import BetterSqlite3 from 'better-sqlite3'

/** Where a store that was left lives now. */
export interface Retirement {
  /** UTC milliseconds. */
  at: number
  /** host:port/database, or the path of a SQLite file. */
  movedTo: string
}

/** Key in `meta` of the mark of a store that was left. */
export const RETIRED = 'retired'

/**
 * Marks a SQLite store as left for good, folds its WAL into the file, closes the handle and makes the file
 * read-only. Calling it again changes nothing.
 */
export function retireSqlite(client: BetterSqlite3.Database, retirement: Retirement): void {
  const file = client.name
  client
    .prepare('INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO NOTHING')
    .run(RETIRED, JSON.stringify(retirement))
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

/** Makes a retired file writable, as far as its owner may. Its mark stays. */
export function unlockSqlite(file: string): void {
  chmodSync(file, 0o600)
}

/** Takes the mark off, when the store lives in this file again. Whatever was written to it before is durable then. */
export function unretireSqlite(client: BetterSqlite3.Database): void {
  // A commit that is synchronised takes the log's earlier ones with it.
  client.pragma('synchronous = FULL')
  client.prepare('DELETE FROM meta WHERE key = ?').run(RETIRED)
  client.pragma('synchronous = NORMAL')
}

type Ask = (sql: string, params?: unknown[]) => Promise<{ rows: unknown[] }>

/** Marks a store on PostgreSQL as left. */
export async function retirePostgres(ask: Ask, retirement: Retirement): Promise<void> {
  await ask('INSERT INTO public.meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING', [
    RETIRED,
    JSON.stringify(retirement),
  ])
}

/** Why a start on this store on PostgreSQL is refused, as one sentence; null when it is in use, or new. */
export async function retiredPostgresReason(ask: Ask, place: string): Promise<string | null> {
  const { rows: tables } = await ask(`SELECT to_regclass('public.meta') IS NOT NULL AS is`)
  if (!(tables[0] as { is: boolean }).is) return null
  const { rows } = await ask('SELECT value FROM public.meta WHERE key = $1', [RETIRED])
  const [row] = rows as { value: string }[]
  if (!row) return null
  const { at, movedTo } = JSON.parse(row.value) as Retirement
  return (
    `The store on PostgreSQL at ${place} was left on ${new Date(at).toISOString()}, when the console moved back to ` +
    `SQLite at ${movedTo}: remove DB_TYPE to start there, or name another database.`
  )
}

/** A damaged or foreign file is not judged here: opening it says what is wrong with it. */
export function readRetirement(file: string): Retirement | null {
  if (!existsSync(file)) return null
  let client: BetterSqlite3.Database | undefined
  try {
    client = new BetterSqlite3(file, { readonly: true, fileMustExist: true })
    const row = client.prepare('SELECT value FROM meta WHERE key = ?').get(RETIRED) as
      | { value: string }
      | undefined
    return row ? (JSON.parse(row.value) as Retirement) : null
  } catch {
    return null
  } finally {
    client?.close()
  }
}
