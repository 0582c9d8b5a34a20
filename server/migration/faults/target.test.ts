import { Client } from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'
import { type PostgresServer, startPostgres } from '@/db/testing/servers'
import { needsPostgres } from '@/db/testing/shared'
import { atPhase, throughTrouble } from '../testing/persist'
import { openProxy } from '../testing/proxy'
import { type Bench, bothSides, openBench } from '../testing/target'
import type { Job, RunReport, Target } from '../types'

// Each of these takes what PostgreSQL, a lock or a lost packet takes to be noticed.
describe('a migration goes on by itself', { timeout: 240_000 }, () => {
  needsPostgres()
  let server: PostgresServer
  let bench: Bench
  beforeAll(async () => {
    if (inject('postgres')) server = await startPostgres()
  })
  afterAll(() => server?.stop())
  beforeEach(async () => {
    bench = await openBench(server)
  })
  afterEach(() => bench?.close())

  const source = () =>
    bench.file(`CREATE TABLE big (id INTEGER PRIMARY KEY, a TEXT, b REAL);
      CREATE TABLE pairs (a TEXT, b INTEGER, PRIMARY KEY (a, b)) WITHOUT ROWID;
      CREATE INDEX big_b ON big (b);
      WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000)
      INSERT INTO big SELECT i, printf('%0250d', i), i / 3.0 FROM n;
      INSERT INTO pairs SELECT a, id FROM big WHERE id <= 5000;`)

  async function expectWhole(job: Job, report: RunReport) {
    expect(report.validation.ok).toBe(true)
    const { host, port, user, password } = server
    const client = new Client({ host, port, user, password, database: job.target.database })
    await client.connect()
    for (const table of ['big', 'pairs']) {
      const { source: ours, target: theirs } = await bothSides(job.source, client, table)
      expect(theirs.length, table).toBe(ours.length)
      expect(theirs, table).toEqual(ours)
    }
    await client.end()
  }

  const sessions = (what: 'terminate' | 'cancel') =>
    server.query(
      `SELECT pg_${what}_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND application_name LIKE 'holdfast migration%'`,
      [bench.target.database],
    )
  const atDatabase = (setting: string) => server.query(`ALTER DATABASE "${bench.target.database}" ${setting}`)

  it('when the postmaster was killed and is back', async () => {
    const job = bench.job(source())
    const { waits, report } = await throughTrouble(job, {
      at: atPhase('transfer'),
      make: () => server.kill9(),
      mend: () => server.start(),
    })
    expect(waits[0]).toMatchObject({
      code: expect.stringMatching(/^TARGET_(LOST|UNREACHABLE)$/),
      remedy: expect.any(String),
      heals: true,
      attempts: 1,
      retryAt: expect.any(Number),
    })
    await expectWhole(job, report)
  })

  it('when its connections were ended', async () => {
    const job = bench.job(source())
    const { waits, report } = await throughTrouble(job, {
      at: atPhase('transfer'),
      make: () => sessions('terminate'),
      mend: () => {},
    })
    expect(waits.map(({ code }) => code)).toEqual(['TARGET_LOST'])
    await expectWhole(job, report)
  })

  it('when the target took no writes for a while', async () => {
    const job = bench.job(source())
    const { waits, report } = await throughTrouble(job, {
      at: atPhase('transfer'),
      async make() {
        await atDatabase('SET default_transaction_read_only = on')
        await sessions('terminate')
      },
      because: 'TARGET_READ_ONLY',
      mend: () => atDatabase('RESET default_transaction_read_only'),
    })
    expect(waits.map(({ code }) => code)).toContain('TARGET_READ_ONLY')
    await expectWhole(job, report)
  })

  it('when the server took no more connections', async () => {
    await server.query(`CREATE ROLE mover LOGIN PASSWORD 'mover'`)
    await server.query(`ALTER DATABASE "${bench.target.database}" OWNER TO mover`)
    await bench.client.query('ALTER SCHEMA public OWNER TO mover')
    const target: Target = { ...bench.target, user: 'mover', password: 'mover' }
    const job = bench.job(source(), { target })
    const { waits, report } = await throughTrouble(job, {
      at: atPhase('transfer'),
      async make() {
        await server.query('ALTER ROLE mover CONNECTION LIMIT 0')
        await sessions('terminate')
      },
      because: 'TARGET_BUSY',
      mend: () => server.query('ALTER ROLE mover CONNECTION LIMIT -1'),
    })
    expect(waits.find(({ code }) => code === 'TARGET_BUSY')).toMatchObject({
      message: expect.stringContaining('takes no more connections'),
    })
    await expectWhole(job, report)
  })

  it('when somebody held a lock on a table, and let it go', async () => {
    const job = bench.job(source())
    const holder = new Client({ ...bench.target, ssl: false })
    await holder.connect()
    const { waits, report } = await throughTrouble(job, {
      at: atPhase('build'),
      async make() {
        await holder.query('BEGIN; LOCK TABLE public.pairs IN ACCESS EXCLUSIVE MODE')
      },
      mend: () => holder.query('ROLLBACK'),
    })
    await holder.end()
    expect(waits[0]).toMatchObject({
      code: 'TARGET_BUSY',
      message: expect.stringContaining('holds a lock'),
      remedy: expect.stringContaining('pg_stat_activity'),
    })
    await expectWhole(job, report)
  })

  it('when the network closed its connections', async () => {
    const proxy = await openProxy(server.port)
    const job = bench.job(source(), { target: { ...bench.target, port: proxy.port } })
    const { waits, report } = await throughTrouble(job, {
      at: atPhase('transfer'),
      make: () => proxy.drop(),
      mend: () => {},
    })
    expect(waits[0]?.code).toBe('TARGET_LOST')
    await proxy.close()
    await expectWhole(job, report)
  })

  it('when the network swallowed everything without a word', async () => {
    const proxy = await openProxy(server.port)
    const job = bench.job(source(), { target: { ...bench.target, port: proxy.port } })
    const { waits, report } = await throughTrouble(job, {
      at: atPhase('transfer'),
      make: () => proxy.swallow(),
      mend: () => proxy.mend(),
    })
    expect(waits[0]).toMatchObject({
      code: 'TARGET_LOST',
      message: expect.stringContaining('has not answered'),
    })
    await proxy.close()
    await expectWhole(job, report)
  })
})
