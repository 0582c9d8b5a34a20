import { from } from 'pg-copy-streams'
import { describe, expect, it } from 'vitest'
import { openPostgres } from '@/db/open'
import { waitUntil } from '@/db/testing/processes'
import { needsPostgres } from '@/db/testing/shared'
import { q, unit } from '@/db/unit'
import { DEFAULTS } from './config'
import { Connection } from './connection'
import { openClient } from './connection-open'
import { jobOf } from './lend'
import { StatementBook } from './pipeline-statement'
import { poolsForTests, queryOf } from './pool.testing'

const KEEP = 'INSERT INTO kept SELECT $1::text FROM pg_sleep($2)'
const ACTIVE = `SELECT count(*)::int AS n FROM pg_stat_activity
                 WHERE datname = current_database() AND state = 'active' AND query LIKE '%pg_sleep%'
                   AND pid <> pg_backend_pid()`

/** A connection on which statements of several callers are on their way at once; `ended` when it is empty. */
async function lane(place: ReturnType<ReturnType<typeof poolsForTests>['place']>) {
  const config = { ...DEFAULTS, ...place, min: 0, max: 1, acquireTimeout: 1_000, idleTimeout: 1_000 }
  const book = new StatementBook({ ms: 0 })
  let empty = () => {}
  const ended = new Promise<void>((resolve) => {
    empty = resolve
  })
  const nothing = () => {}
  const client = await openClient(config, () => connection.die())
  const connection: Connection = new Connection(client, config, book, {
    statement: nothing,
    overdue: nothing,
    trouble: nothing,
    namesFail: nothing,
    homeless: nothing,
    stuckMs: () => 10,
    named: () => false,
    moved: () => {
      if (connection.load > 0) return
      connection.end()
      empty()
    },
  })
  connection.use = 'lane'
  const send = (values: unknown[], timeout: number) =>
    new Promise((resolve, reject) => {
      connection.send(jobOf(book.of(KEEP), KEEP, values, resolve, reject), timeout)
      // What follows is not held back: it is on its way behind the first.
      connection.use = 'alone'
    })
  return { send, ended }
}

describe('deadline of a statement', () => {
  needsPostgres()
  const { open, place } = poolsForTests()
  const kept = async (query: ReturnType<typeof queryOf>) =>
    (await query<{ what: string }>('SELECT what FROM kept ORDER BY what')).rows.map(({ what }) => what)

  it('refuses the caller in time and cancels the statement at the server', async () => {
    const pool = open({ max: 2, queryTimeout: 200 })
    const started = performance.now()
    await expect(queryOf(pool)('SELECT pg_sleep(60)')).rejects.toMatchObject({
      code: 'DATABASE_UNAVAILABLE',
      details: { reason: 'deadline' },
    })
    expect(performance.now() - started).toBeLessThan(10_000)
    const watcher = open()
    await waitUntil(
      'the cancel',
      async () => (await queryOf(watcher)<{ n: number }>(ACTIVE)).rows[0]?.n === 0,
    )
    expect(pool.metrics.statementTimeouts).toBe(1)
    await waitUntil('the end of that connection', async () => pool.metrics.connectionsClosed === 1)
    expect((await queryOf(pool)('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
  })

  it('cancels nothing while a statement of another caller is on the same connection', async () => {
    const query = queryOf(open())
    await query('CREATE TABLE kept (what text)')
    const { send, ended } = await lane(place())
    const order: string[] = []
    const overdue = send(['overdue', 1.5], 300).catch((error) => {
      order.push('refused')
      return error
    })
    const other = send(['other', 0], 0).then(() => order.push('answered'))
    expect(await overdue).toMatchObject({ details: { reason: 'deadline' } })
    await other
    await ended
    expect(order).toEqual(['refused', 'answered'])
    expect(await kept(query)).toEqual(['other', 'overdue'])
  })

  it('cancels when the other callers on the connection are refused as well', async () => {
    const query = queryOf(open())
    await query('TRUNCATE kept')
    const { send, ended } = await lane(place())
    const refused = { details: { reason: 'deadline' } }
    const first = expect(send(['first', 60], 300)).rejects.toMatchObject(refused)
    const second = expect(send(['second', 60], 600)).rejects.toMatchObject(refused)
    await Promise.all([first, second, ended])
    expect(await kept(query)).toEqual([])
  })

  it('ends a transaction whose statement is overdue, and gives its connection to nobody', async () => {
    const pool = open({ max: 1, queryTimeout: 200 })
    const connection = await pool.connect()
    const query = queryOf(connection)
    await query('BEGIN')
    await expect(query('SELECT pg_sleep(60)')).rejects.toMatchObject({ details: { reason: 'deadline' } })
    await query('ROLLBACK').catch(() => {})
    connection.release()
    expect((await queryOf(pool)('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
    expect(pool.metrics.connectionsOpened).toBe(2)
  })
})

describe('life of a connection', () => {
  needsPostgres()
  const { place } = poolsForTests()

  it('ends a tenth sooner or later than configured, each at a time of its own', async () => {
    const config = { ...DEFAULTS, ...place(), min: 0, max: 1, acquireTimeout: 1_000, idleTimeout: 1_000 }
    const client = await openClient(config, () => {})
    const before = Date.now()
    const lives = Array.from({ length: 9 }, () => {
      const book = new StatementBook({ ms: 0 })
      return new Connection(client, config, book, {} as never).retireAt - before
    })
    await client.end()
    const passed = Date.now() - before
    expect(Math.min(...lives)).toBeGreaterThanOrEqual(config.lifetime * 0.9)
    expect(Math.max(...lives)).toBeLessThanOrEqual(config.lifetime * 1.1 + passed)
    expect(new Set(lives.map((life) => Math.round(life / 1_000))).size).toBeGreaterThan(4)
  })
})

describe('transaction of a borrower', () => {
  needsPostgres()
  const { open } = poolsForTests()
  const INSERT = 'INSERT INTO steps VALUES ($1)'
  const steps = async (query: ReturnType<typeof queryOf>) =>
    (await query<{ n: number }>('SELECT n FROM steps ORDER BY n')).rows.map(({ n }) => n)

  it('begins with its first statement, prepared or not, and takes all back together', async () => {
    const pool = open({ max: 1 })
    await queryOf(pool)('CREATE TABLE steps (n int PRIMARY KEY)')
    for (const [first, end] of [
      [10, 'COMMIT'],
      [20, 'ROLLBACK'],
      [30, 'COMMIT'],
      [40, 'ROLLBACK'],
      [50, 'COMMIT'],
    ] as const) {
      const connection = await pool.connect()
      const query = queryOf(connection)
      expect(await query('BEGIN')).toMatchObject({ command: 'BEGIN' })
      expect(await query(INSERT, [first])).toMatchObject({ command: 'INSERT', rowCount: 1 })
      await query(INSERT, [first + 1])
      await query(end)
      connection.release()
    }
    expect(await steps(queryOf(pool))).toEqual([10, 11, 30, 31, 50, 51])
    expect(pool.metrics.connectionsOpened).toBe(1)
  })

  it('is over when its first statement fails, and nothing of it is kept', async () => {
    const pool = open({ max: 1 })
    const connection = await pool.connect()
    const query = queryOf(connection)
    for (let round = 0; round < 3; round++) {
      await query('BEGIN')
      await expect(query(INSERT, [10])).rejects.toMatchObject({ code: '23505' })
      await expect(query(INSERT, [60])).rejects.toMatchObject({ code: '25P02' })
      await query('ROLLBACK')
    }
    connection.release()
    expect(await steps(queryOf(pool))).toEqual([10, 11, 30, 31, 50, 51])
  })

  it('may begin with a COPY', async () => {
    const pool = open({ max: 1 })
    for (const end of ['ROLLBACK', 'COMMIT']) {
      const connection = await pool.connect()
      const query = queryOf(connection)
      await query('BEGIN')
      const stream = (connection.query as unknown as (copy: unknown) => NodeJS.WritableStream)(
        from('COPY steps FROM STDIN'),
      )
      await new Promise<void>((done, fail) => stream.on('finish', done).on('error', fail).end('70\n71\n'))
      await query(end)
      connection.release()
    }
    expect(await steps(queryOf(pool))).toEqual([10, 11, 30, 31, 50, 51, 70, 71])
  })
})

describe('prepared statements of a connection', () => {
  needsPostgres()
  const { open } = poolsForTests()
  const PREPARED = `SELECT count(*)::int AS n FROM pg_prepared_statements WHERE name LIKE 'holdfast%'`
  const count = async (query: ReturnType<typeof queryOf>) => (await query<{ n: number }>(PREPARED)).rows[0]?.n

  it('names a statement from its second use on, and keeps no more than it may', async () => {
    const query = queryOf(open({ max: 1, maxPrepared: 5 }))
    await query('SELECT 0 + $1::int AS n', [1])
    expect(await count(query)).toBe(0)
    for (let round = 0; round < 3; round++) {
      for (let n = 0; n < 20; n++) {
        expect((await query(`SELECT ${n} + $1::int AS n`, [round])).rows).toEqual([{ n: n + round }])
      }
    }
    expect(await count(query)).toBe(5)
  })

  it('prepares nothing by name when it is told so', async () => {
    const query = queryOf(open({ max: 1, prepared: 'off' }))
    for (let n = 0; n < 4; n++) await query('SELECT $1::int AS n', [n])
    expect(await count(query)).toBe(0)
  })

  it('goes on after the table behind a statement has changed', async () => {
    const pool = open({ max: 1 })
    const query = queryOf(pool)
    await query('CREATE TABLE grows (a int)')
    await query('INSERT INTO grows VALUES (1)')
    for (let n = 0; n < 3; n++) expect((await query('SELECT * FROM grows')).rows).toEqual([{ a: 1 }])
    await query('ALTER TABLE grows ADD COLUMN b text')
    for (let n = 0; n < 3; n++) expect((await query('SELECT * FROM grows')).rows).toEqual([{ a: 1, b: null }])
    expect(pool.metrics.errors.size).toBe(0)
  })

  it('tries a unit anew whose table has changed since its statements were prepared', async () => {
    const pool = open({ max: 1 })
    const query = queryOf(pool)
    await query('CREATE TABLE moves (a int)')
    await query('INSERT INTO moves VALUES (1)')
    const store = openPostgres(pool)
    const read = unit('moves.read', function* ({ db }, _: undefined) {
      return (yield* q(db.execute('SELECT * FROM moves'))) as unknown as { rows: unknown[] }
    })
    for (let n = 0; n < 3; n++) expect((await store.run(read, undefined)).rows).toEqual([{ a: 1 }])
    await query('ALTER TABLE moves ADD COLUMN b text')
    expect((await store.run(read, undefined)).rows).toEqual([{ a: 1, b: null }])
  })

  it('tells each caller the real error when preparing fails for many at once', async () => {
    const query = queryOf(open({ max: 1 }))
    const MISSING = 'SELECT * FROM not_there WHERE id = $1'
    await expect(query(MISSING, [1])).rejects.toMatchObject({ code: '42P01' })
    const outcomes = await Promise.allSettled([1, 2, 3, 4].map((id) => query(MISSING, [id])))
    expect(outcomes.map((outcome) => outcome.status === 'rejected' && outcome.reason.code)).toEqual(
      Array(4).fill('42P01'),
    )
  })

  it('gives a connection up whose statements were deallocated', async () => {
    const pool = open({ max: 1 })
    const query = queryOf(pool)
    for (let n = 0; n < 3; n++) await query('SELECT $1::int AS n', [n])
    await query('DEALLOCATE ALL')
    expect((await query('SELECT $1::int AS n', [9])).rows).toEqual([{ n: 9 }])
    expect(pool.metrics.connectionsOpened).toBe(2)
    expect(pool.mode().prepared).toBe(true)
  })
})
