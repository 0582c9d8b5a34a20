import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import BetterSqlite3 from 'better-sqlite3'
import { afterEach, describe } from 'vitest'
import { migrateSqlite } from '../migrate'
import { type Dialect, openPostgres, openSqlite } from '../open'
import { SqliteDriver } from '../sqlite/driver'
import { Store } from '../store'
import type { AuditKey } from '../unit'
import { openPool } from './pools'
import { createDatabase, emptyStore, needsPostgres } from './shared'

const migrations = fileURLToPath(new URL('../migrations', import.meta.url))

/** The key that signs the audit events of test stores. */
export const testAuditKey: AuditKey = { id: 'test', key: new Uint8Array(32).fill(7) }

/** Opens an empty store at this release's schema, in a file or database of its own. It goes when the test ends. */
export type OpenStore = (options?: { connections?: number }) => Promise<Store>

/** Runs the same tests on both dialects: `describeStores((open, dialect) => { it('…', async () => { const store = await open() … }) })`. */
export function describeStores(body: (open: OpenStore, dialect: Dialect) => void): void {
  for (const dialect of ['sqlite', 'postgresql'] as const) {
    describe(`on ${dialect}`, () => {
      if (dialect === 'postgresql') needsPostgres()
      const undo: (() => unknown)[] = []
      afterEach(async () => {
        for (const step of undo.splice(0).reverse()) await step()
      })
      body(
        (options) =>
          dialect === 'sqlite'
            ? openTestSqlite((step) => undo.push(step))
            : openTestPostgres((step) => undo.push(step), options?.connections ?? 10),
        dialect,
      )
    })
  }
}

/** An empty SQLite store at this release's schema as its file holds it, made once a process: a copy is quicker. */
let empty: Buffer | undefined

function emptySqlite(folder: string): Buffer {
  const file = join(folder, 'empty.sqlite')
  const client = new BetterSqlite3(file)
  migrateSqlite(client, migrations)
  client.close()
  return readFileSync(file)
}

/** A SQLite store in a temporary file; `later` gets what undoes it. */
export async function openTestSqlite(later: (step: () => unknown) => void): Promise<Store> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-store-'))
  later(() => rmSync(folder, { recursive: true, force: true }))
  empty ??= emptySqlite(folder)
  writeFileSync(join(folder, 'store.sqlite'), empty)
  const client = new BetterSqlite3(join(folder, 'store.sqlite'))
  client.pragma('journal_mode = WAL')
  client.pragma('synchronous = NORMAL')
  client.pragma('foreign_keys = ON')
  const driver = new SqliteDriver(client)
  later(() => driver.close())
  return new Store(openSqlite(driver), testAuditKey)
}

/** A PostgreSQL store in a database of its own on the run's server; `later` gets what undoes it. */
export async function openTestPostgres(
  later: (step: () => unknown) => void,
  connections = 10,
): Promise<Store> {
  const { url, drop } = await createDatabase(emptyStore)
  later(drop)
  const pool = openPool({ connectionString: url, max: connections })
  later(() => pool.end())
  return new Store(openPostgres(pool), testAuditKey)
}
