import type BetterSqlite3 from 'better-sqlite3'
import { drizzle as drizzleSqlite } from 'drizzle-orm/better-sqlite3'
import { drizzle as drizzlePg, type NodePgClient, type NodePgDatabase } from 'drizzle-orm/node-postgres'
import { isRetryable } from './errors'
import { tables as pgTables } from './schema/pg'
import { tables as sqliteTables } from './schema/sqlite'
import type { Tables } from './tables'
import type { Tx, Unit, Work } from './unit'

export type Dialect = 'sqlite' | 'postgresql'

/** The typed handle of the store, on both dialects: PostgreSQL's type, to which SQLite's is cast here and nowhere else. */
export type Db = NodePgDatabase<Record<string, never>>

/** One open database with the store's tables in it. */
export interface StoreHandle {
  dialect: Dialect
  db: Db
  tables: Tables
  /** Runs a unit in one transaction and answers what it returns. */
  run<I, O>(unit: Unit<I, O>, input: I): Promise<O>
}

/** What the store needs of a PostgreSQL pool: single queries and a connection for a transaction. */
export interface PgHandle {
  query: NodePgClient['query']
  connect(): Promise<PgConnection>
  /** A connection whose session lasts until it is released, past any pooler, without a deadline. */
  direct?(): Promise<PgConnection>
}

export interface PgConnection {
  query: NodePgClient['query']
  release(destroy?: boolean): void
}

/** Opens the store on a SQLite handle. Units run one after the other, without interleaving. */
export function openSqlite(client: BetterSqlite3.Database): StoreHandle {
  const db = drizzleSqlite(client, { casing: 'snake_case' }) as unknown as Db
  const tx: Tx = { db, tables: sqliteTables }
  const runInTransaction = client.transaction(<I, O>(unit: Unit<I, O>, input: I) =>
    driveNow(unit.work(tx, input)),
  )
  return {
    dialect: 'sqlite',
    db,
    tables: sqliteTables,
    run: async <I, O>(unit: Unit<I, O>, input: I) =>
      runInTransaction.immediate(unit as Unit<unknown, unknown>, input) as O,
  }
}

/** Opens the store on a PostgreSQL pool. A unit that loses a deadlock or a serialisation race is run again. */
export function openPostgres(pool: PgHandle): StoreHandle {
  return {
    dialect: 'postgresql',
    db: pgDb(pool),
    tables: pgTables,
    async run(unit, input) {
      for (let attempt = 1; ; attempt++) {
        try {
          return await runOnPostgres(pool, unit, input)
        } catch (error) {
          if (attempt === 3 || !isRetryable(error)) throw error
        }
      }
    },
  }
}

async function runOnPostgres<I, O>(pool: PgHandle, unit: Unit<I, O>, input: I): Promise<O> {
  const connection = await pool.connect()
  let broken = false
  try {
    await connection.query('BEGIN')
    const result = await drive(unit.work({ db: pgDb(connection), tables: pgTables }, input))
    await connection.query('COMMIT')
    return result
  } catch (error) {
    await connection.query('ROLLBACK').catch(() => {
      broken = true
    })
    throw error
  } finally {
    connection.release(broken)
  }
}

function pgDb(client: Pick<PgHandle, 'query'>): Db {
  return drizzlePg(client as unknown as NodePgClient, { casing: 'snake_case' }) as unknown as Db
}

/** Drives a unit whose queries answer later. A failing query ends it: PostgreSQL would commit nothing after one. */
async function drive<O>(work: Work<O>): Promise<O> {
  let step = work.next()
  while (!step.done) step = work.next(await step.value)
  return step.value
}

/** Drives a unit whose queries answer at once: better-sqlite3 is synchronous. */
function driveNow<O>(work: Work<O>): O {
  let step = work.next()
  while (!step.done) step = work.next((step.value as unknown as SyncQuery).prepare().execute().sync())
  return step.value
}

interface SyncQuery {
  prepare(): { execute(): { sync(): unknown } }
}
