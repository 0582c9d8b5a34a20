import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { waitUntil } from '@/db/testing/processes'
import { startPostgres } from '@/db/testing/servers'
import { createDatabase, needsPostgres, sharedPostgres } from '@/db/testing/shared'
import { openLog } from '@/server/log'
import { startCuttingProxy } from './cutting-proxy.testing'
import { type PoolConfig, PostgresPool } from './pool'

const log = openLog('error', () => {})
const limits: PoolConfig = { min: 1, max: 2, acquireTimeout: 2_000, idleTimeout: 30_000 }

interface Answer<Row> {
  rows: Row[]
}

async function ask<Row>(on: { query: unknown }, sql: string, values?: unknown[]): Promise<Row> {
  const query = on.query as (sql: string, values?: unknown[]) => Promise<Answer<Row>>
  return (await query(sql, values)).rows[0] as Row
}

const pidOf = async (on: { query: unknown }) =>
  (await ask<{ pid: number }>(on, 'SELECT pg_backend_pid() AS pid')).pid

describe('pool of PostgreSQL connections', () => {
  needsPostgres()
  let database: Awaited<ReturnType<typeof createDatabase>>
  const pools: PostgresPool[] = []

  beforeAll(async () => {
    database = await createDatabase()
    return database.drop
  })
  afterEach(async () => {
    await Promise.all(pools.splice(0).map((pool) => pool.close()))
  })

  function open(options: Partial<PoolConfig> = {}): PostgresPool {
    const { host, port, user, password } = sharedPostgres()
    const place = { host, port, user, password, database: database.database }
    const pool = new PostgresPool({ log }, { ...place, ...limits, ...options })
    pools.push(pool)
    return pool
  }

  it('keeps the connection after an ordinary SQL error and counts it by its code', async () => {
    const pool = open({ min: 0, max: 1 })
    const before = await pidOf(pool)
    await ask(pool, 'CREATE TABLE once (n int PRIMARY KEY)')
    await ask(pool, 'INSERT INTO once VALUES ($1)', [1])
    await expect(ask(pool, 'INSERT INTO once VALUES ($1)', [1])).rejects.toMatchObject({ code: '23505' })
    expect(await pidOf(pool)).toBe(before)
    expect(pool.metrics.errors.get('23505')).toBe(1)
    expect(pool.metrics.connectionsOpened).toBe(1)
  })

  it('opens the minimum by itself and refills it', async () => {
    const pool = open({ min: 2, max: 3 })
    await waitUntil('two idle connections', async () => pool.figures().idle === 2)
    const connection = await pool.connect()
    connection.release(true)
    await waitUntil('a new connection', async () => pool.figures().idle === 2)
    expect(pool.metrics.connectionsOpened).toBe(3)
  })

  it('closes what is unused above the minimum', async () => {
    const pool = open({ min: 1, max: 4, idleTimeout: 50 })
    const borrowed = await Promise.all([1, 2, 3, 4].map(() => pool.connect()))
    for (const connection of borrowed) connection.release()
    expect(pool.figures()).toMatchObject({ idle: 4, inUse: 0 })
    await waitUntil('one connection', async () => pool.figures().idle === 1)
  })

  it('serves callers in the order in which they came', async () => {
    const pool = open({ min: 0, max: 1 })
    const first = await pool.connect()
    const order: number[] = []
    const callers = [1, 2, 3].map(async (n) => {
      const connection = await pool.connect()
      order.push(n)
      connection.release()
    })
    expect(pool.figures()).toMatchObject({ inUse: 1, waiting: 3 })
    first.release()
    await Promise.all(callers)
    expect(order).toEqual([1, 2, 3])
  })

  it('tells a caller after the acquire timeout that all connections are in use', async () => {
    const pool = open({ min: 1, max: 1, acquireTimeout: 50 })
    await waitUntil('the connection', async () => pool.figures().idle === 1)
    const connection = await pool.connect()
    await expect(pool.connect()).rejects.toMatchObject({
      code: 'DATABASE_UNAVAILABLE',
      message: expect.stringContaining('all 1 are in use'),
    })
    expect(pool.metrics.acquireTimeouts).toBe(1)
    expect(pool.figures().waiting).toBe(0)
    connection.release()
    expect(await pidOf(pool)).toBeGreaterThan(0)
  })

  it('refuses more waiting callers than the queue holds', async () => {
    const pool = open({ min: 0, max: 1, maxWaiting: 1 })
    const connection = await pool.connect()
    const second = pool.connect()
    await expect(pool.connect()).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' })
    expect(pool.metrics.queueRefusals).toBe(1)
    connection.release()
    ;(await second).release()
  })

  it('renews a connection whose life is over', async () => {
    const pool = open({ min: 0, max: 1, lifetime: 1 })
    const first = await pidOf(pool)
    await waitUntil('another connection', async () => (await pidOf(pool)) !== first)
  })

  it('does not hand on a connection whose borrower left a transaction open', async () => {
    const pool = open({ min: 0, max: 1 })
    const connection = await pool.connect()
    await connection.query('BEGIN')
    connection.release()
    const { now, start } = await ask<{ now: Date; start: Date }>(
      pool,
      'SELECT statement_timestamp() AS now, transaction_timestamp() AS start',
    )
    expect(now).toEqual(start)
    expect(pool.metrics.connectionsClosed).toBe(1)
  })

  it('survives the end of idle and of busy connections and goes on with new ones', async () => {
    const pool = open({ min: 2, max: 2 })
    await waitUntil('two idle connections', async () => pool.figures().idle === 2)
    const busy = await pool.connect()
    const sleeping = ask(busy, 'SELECT pg_sleep(30)')
    const failed = expect(sleeping).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' })
    const { host, port, user, password } = sharedPostgres()
    const other = new PostgresPool({ log }, { ...limits, host, port, user, password, database: 'postgres' })
    pools.push(other)
    await ask(other, 'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [
      database.database,
    ])
    await failed
    busy.release()
    expect(await pidOf(pool)).toBeGreaterThan(0)
  })

  it('ends borrowed connections that do not come back and refuses new callers', async () => {
    const pool = open({ min: 0, max: 1 })
    const connection = await pool.connect()
    const sleeping = expect(ask(connection, 'SELECT pg_sleep(30)')).rejects.toThrow()
    await pool.close(50)
    await sleeping
    await expect(pool.connect()).rejects.toMatchObject({ code: 'SHUTTING_DOWN' })
  })

  it('waits for a server by one limit and for a free connection by another', async () => {
    const sockets: Socket[] = []
    const silent = createServer((socket) => sockets.push(socket)).listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const { port } = silent.address() as AddressInfo
    const place = { host: '127.0.0.1', port, user: 'nobody', password: '', database: 'nothing' }
    const ask = (connectTimeout: number, acquireTimeout: number) => {
      const pool = new PostgresPool({ log }, { ...place, ...limits, connectTimeout, acquireTimeout })
      pools.push(pool)
      return pool.connect()
    }
    const started = performance.now()
    await expect(ask(100, 60_000)).rejects.toThrow('The server did not answer in time.')
    await expect(ask(60_000, 100)).rejects.toThrow('No database connection came free within 0.1 s')
    expect(performance.now() - started).toBeLessThan(20_000)
    for (const socket of sockets) socket.destroy()
    silent.close()
  })

  it('checks idle connections after one was lost, and does not wait for those that are dead without a sign', async () => {
    const { host, port, user, password } = sharedPostgres()
    const proxy = await startCuttingProxy({ host, port }, () => ({
      bytes: Number.MAX_SAFE_INTEGER,
      reset: false,
    }))
    const place = { host: proxy.host, port: proxy.port, user, password, database: database.database }
    const pool = new PostgresPool({ log }, { ...place, ...limits, min: 0, max: 3, acquireTimeout: 20_000 })
    pools.push(pool)
    const borrowed = await Promise.all([1, 2, 3].map(() => pool.connect()))
    const pid = await pidOf(borrowed[0] as (typeof borrowed)[0])
    for (const connection of borrowed) connection.release()
    proxy.hush()
    await ask(open(), 'SELECT pg_terminate_backend($1)', [pid])
    await waitUntil('the loss', async () => pool.metrics.connectionsClosed === 1)
    expect(await pidOf(pool)).toBeGreaterThan(0)
    expect(pool.metrics.statementTimeouts).toBe(0)
    await waitUntil('the end of the silent ones', async () => pool.metrics.connectionsClosed === 3)
    await pool.close()
    await proxy.stop()
  })

  it('reconnects by itself after the server was killed, and tells meanwhile that it is away', async () => {
    const server = await startPostgres()
    const { host, port, user, password, database: name } = server
    const pool = new PostgresPool(
      { log },
      { host, port, user, password, database: name, ...limits, acquireTimeout: 300 },
    )
    pools.push(pool)
    await waitUntil('the connection', async () => pool.figures().idle === 1)
    const before = await pidOf(pool)
    await server.kill9()
    await expect(pidOf(pool)).rejects.toMatchObject({
      code: 'DATABASE_UNAVAILABLE',
      message: expect.stringContaining(String(port)),
    })
    await server.start()
    await waitUntil('the pool', async () => (await pidOf(pool).catch(() => before)) !== before)
    await server.stop()
  })
})
