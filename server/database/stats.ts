import { statSync } from 'node:fs'
import { type Quantiles, quantiles } from '@/server/histogram'
import { endsWithin } from '@/server/patience'
import type { DatabaseCounts } from './metrics'
import type { PoolFigures } from './pool/pool'
import type { PostgresCluster } from './routing/cluster'
import type { FileFacts, SqliteFile } from './sqlite/open'

/** What is open: a SQLite handle or a PostgreSQL pool. */
export type Driver =
  | ({ dialect: 'sqlite'; file: string } & SqliteFile)
  | { dialect: 'postgresql'; pool: PostgresCluster }

/** What the sampler reads every second: counters in memory, no question to the database. */
export interface DatabaseFigures {
  dialect: 'sqlite' | 'postgresql'
  counts: DatabaseCounts
  /** Null on SQLite, which has no pool: its writes take turns. */
  pool: PoolFigures | null
}

export interface PostgresFacts {
  version: string
  sizeBytes: number
  /** Clients of the server and how many it admits. */
  connections: number
  maxConnections: number
  inRecovery: boolean
  startedAt: number
  /** Share of block reads that the server's own cache answered; null before the first read. */
  cacheHitRatio: number | null
  commits: number
  rollbacks: number
  deadlocks: number
  /** Milliseconds by which the server's clock is ahead of this one, to within half of `roundTrip`; negative: behind. */
  clockAhead: number
}

export interface SqliteFacts extends FileFacts {
  fileBytes: number
  walBytes: number
  /** Whether a unit or a single write runs now, how many wait, and how many had their turn since `openedAt`. */
  writing: boolean
  waiting: number
  writes: number
  /** Reads on the event loop, and in the reading thread, since `openedAt`. */
  inlineReads: number
  threadReads: number
}

/** One shape for both dialects; durations in milliseconds, counters since `openedAt`. */
export interface DatabaseStats {
  dialect: 'sqlite' | 'postgresql'
  /** The file, or host:port/database. */
  place: string
  at: number
  openedAt: number
  /** False when the database did not answer; what is counted here is shown all the same. */
  reachable: boolean
  pool: PoolFigures | null
  queries: number
  errors: Record<string, number>
  connectionFailures: number
  connectionsOpened: number
  connectionsClosed: number
  acquireTimeouts: number
  queueRefusals: number
  statementTimeouts: number
  leaks: number
  queryTime: Quantiles
  waitTime: Quantiles
  /** Milliseconds that reading the facts took. */
  roundTrip: number | null
  postgres: PostgresFacts | null
  sqlite: SqliteFacts | null
}

export function figuresOf(driver: Driver): DatabaseFigures {
  return driver.dialect === 'sqlite'
    ? { dialect: 'sqlite', counts: driver.metrics.counts(), pool: null }
    : { dialect: 'postgresql', counts: driver.pool.counts(), pool: driver.pool.figures() }
}

export async function statsOf(driver: Driver, now: number, openedAt: number): Promise<DatabaseStats> {
  const { counts, pool } = figuresOf(driver)
  const start = performance.now()
  let facts: { postgres: PostgresFacts | null; sqlite: SqliteFacts | null } = { postgres: null, sqlite: null }
  let reachable = true
  try {
    facts =
      driver.dialect === 'sqlite'
        ? { postgres: null, sqlite: sqliteFacts(driver) }
        : { postgres: await postgresFacts(driver.pool), sqlite: null }
  } catch {
    reachable = false
  }
  const { queryTime, waitTime, ...counters } = counts
  return {
    dialect: driver.dialect,
    place: placeOf(driver),
    at: now,
    openedAt,
    reachable,
    pool,
    ...counters,
    queryTime: quantiles(queryTime),
    waitTime: quantiles(waitTime),
    roundTrip: reachable ? performance.now() - start : null,
    ...facts,
  }
}

export function placeOf(driver: Driver): string {
  if (driver.dialect === 'sqlite') return driver.file
  const { host, port, database } = driver.pool.config
  return `${host}:${port}/${database}`
}

function sqliteFacts({ facts, driver, file }: Driver & { dialect: 'sqlite' }): SqliteFacts {
  return {
    ...facts(),
    fileBytes: sizeOf(file),
    walBytes: sizeOf(`${file}-wal`),
    ...driver.figures(),
  }
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0
}

const FACTS = `
  SELECT current_setting('server_version')                                   AS version,
         pg_database_size(current_database())                                AS size,
         (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS connections,
         current_setting('max_connections')                                  AS max_connections,
         pg_is_in_recovery()                                                 AS in_recovery,
         extract(epoch FROM pg_postmaster_start_time()) * 1000               AS started_at,
         extract(epoch FROM clock_timestamp()) * 1000                        AS now,
         blks_hit, blks_read, xact_commit, xact_rollback, deadlocks
    FROM pg_stat_database
   WHERE datname = current_database()`

/** Milliseconds after which the page does without the server's own figures. */
const FACTS_DEADLINE = 2_000

interface Answer {
  rows: Record<string, string | boolean>[]
}

async function postgresFacts(pool: PostgresCluster): Promise<PostgresFacts> {
  const asked = Date.now()
  const asking = pool.query(FACTS) as unknown as Promise<Answer>
  if (!(await endsWithin(FACTS_DEADLINE, asking))) throw new Error('The database did not answer in time.')
  const { rows } = await asking
  const row = rows[0] ?? {}
  const hits = Number(row.blks_hit)
  const reads = hits + Number(row.blks_read)
  return {
    version: String(row.version),
    sizeBytes: Number(row.size),
    connections: Number(row.connections),
    maxConnections: Number(row.max_connections),
    inRecovery: row.in_recovery === true,
    startedAt: Math.round(Number(row.started_at)),
    cacheHitRatio: reads === 0 ? null : hits / reads,
    commits: Number(row.xact_commit),
    rollbacks: Number(row.xact_rollback),
    deadlocks: Number(row.deadlocks),
    clockAhead: Math.round(Number(row.now) - (asked + Date.now()) / 2),
  }
}
