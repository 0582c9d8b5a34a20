import { Client } from 'pg'
import { describe, expect, it } from 'vitest'
import { random } from '@/db/testing/library'
import { waitUntil } from '@/db/testing/processes'
import { needsPostgres } from '@/db/testing/shared'
import { startCuttingProxy } from './cutting-proxy.testing'
import { poolsForTests, queryOf, watchUncaught } from './pool.testing'

const ECHO = 'SELECT $1::int AS n, repeat($2, 400) AS filler'
const NOTE = 'INSERT INTO acts (id, part) VALUES ($1, $2)'
const CALLERS = 24

describe('connections cut at random moments under load', () => {
  needsPostgres()
  const { open, place } = poolsForTests()
  const uncaught = watchUncaught()

  it.each([1, 2])(
    'loses no acknowledged write and no caller, by seed %i',
    async (seed) => {
      const below = random(seed)
      const proxy = await startCuttingProxy(place(), () => ({
        // Now and then while it is being opened.
        bytes: below(5) === 0 ? below(600) : 600 + below(20_000),
        reset: below(2) === 0,
      }))
      const pool = open({ host: proxy.host, port: proxy.port, max: 5, min: 2 })
      const watcher = new Client(place())
      watcher.on('error', () => {})
      await watcher.connect()
      await watcher.query('CREATE TABLE IF NOT EXISTS acts (id int, part int, PRIMARY KEY (id, part))')
      await watcher.query('TRUNCATE acts')
      const query = queryOf(pool)
      const codes = new Set<unknown>()
      const written: number[] = []
      const pairs: number[] = []
      let last = 0
      let stop = false
      let terminated = 0

      async function read(): Promise<void> {
        const n = below(1_000_000)
        const { rows } = await query<{ n: number }>(ECHO, [n, 'x'])
        if (rows.length !== 1 || rows[0]?.n !== n) codes.add(`${n} was answered by ${rows[0]?.n}`)
      }
      async function write(): Promise<void> {
        const id = ++last
        await query(NOTE, [id, 1])
        written.push(id)
      }
      async function refused(): Promise<void> {
        await query(NOTE, [0, 0]).catch((error: { code?: string }) => {
          if (error.code !== '23505') throw error
        })
      }
      async function writeTwo(): Promise<void> {
        const id = ++last
        const connection = await pool.connect()
        const asked = queryOf(connection)
        try {
          await asked('BEGIN')
          await asked(NOTE, [id, 1])
          await asked(NOTE, [id, 2])
          await asked('COMMIT')
          pairs.push(id)
        } catch (error) {
          await asked('ROLLBACK').catch(() => {})
          throw error
        } finally {
          connection.release()
        }
      }
      async function terminate(): Promise<void> {
        const { rowCount } = await watcher.query(
          `SELECT pg_terminate_backend(pid)
           FROM (SELECT pid FROM pg_stat_activity
                  WHERE datname = current_database() AND pid <> pg_backend_pid()
                  ORDER BY random() LIMIT 1) one`,
        )
        terminated += rowCount ?? 0
      }
      const caller = async () => {
        while (!stop) {
          const what = below(20)
          const act = what < 10 ? read : what < 14 ? write : what < 17 ? writeTwo : refused
          await act().catch((error: { code?: string }) => codes.add(error.code))
        }
      }
      const callers = Array.from({ length: CALLERS }, caller)
      const enough = async () => {
        if (terminated * 3 < proxy.cuts()) await terminate()
        const done = Math.min(written.length, pairs.length)
        return proxy.cuts() > 60 && terminated > 15 && done > 50
      }
      await waitUntil('cuts and terminated backends', enough, undefined, 90_000).finally(() => {
        stop = true
      })
      // Nobody waits for ever.
      await Promise.all(callers)
      expect([...codes].filter((code) => code !== 'DATABASE_UNAVAILABLE')).toEqual([])
      const { rows } = await watcher.query<{ id: number; parts: number }>(
        'SELECT id, count(*)::int AS parts FROM acts GROUP BY id',
      )
      const found = new Map(rows.map(({ id, parts }) => [id, parts]))
      expect(written.filter((id) => found.get(id) !== 1)).toEqual([])
      expect(pairs.filter((id) => found.get(id) !== 2)).toEqual([])
      proxy.spare()
      await waitUntil('the pool', async () => (await query('SELECT 1').catch(() => undefined)) !== undefined)
      await waitUntil('the end of what was lost', async () => pool.figures().inUse === 0)
      expect(pool.figures().waiting).toBe(0)
      await pool.close()
      await watcher.end()
      await proxy.stop()
      expect(uncaught).toEqual([])
    },
    120_000,
  )
})
