import { fileURLToPath } from 'node:url'
import { Client, type Pool } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { migratePostgres } from '@/db/migrate'
import { openPostgres } from '@/db/open'
import { Store } from '@/db/store'
import { openPool } from '@/db/testing/pools'
import { type PostgresServer, startPostgres } from '@/db/testing/servers'
import { needsPostgres } from '@/db/testing/shared'
import { testAuditKey } from '@/db/testing/stores'
import { openLog } from '@/server/log'
import type { StatementFigures } from '../inspect/types'
import { openStatementHistory } from '.'
import { HOUR_MS } from './hours'

const migrations = fileURLToPath(new URL('../../../db/migrations', import.meta.url))
const start = Date.UTC(2026, 0, 5, 12)
const minute = 60_000

/** A server with pg_stat_statements, whose counters all instances read. */
describe('statements counted by the server', () => {
  needsPostgres()
  let server: PostgresServer
  let application: Client
  let pool: Pool
  let store: Store

  beforeAll(async () => {
    server = await startPostgres({ settings: { shared_preload_libraries: 'pg_stat_statements' } })
    application = new Client({ connectionString: server.url })
    await application.connect()
    await application.query('CREATE EXTENSION pg_stat_statements')
    pool = openPool({ connectionString: server.url, max: 6 })
    await migratePostgres(pool, migrations)
    store = new Store(openPostgres(pool), testAuditKey)
  })

  afterAll(async () => {
    await application?.end()
    await pool?.end()
    await server?.stop()
  })

  async function statements() {
    const { rows } = await application.query(`
      SELECT queryid::text AS fingerprint, query AS text, calls::int AS calls, total_exec_time AS "totalMs",
             max_exec_time AS "maxMs", rows::int AS rows
        FROM pg_stat_statements
       WHERE query LIKE 'SELECT sum(i)%'`)
    const source = 'pg_stat_statements' as const
    return { source, since: null, statements: rows as StatementFigures[], missing: null }
  }

  it('are counted once, whichever instances run, end and are killed', async () => {
    const clock = { at: start, now: () => clock.at }
    const log = openLog('error', () => {})
    const opened = { inspect: { statements } }
    const database = () => opened
    const open = (instance: string) => openStatementHistory({ store, clock, log, database, instance })
    const ask = async (times: number) => {
      for (let i = 0; i < times; i++) {
        await application.query('SELECT sum(i) FROM generate_series(1, 1000) i')
      }
    }
    const [one, two, three] = [open('one'), open('two'), open('three')]
    await ask(100)
    await Promise.all([one.tick(), two.tick(), three.tick()])
    const fingerprint = (await statements()).statements[0]?.fingerprint ?? ''
    await ask(10)
    clock.at += minute
    await Promise.all([one.tick(), two.tick(), three.tick()])
    const window = { from: start, to: start + HOUR_MS }
    const calls = async () => {
      await Promise.all([one, two, three].map((each) => each.tick()))
      const { calls: counted } = await open('reader').of(fingerprint, window)
      return counted[0]
    }
    clock.at += 5 * minute - 1
    // All five minutes late: whoever holds the lease then counts anew, and nothing is counted twice.
    await ask(5)
    expect(await calls()).toBe(10)
    await ask(7)
    clock.at += minute
    await Promise.all([one.tick(), two.tick(), three.tick()])
    for (const each of [one, two, three]) await each.close()
    const { calls: counted, totalMs } = await open('reader').of(fingerprint, window)
    expect(counted).toEqual([17])
    expect(totalMs[0]).toBeGreaterThan(0)
    // The lease was given back: the next one begins at once, with what is counted from then on.
    const four = open('four')
    await four.tick()
    await ask(3)
    clock.at += minute
    await four.tick()
    expect((await four.of(fingerprint, window)).calls).toEqual([20])
    await four.close()
  })
})
