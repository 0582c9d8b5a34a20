import { drizzle as drizzlePg, type NodePgClient, type NodePgDatabase } from 'drizzle-orm/node-postgres'
import { type AsyncRemoteCallback, drizzle as drizzleSqlite } from 'drizzle-orm/sqlite-proxy'
import { isLost, isRetryable } from './errors'
import { tables as pgTables } from './schema/pg'
import { tables as sqliteTables } from './schema/sqlite'
import type { Tables } from './tables'
import { type StatementPlace, tracedPg, tracedSqlite } from './traced'
import type { Unit, Work } from './unit'

export type Dialect = 'sqlite' | 'postgresql'

/** The typed handle of the store, on both dialects: PostgreSQL's type, to which SQLite's is cast here and nowhere else. */
export type Db = NodePgDatabase<Record<string, never>>

/** One open database with the store's tables in it. */
export interface StoreHandle {
  dialect: Dialect
  db: Db
  /** The same for reads that a replica may answer. */
  reads: Db
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
  /** For statements that a replica may answer; absent where there is one server alone. */
  reads?: Pick<PgHandle, 'query'>
}

export interface PgConnection {
  query: NodePgClient['query']
  release(destroy?: boolean): void
  /** COMMIT, where more is made of it. Its error tells when nobody knows what became of the transaction. */
  commit?(): Promise<void>
}

/** What the store needs of a SQLite file: statements, and units one after the other. `rows` are lists of values. */
export interface SqliteHandle {
  query: SqliteQuery
  /** Waits for the turn of a unit. */
  begin(): Promise<SqliteUnit>
}

export type SqliteQuery = (
  sql: string,
  params: readonly unknown[],
  method: 'run' | 'get' | 'all' | 'values',
) => Promise<{ rows: unknown }>

/** One unit's turn, which ends with `commit` or `rollback`. */
export interface SqliteUnit {
  query: SqliteQuery
  commit(): Promise<void>
  rollback(): Promise<void>
}

/**
 * Opens the store on a SQLite file. Units run one after the other, without interleaving; one whose thread dies
 * before its COMMIT is run again.
 */
export function openSqlite(handle: SqliteHandle, place?: StatementPlace): StoreHandle {
  const made = (query: SqliteQuery) => sqliteDb(tracedSqlite(query, place))
  const db = made((sql, params, method) => handle.query(sql, params, method))
  return {
    dialect: 'sqlite',
    db,
    reads: db,
    tables: sqliteTables,
    run: (unit, input) => persistently(() => runOnSqlite(handle, made, { unit, input })),
  }
}

async function runOnSqlite<I, O>(
  handle: SqliteHandle,
  made: (query: SqliteQuery) => Db,
  { unit, input }: { unit: Unit<I, O>; input: I },
): Promise<O> {
  const mine = await handle.begin()
  try {
    const result = await drive(unit.work({ db: made(mine.query), tables: sqliteTables }, input))
    await mine.commit()
    return result
  } catch (error) {
    // What can't be rolled back went with its thread.
    await mine.rollback().catch(() => {})
    throw error
  }
}

function sqliteDb(query: SqliteQuery): Db {
  // The casing is read from the third argument alone.
  return drizzleSqlite(query as AsyncRemoteCallback, undefined, { casing: 'snake_case' }) as unknown as Db
}

/** Times that a unit is run at most. */
const ATTEMPTS = 3

/**
 * Opens the store on a PostgreSQL pool. A unit that loses a deadlock, a serialisation race or its connection is
 * run again, unless it was committing: then nobody knows what became of it, and the error says so.
 */
export function openPostgres(pool: PgHandle, place?: StatementPlace): StoreHandle {
  const made = (client: Pick<PgHandle, 'query'>) => pgDb(tracedPg(client, place))
  const db = made(pool)
  return {
    dialect: 'postgresql',
    db,
    reads: pool.reads ? made(pool.reads) : db,
    tables: pgTables,
    run: (unit, input) => persistently(() => runOnPostgres(pool, made, { unit, input })),
  }
}

async function persistently<T>(once: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await once()
    } catch (error) {
      if (attempt === ATTEMPTS || !isRetryable(error)) throw error
    }
  }
}

async function runOnPostgres<I, O>(
  pool: PgHandle,
  made: (client: Pick<PgHandle, 'query'>) => Db,
  { unit, input }: { unit: Unit<I, O>; input: I },
): Promise<O> {
  const connection = await pool.connect()
  let broken = false
  try {
    await connection.query('BEGIN')
    const result = await drive(unit.work({ db: made(connection), tables: pgTables }, input))
    await (connection.commit?.() ?? connection.query('COMMIT')).catch((error: unknown) => {
      throw isLost(error) ? outcomeUnknown(error) : error
    })
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

/** For connections that can't tell it themselves by `commit`. */
function outcomeUnknown(cause: unknown): Error {
  const error = new Error('The connection broke while a change was being committed.', { cause })
  return Object.assign(error, { details: { reason: 'outcome-unknown' } })
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
