import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, describe, expect, it } from 'vitest'
import { migratePostgres, migrateSqlite, StoreNewerError } from './migrate'
import type { PgHandle } from './open'
import { tables } from './schema/sqlite'
import { openPool } from './testing/pools'
import { createDatabase, needsPostgres } from './testing/shared'

const migrations = join(import.meta.dirname, 'migrations')
const cleanup: (() => unknown)[] = []

afterEach(async () => {
  for (const undo of cleanup.splice(0).reverse()) await undo()
})

describe('upgrading a SQLite store', () => {
  function openFile(): Database.Database {
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-migrate-'))
    const client = new Database(join(folder, 'store.db'))
    cleanup.push(
      () => rmSync(folder, { recursive: true }),
      () => client.close(),
    )
    return client
  }

  it('makes every table, and does nothing the second time', () => {
    const client = openFile()
    migrateSqlite(client, migrations)
    migrateSqlite(client, migrations)
    const { n } = client
      .prepare(
        `SELECT count(*) AS n FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_\\_%' ESCAPE '\\' AND name NOT LIKE 'sqlite%'`,
      )
      .get() as { n: number }
    expect(n).toBe(Object.keys(tables).length)
  })

  it('refuses a store that a newer release wrote, and leaves it alone', () => {
    const client = openFile()
    migrateSqlite(client, migrations)
    client
      .prepare(`INSERT INTO __drizzle_migrations (hash, created_at) VALUES ('future', 99999999999999)`)
      .run()
    expect(() => migrateSqlite(client, migrations)).toThrow(StoreNewerError)
  })

  it('names the table whose rows point nowhere', () => {
    const client = openFile()
    migrateSqlite(client, migrations)
    client.pragma('foreign_keys = OFF')
    client.exec(`INSERT INTO refresh_tokens VALUES ('r', 'no session', 'h', 'active', 's', null, 1, null)`)
    expect(() => migrateSqlite(client, migrations)).toThrow(
      'Rows of refresh_tokens point to rows that do not exist.',
    )
  })
})

describe('upgrading a PostgreSQL store', () => {
  needsPostgres()

  async function openDatabase(): Promise<PgHandle> {
    const { url, drop } = await createDatabase()
    const pool = openPool({ connectionString: url, max: 8 })
    cleanup.push(drop, () => pool.end())
    return pool as unknown as PgHandle
  }

  it('is done once when four instances start at the same time', async () => {
    const pool = await openDatabase()
    await Promise.all(Array.from({ length: 4 }, () => migratePostgres(pool, migrations)))
    const { rows } = (await pool.query(
      `SELECT count(*)::int AS n FROM drizzle.__drizzle_migrations`,
    )) as unknown as { rows: { n: number }[] }
    expect(rows[0]?.n).toBe(readdirSync(`${migrations}/pg`).filter((name) => name.endsWith('.sql')).length)
  })

  it('refuses a store that a newer release wrote', async () => {
    const pool = await openDatabase()
    await migratePostgres(pool, migrations)
    await pool.query(
      `INSERT INTO drizzle.__drizzle_migrations (hash, created_at) VALUES ('future', 99999999999999)`,
    )
    await expect(migratePostgres(pool, migrations)).rejects.toThrow(StoreNewerError)
  })
})
