import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type BetterSqlite3 from 'better-sqlite3'
import { drizzle as drizzleSqlite } from 'drizzle-orm/better-sqlite3'
import { migrate as migrateSqliteStore } from 'drizzle-orm/better-sqlite3/migrator'
import { drizzle as drizzlePg, type NodePgClient } from 'drizzle-orm/node-postgres'
import { migrate as migratePgStore } from 'drizzle-orm/node-postgres/migrator'
import { guardPostgres, guardSqlite, unguardPostgres, unguardSqlite } from './audit-guard'
import type { PgConnection, PgHandle } from './open'

/** The schema that holds drizzle's bookkeeping on PostgreSQL. */
export const bookkeeping = { schema: 'drizzle', table: '__drizzle_migrations' }

/** Raised when the store was written by a newer release: an older one must not touch it. */
export class StoreNewerError extends Error {
  override name = 'StoreNewerError'
}

/** Raised when an upgrade of the schema would leave rows that point nowhere. */
export class StoreIntegrityError extends Error {
  override name = 'StoreIntegrityError'
}

export interface MigrateOptions {
  /** False while rows are copied into the store: then nothing refuses changes to its audit log. Default: true. */
  guarded?: boolean
  /** On PostgreSQL: what else is done while every other instance waits. */
  before?: (ask: Ask) => Promise<void>
  after?: (ask: Ask) => Promise<void>
}

/**
 * Brings a SQLite store to this release's schema. Foreign keys are off meanwhile, since a table rebuild would
 * cascade its deletes (SQLite manual, "Making Other Kinds Of Table Schema Changes"), and checked afterwards.
 */
export function migrateSqlite(
  client: BetterSqlite3.Database,
  folder: string,
  { guarded = true }: MigrateOptions = {},
): void {
  const has = client.prepare(`SELECT 1 FROM sqlite_master WHERE name = ?`).get(bookkeeping.table)
  const applied = has
    ? (
        client.prepare(`SELECT max(created_at) AS at FROM ${bookkeeping.table}`).get() as {
          at: number | null
        }
      ).at
    : null
  refuseNewer(applied, join(folder, 'sqlite'))
  client.pragma('foreign_keys = OFF')
  try {
    if (!guarded || applied !== newest(join(folder, 'sqlite'))) unguardSqlite(client)
    migrateSqliteStore(drizzleSqlite(client), { migrationsFolder: join(folder, 'sqlite') })
    const orphans = client.pragma('foreign_key_check') as { table: string }[]
    if (orphans[0])
      throw new StoreIntegrityError(`Rows of ${orphans[0].table} point to rows that do not exist.`)
    if (guarded) guardSqlite(client)
  } finally {
    client.pragma('foreign_keys = ON')
  }
}

/**
 * Brings a PostgreSQL store to this release's schema; a lock lets one instance do it while others wait. The lock
 * belongs to a transaction of a connection of its own: behind a transaction pooler a session has none.
 */
export async function migratePostgres(
  pool: Pick<PgHandle, 'connect' | 'direct'>,
  folder: string,
  options: MigrateOptions = {},
): Promise<void> {
  const open = () => pool.direct?.() ?? pool.connect()
  const holder = await open()
  let broken = true
  try {
    const hold = holder.query.bind(holder) as Ask
    await hold('BEGIN')
    await hold('SET LOCAL idle_in_transaction_session_timeout = 0')
    await hold('SELECT pg_advisory_xact_lock($1)', [MIGRATION_LOCK])
    const connection = await open()
    try {
      await upgrade(connection, folder, options)
    } finally {
      connection.release()
    }
    await hold('COMMIT')
    broken = false
  } finally {
    holder.release(broken)
  }
}

/** Whether a PostgreSQL store is at this release's schema: then it can be read where nobody takes writes. */
export async function isMigrated(pool: PgHandle, folder: string): Promise<boolean> {
  const query = pool.query.bind(pool) as unknown as Ask
  const applied = await appliedAt(query)
  refuseNewer(applied, join(folder, 'pg'))
  return applied !== null && applied >= newest(join(folder, 'pg'))
}

async function appliedAt(query: Ask): Promise<number | null> {
  const table = `${bookkeeping.schema}.${bookkeeping.table}`
  const has = (await query('SELECT to_regclass($1) AS name', [table])).rows[0]?.name
  const at = has ? (await query(`SELECT max(created_at) AS at FROM ${table}`)).rows[0]?.at : null
  return at == null ? null : Number(at)
}

async function upgrade(
  connection: PgConnection,
  folder: string,
  { guarded = true, before, after }: MigrateOptions,
): Promise<void> {
  const query = connection.query.bind(connection) as Ask
  await before?.(query)
  const applied = await appliedAt(query)
  refuseNewer(applied, join(folder, 'pg'))
  if (applied !== null && (!guarded || applied !== newest(join(folder, 'pg')))) await unguardPostgres(query)
  await migratePgStore(drizzlePg(connection as unknown as NodePgClient), {
    migrationsFolder: join(folder, 'pg'),
  })
  if (guarded) await guardPostgres(query)
  await after?.(query)
}

type Ask = (sql: string, params?: unknown[]) => Promise<{ rows: Row[] }>

interface Row {
  name?: string | null
  at?: string | null
}

/** Any fixed number, as long as every release uses the same. */
const MIGRATION_LOCK = 20386911749

/** When the newest migration of a folder was made, UTC milliseconds: it names the schema of a release. */
export function newest(folder: string): number {
  const journal = JSON.parse(readFileSync(join(folder, 'meta', '_journal.json'), 'utf8')) as {
    entries: { when: number }[]
  }
  return Math.max(...journal.entries.map((entry) => entry.when))
}

function refuseNewer(applied: number | null, folder: string): void {
  if (applied !== null && applied > newest(folder)) {
    throw new StoreNewerError(
      'The store was written by a newer release of Holdfast. Start that release, or restore a backup.',
    )
  }
}
