import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { migrateSqlite } from '@/db/migrate'
import type { Dialect } from '@/db/open'
import { Store } from '@/db/store'
import { createDatabase, emptyStore, sharedPostgres } from '@/db/testing/shared'
import { testAuditKey } from '@/db/testing/stores'
import { system } from '@/server/audit'
import { inputHash, makeGrant } from '@/server/grants'
import { openLog } from '@/server/log'
import { type Database, openPostgresDatabase, openSqliteDatabase } from '..'
import { type IndexChanges, openIndexChanges } from '.'
import type { Source } from './source'

/** A table of 200,000 orders of 5,000 customers, in a store of its own. */
export const ORDERS = 200_000
export const SLOW = 'SELECT id, total FROM orders WHERE customer_id = $1'

export interface Shop {
  store: Store
  database: Database
  source: Source
  clock: { at: number; now(): number }
  /** Asks for the orders of a customer, some times. */
  ask(times: number): Promise<void>
  run(sql: string, params?: unknown[]): Promise<unknown>
  /** Names of the indexes on orders, the unfinished ones marked. */
  indexes(): Promise<string[]>
  open(instance?: string): IndexChanges
  /** A grant for one call, of somebody in the session `one`. */
  privilege(action: 'applyIndex' | 'undoIndex', input: object): Promise<Privilege>
}

type Privilege = Parameters<IndexChanges['apply']>[0]['privilege']

const log = openLog('error', () => {})
const migrations = fileURLToPath(new URL('../../../db/migrations', import.meta.url))
const by = { ...system, actor: 'ada@example.org', actorId: 'ada', sessionId: 'one' }

/** Opens one on either dialect; `later` gets what undoes it. */
export async function openShop(dialect: Dialect, later: (step: () => unknown) => void): Promise<Shop> {
  const database = dialect === 'sqlite' ? openFile(later) : await openServer(later)
  const store = new Store(database.handle, testAuditKey)
  const run = runner(database)
  await fill(dialect, run)
  const clock = { at: Date.now(), now: () => clock.at }
  const source: Source = { ...database }
  return {
    ...{ store, database, source, clock, run },
    async ask(times) {
      const text = dialect === 'sqlite' ? SLOW.replace('$1', '?') : SLOW
      for (let i = 0; i < times; i++) await run(text, [i * 7])
    },
    indexes: async () => (await run(LIST[dialect])).map(({ name }) => String(name)),
    open(instance = randomUUID()) {
      const opened = openIndexChanges({ store, clock, log, instance, database: () => source })
      later(() => opened.close())
      return opened
    },
    async privilege(action, input) {
      const { grantId } = await store.run(makeGrant, {
        ...{ sessionId: 'one', action: `database.${action}`, inputHash: inputHash(input) },
        ...{ method: 'otp', by, now: clock.now() },
      })
      return { by, grantId }
    },
  }
}

type Run = (sql: string, params?: unknown[]) => Promise<Record<string, unknown>[]>

function runner(database: Database): Run {
  return database.dialect === 'sqlite'
    ? async (sql, params = []) => (await database.query(sql, params)).rows
    : async (sql, params = []) =>
        (
          (await database.client.query({
            text: sql,
            values: params,
            query_timeout: 60_000,
          } as never)) as never as {
            rows: Record<string, unknown>[]
          }
        ).rows
}

function openFile(later: (step: () => unknown) => void): Database {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-changes-'))
  later(() => rmSync(folder, { recursive: true, force: true }))
  const database = openSqliteDatabase({ log }, { file: join(folder, 'store.db') })
  later(() => database.close())
  migrateSqlite(database.client, migrations)
  return database
}

async function openServer(later: (step: () => unknown) => void): Promise<Database> {
  const { database: name, drop } = await createDatabase(emptyStore)
  later(drop)
  const { host, port, user, password } = sharedPostgres()
  const place = { host, port, user, password, database: name }
  const limits = { min: 0, max: 6, acquireTimeout: 20_000, connectTimeout: 20_000, idleTimeout: 30_000 }
  const database = openPostgresDatabase({ log }, { ...place, ...limits })
  later(() => database.close())
  return database
}

async function fill(dialect: Dialect, run: Run): Promise<void> {
  await run(
    dialect === 'sqlite'
      ? 'CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL, total INTEGER NOT NULL)'
      : 'CREATE TABLE orders (id integer PRIMARY KEY, customer_id integer NOT NULL, total integer NOT NULL)',
  )
  await run(
    dialect === 'sqlite'
      ? `INSERT INTO orders
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${ORDERS})
         SELECT i, i * 7919 % 5000, i % 1000 FROM n`
      : `INSERT INTO orders SELECT i, (i::bigint * 7919 % 5000)::int, i % 1000 FROM generate_series(1, ${ORDERS}) i`,
  )
  await run('ANALYZE orders')
}

const LIST: Record<Dialect, string> = {
  sqlite: "SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = 'orders' ORDER BY name",
  postgresql: `
    SELECT c.relname || CASE WHEN i.indisvalid THEN '' ELSE ' (invalid)' END AS name
      FROM pg_index i
      JOIN pg_class c ON c.oid = i.indexrelid
     WHERE i.indrelid = 'orders'::regclass AND NOT i.indisprimary
     ORDER BY c.relname`,
}
