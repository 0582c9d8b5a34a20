import { delimiter } from 'node:path'
import { env } from 'node:process'
import type { Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { from } from 'pg-copy-streams'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { waitUntil } from '@/db/testing/processes'
import { needsPostgres, sharedPostgres } from '@/db/testing/shared'
import { findPgBouncer, pgbouncerMissing, startPgBouncer, versionOf } from './pgbouncer.testing'
import { poolsForTests, queryOf } from './pool.testing'

const binary = findPgBouncer(env.PATH ?? delimiter)
const range = (count: number) => Array.from({ length: count }, (_, n) => n)

describe('behind PgBouncer in transaction mode', () => {
  needsPostgres()
  beforeEach((context) => context.skip(binary === undefined, pgbouncerMissing))
  const { open, place } = poolsForTests()
  let bouncer: { host: string; port: number }

  beforeAll(async () => {
    if (!binary) return undefined
    const started = await startPgBouncer(binary, place(), 3)
    bouncer = started
    return started.stop
  })

  it('is noticed, and nothing is prepared by name or shared', async () => {
    const pool = open({ ...bouncer, max: 6 })
    const query = queryOf(pool)
    const answers = await Promise.all(
      range(200).map((n) => query<{ n: number }>(`SELECT $1::int + ${n % 4} AS n`, [n])),
    )
    expect(answers.map(({ rows }) => rows[0]?.n)).toEqual(range(200).map((n) => n + (n % 4)))
    expect(pool.mode()).toEqual({ pooler: true, prepared: false, pipelined: false, sessions: false })
    expect(pool.metrics.errors.size).toBe(0)
  })

  it('is not seen where there is none', async () => {
    const pool = open()
    await queryOf(pool)('SELECT 1')
    expect(pool.mode()).toEqual({ pooler: false, prepared: true, pipelined: true, sessions: true })
  })

  it('keeps transactions apart and gives every error to its caller', async () => {
    const pool = open({ ...bouncer, max: 8 })
    await queryOf(pool)('CREATE TABLE tally (n int PRIMARY KEY)')
    const outcomes = await Promise.allSettled(
      range(40).map(async (n) => {
        const connection = await pool.connect()
        const query = queryOf(connection)
        try {
          await query('BEGIN')
          await query('INSERT INTO tally VALUES ($1)', [n % 20])
          await query('COMMIT')
        } catch (error) {
          await query('ROLLBACK')
          throw error
        } finally {
          connection.release()
        }
      }),
    )
    const failed = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason.code] : []))
    expect(failed).toEqual(Array(20).fill('23505'))
    expect((await queryOf(pool)('SELECT count(*)::int AS n FROM tally')).rows).toEqual([{ n: 20 }])
  })

  it('survives statements that are prepared by name against better knowledge', async () => {
    const version = versionOf(binary as string)
    const pool = open({ ...bouncer, max: 6, prepared: 'on' })
    const query = queryOf(pool)
    const ask = () =>
      Promise.all(range(60).map((n) => query<{ n: number }>(`SELECT $1::int * ${n % 3} AS n`, [n])))
    for (let round = 0; round < 4; round++) {
      const answers = await ask()
      expect(answers.map(({ rows }) => rows[0]?.n)).toEqual(range(60).map((n) => n * (n % 3)))
    }
    expect({ version, errors: pool.metrics.errors.size }).toEqual({ version, errors: 0 })
  })

  it('cancels an overdue statement through the pooler, and no other', async () => {
    const pool = open({ ...bouncer, max: 4, queryTimeout: 0 })
    const query = queryOf(pool)
    const overdue = query({ text: 'SELECT pg_sleep(60)', query_timeout: 300 })
    const others = range(3).map((n) => query(`SELECT pg_sleep(0.8), ${n}`))
    await expect(overdue).rejects.toMatchObject({ details: { reason: 'deadline' } })
    await Promise.all(others)
    const active = `SELECT count(*)::int AS n FROM pg_stat_activity
                     WHERE datname = current_database() AND state = 'active' AND query LIKE 'SELECT pg_sleep(60)%'`
    const watcher = queryOf(open())
    await waitUntil('the cancel', async () => (await watcher<{ n: number }>(active)).rows[0]?.n === 0)
  })

  it('listens and holds session locks at the direct address', async () => {
    const { host, port } = sharedPostgres()
    const pool = open({ ...bouncer, direct: { host, port } })
    await queryOf(pool)('SELECT 1')
    expect(pool.mode()).toMatchObject({ pooler: true, sessions: true })
    const direct = await pool.direct()
    const heard: string[] = []
    direct.onNotification((channel, payload) => heard.push(`${channel}: ${payload}`))
    await queryOf(direct)('LISTEN news')
    await queryOf(direct)('SELECT pg_advisory_lock(42)')
    await queryOf(pool)(`SELECT pg_notify('news', 'rain')`)
    await waitUntil('the news', async () => heard.length > 0)
    expect(heard).toEqual(['news: rain'])
    expect((await queryOf(open())('SELECT pg_try_advisory_lock(42) AS free')).rows).toEqual([{ free: false }])
    await queryOf(direct)('CREATE TEMP TABLE copied (n int)')
    const copy = direct.query(from('COPY copied FROM STDIN') as never) as unknown as Writable
    copy.end('1\n2\n')
    await finished(copy)
    expect((await queryOf(direct)('SELECT sum(n)::int AS n FROM copied')).rows).toEqual([{ n: 3 }])
    direct.release()
    await waitUntil('the lock', async () => {
      const { rows } = await queryOf(open())<{ free: boolean }>('SELECT pg_try_advisory_lock(42) AS free')
      return rows[0]?.free === true
    })
  })

  it('takes the search path from the role when the pooler refuses start-up options', async () => {
    expect((await queryOf(open({ ...bouncer, schema: 'public' }))('SELECT 1 AS one')).rows).toEqual([
      { one: 1 },
    ])
    await expect(queryOf(open({ ...bouncer, schema: 'elsewhere' }))('SELECT 1')).rejects.toMatchObject({
      code: 'DATABASE_UNAVAILABLE',
      remedy: expect.stringContaining('ALTER ROLE'),
    })
  })
})
