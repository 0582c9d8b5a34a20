import { basename } from 'node:path'
import type BetterSqlite3 from 'better-sqlite3'
import { openPostgres, openSqlite, type StoreHandle } from '@/db/open'
import type { SqliteStatement } from '@/db/sqlite/book'
import type { Traced } from '@/db/traced'
import { type Clock, systemClock } from '@/server/clock'
import type { Log } from '@/server/log'
import { openInspector } from './inspect'
import type { Inspector } from './inspect/types'
import type { FullConfig } from './pool/config'
import type { Leak, PoolConfig, PoolMode, PostgresConfig } from './pool/pool'
import { PostgresCluster, type RoutingConfig, type RoutingDeps } from './routing/cluster'
import type { Topology } from './routing/types'
import { openSqliteFile } from './sqlite/open'
import { type Answer, querySqlite } from './sqlite/query'
import { type DatabaseFigures, type DatabaseStats, figuresOf, statsOf } from './stats'

export type { Quantiles } from '@/server/histogram'
export type {
  Advised,
  AdviseOptions,
  Evidence,
  IndexAdvice,
  IndexProblem,
  IndexShape,
  NoneReason,
  Normalised,
  PrivateConnection,
  ProblemOptions,
  Verdict,
  WorkStatement,
} from './advisor'
export {
  adviseIndexes,
  adviseSqliteIndexes,
  describeIndex,
  findIndexProblems,
  findSqliteIndexProblems,
  normaliseStatement,
} from './advisor'
export { type IndexChanges, openIndexChanges } from './changes'
export { openStatementHistory, type StatementHistory } from './history'
export type {
  IndexFigures,
  Inspector,
  Maintained,
  Maintenance,
  Missing,
  ServerFacts,
  ServerSession,
  ServerSessions,
  StatementFigures,
  StatementPlan,
  Statements,
  TableFigures,
} from './inspect/types'
export { type Operations, openOperations } from './operations'
export type {
  DirectConnection,
  Leak,
  PoolConfig,
  PoolFigures,
  PoolMode,
  PostgresConfig,
} from './pool/pool'
export type { RoutingConfig, RoutingDeps } from './routing/cluster'
export { Position, within } from './routing/position'
export type { NodeFigures, NodeRole, Topology, TopologyEvent } from './routing/types'
export type { DatabaseFigures, DatabaseStats, PostgresFacts, SqliteFacts } from './stats'
export type { ConnectionTest, TestStep, TestStepId, TestStepState, TestTarget } from './test'
export { testConnection } from './test'
export { tlsOptions } from './tls'

async function queryPostgres<Row>(
  cluster: PostgresCluster,
  sql: string,
  params: readonly unknown[] = [],
  { read = false }: { read?: boolean } = {},
): Promise<Answer<Row>> {
  const { query } = read ? cluster.reads : cluster
  const { rows, rowCount } = await query(sql, [...params])
  return { rows: rows as Row[], rowCount: rowCount ?? 0 }
}

const NO_SERVERS = {
  writable: true,
  highestTimeline: null,
  systemIdentifier: null,
  nodes: [],
  events: [],
}

interface Opened {
  /**
   * Runs one statement, its parameters as `?` on SQLite and `$1` on PostgreSQL. With `read` it goes where it
   * disturbs nobody: a thread, a replica. Throws what the database says, or DATABASE_UNAVAILABLE, DATABASE_READ_ONLY.
   */
  query<Row = Record<string, unknown>>(
    sql: string,
    params?: readonly unknown[],
    options?: { read?: boolean },
  ): Promise<Answer<Row>>
  /** The store's handle on it. */
  handle: StoreHandle
  /** Counters and pool at this moment, without a question to the database. */
  figures(): DatabaseFigures
  /** The same with what the database tells about itself. Never throws: `reachable` is false instead. */
  stats(): Promise<DatabaseStats>
  /** How the pool works with what stands between, and what was borrowed too long ago; null on SQLite. */
  pool(): PoolDetail | null
  /** The servers, who is primary, and what changed of late; no servers on SQLite. */
  topology(): Topology
  /** What the database tells about itself and all its clients. */
  inspect: Inspector
  close(): Promise<void>
}

export interface PoolDetail {
  mode: PoolMode
  /** Milliseconds and counts, as configured. */
  limits: Pick<
    FullConfig,
    'min' | 'max' | 'acquireTimeout' | 'connectTimeout' | 'queryTimeout' | 'idleTimeout' | 'leakTimeout'
  >
  leaks: Leak[]
}

function poolDetail(pool: PostgresCluster): PoolDetail {
  const { min, max, acquireTimeout, connectTimeout, queryTimeout, idleTimeout, leakTimeout } = pool.config
  return {
    mode: pool.mode(),
    limits: { min, max, acquireTimeout, connectTimeout, queryTimeout, idleTimeout, leakTimeout },
    leaks: pool.leaks(),
  }
}

export interface SqliteDatabase extends Opened {
  dialect: 'sqlite'
  file: string
  /** The main thread's handle: short reads. Write through it before the first unit, or by `alone`. */
  client: BetterSqlite3.Database
  /** Calls `work` with the main thread's handle while nothing else writes. */
  alone<T>(work: (client: BetterSqlite3.Database) => T): Promise<T>
  /** Closes every connection to the file but `client`. */
  leave(): Promise<void>
  /** What was asked since the start, by text: calls, times, errors. */
  statements(): Readonly<SqliteStatement>[]
}

export interface PostgresDatabase extends Opened {
  dialect: 'postgresql'
  client: PostgresCluster
}

/** The database that the store stands on: what is open, what is counted about it, and its end. */
export type Database = SqliteDatabase | PostgresDatabase

export interface DatabaseDeps {
  log: Log
  clock?: Clock
  /** Gives every statement of the store a span. */
  traced?: Traced | undefined
}

/** Opens a SQLite file, made when it doesn't exist. Throws DATABASE_UNAVAILABLE with one sentence and a remedy. */
export function openSqliteDatabase(
  { clock = systemClock, traced }: DatabaseDeps,
  { file }: { file: string },
): SqliteDatabase {
  const opened = openSqliteFile(file)
  const { client, driver } = opened
  const known = { dialect: 'sqlite' as const, file, ...opened }
  const openedAt = clock.now()
  return {
    dialect: 'sqlite',
    file,
    client,
    handle: openSqlite(driver, traced && { traced, 'db.namespace': basename(file) }),
    query: (sql, params, options) => querySqlite(driver, sql, params, options),
    alone: (work) => driver.alone(work),
    leave: () => driver.leave(),
    statements: () => driver.statements(),
    figures: () => figuresOf(known),
    stats: () => statsOf(known, clock.now(), openedAt),
    pool: () => null,
    topology: () => ({ ...NO_SERVERS, since: openedAt }),
    inspect: openInspector({ openedAt }, known),
    close: () => driver.close(),
  }
}

/**
 * Opens a PostgreSQL server, or a primary with its replicas; connections are made in the background. A server that
 * never answered, or that refuses the role, makes the first use throw DATABASE_UNAVAILABLE with the reason and a
 * remedy. It follows a promotion by itself; while no server takes writes they wait, then throw DATABASE_READ_ONLY.
 *
 *     const database = openPostgresDatabase({ log }, { host, port, …, replicas: [{ host, port }], fenceFile })
 *     const position = new Position(cookie)
 *     await within(position, async () => {
 *       await database.query('INSERT INTO notes (text) VALUES ($1)', ['hello'])
 *       await database.query('SELECT text FROM notes', [], { read: true })   // sees it, from a replica or not
 *     })
 *     position.text()                                                        // for the next request of this session
 */
export function openPostgresDatabase(
  { log, clock = systemClock, topologyChanged, traced }: RoutingDeps,
  config: PostgresConfig & PoolConfig & RoutingConfig,
): PostgresDatabase {
  const pool = new PostgresCluster({ log, clock, topologyChanged }, config)
  const driver = { dialect: 'postgresql' as const, pool }
  const openedAt = clock.now()
  return {
    dialect: 'postgresql',
    client: pool,
    query: (sql, params, options) => queryPostgres(pool, sql, params, options),
    handle: openPostgres(pool, traced && { traced, 'db.namespace': config.database }),
    figures: () => figuresOf(driver),
    stats: () => statsOf(driver, clock.now(), openedAt),
    pool: () => poolDetail(pool),
    topology: () => pool.topology(),
    inspect: openInspector({ openedAt }, driver),
    close: () => pool.close(),
  }
}
