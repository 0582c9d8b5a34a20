import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import BetterSqlite3 from 'better-sqlite3'
import { migratePostgres, migrateSqlite } from '@/db/migrate'
import { openPostgres, openSqlite } from '@/db/open'
import { SqliteDriver } from '@/db/sqlite/driver'
import { Store } from '@/db/store'
import { openPool } from '@/db/testing/pools'
import { startPostgres } from '@/db/testing/servers'
import type { AuditKey } from '@/db/unit'

const migrations = join(process.cwd(), 'db/migrations')

export const chaosAuditKey: AuditKey = { id: 'chaos', key: Buffer.alloc(32, 7) }

interface OpenedStore {
  store: Store
  /** Where other processes find it; empty for SQLite. */
  url: string
  close(): Promise<void>
}

/** A store on a PostgreSQL server of its own, outside of a test run. */
export async function startPostgresStore(): Promise<OpenedStore> {
  const server = await startPostgres()
  const pool = openPool({ connectionString: server.url })
  await migratePostgres(pool, migrations)
  return {
    store: new Store(openPostgres(pool), chaosAuditKey),
    url: server.url,
    async close() {
      await pool.end()
      await server.stop()
    },
  }
}

/** A store in a SQLite file of its own, outside of a test run. */
export async function openSqliteStore(): Promise<OpenedStore> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-chaos-'))
  const client = new BetterSqlite3(join(folder, 'store.sqlite'))
  client.pragma('journal_mode = WAL')
  migrateSqlite(client, migrations)
  const driver = new SqliteDriver(client)
  return {
    store: new Store(openSqlite(driver), chaosAuditKey),
    url: '',
    async close() {
      await driver.close()
      rmSync(folder, { recursive: true })
    },
  }
}
