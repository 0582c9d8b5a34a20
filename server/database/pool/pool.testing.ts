import { afterEach, beforeAll, beforeEach } from 'vitest'
import { createDatabase, sharedPostgres } from '@/db/testing/shared'
import { openLog } from '@/server/log'
import { type PoolConfig, type PostgresConfig, PostgresPool } from './pool'

export interface Answer<Row> {
  rows: Row[]
  rowCount: number
  command: string
  fields: { name: string; dataTypeID: number }[]
}

export type Query = <Row = Record<string, unknown>>(
  asked: unknown,
  values?: unknown[],
) => Promise<Answer<Row>>

/** The query of a pool or of a lent connection, with the types that these tests need. */
export function queryOf(on: { query: unknown }): Query {
  return on.query as Query
}

/** A database for the tests of one describe block, and pools to it that are closed after each test. */
export function poolsForTests(): {
  open(options?: Partial<PoolConfig & PostgresConfig>, lines?: string[]): PostgresPool
  place(): Pick<PostgresConfig, 'host' | 'port' | 'user' | 'password' | 'database'>
} {
  let database: Awaited<ReturnType<typeof createDatabase>>
  const pools: PostgresPool[] = []
  beforeAll(async () => {
    database = await createDatabase()
    return database.drop
  })
  afterEach(async () => {
    await Promise.all(pools.splice(0).map((pool) => pool.close(500)))
  })
  const place = () => {
    const { host, port, user, password } = sharedPostgres()
    return { host, port, user, password, database: database.database }
  }
  return {
    place,
    open(options = {}, lines = []) {
      const log = openLog('warn', (line) => lines.push(line))
      const limits = { min: 0, max: 2, acquireTimeout: 20_000, connectTimeout: 20_000, idleTimeout: 30_000 }
      const pool = new PostgresPool({ log }, { ...place(), ...limits, ...options })
      pools.push(pool)
      return pool
    },
  }
}

/** What no caller was told of in the tests of one describe block: errors that would end the process. */
export function watchUncaught(): unknown[] {
  const uncaught: unknown[] = []
  const note = (error: unknown) => uncaught.push(error)
  beforeEach(() => {
    uncaught.splice(0)
    process.on('uncaughtExceptionMonitor', note)
    process.on('unhandledRejection', note)
  })
  afterEach(() => {
    process.off('uncaughtExceptionMonitor', note)
    process.off('unhandledRejection', note)
  })
  return uncaught
}
