import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { startPostgres, startReplica } from '@/db/testing/servers'
import { needsPostgres } from '@/db/testing/shared'
import { type Bench, bench } from './postgres.testing'

describe('tables of a PostgreSQL database', () => {
  needsPostgres()
  let at: Bench

  beforeEach(async () => {
    at = await bench()
  })
  afterEach(() => at.undo())

  it('are told with sizes, dead rows and indexes, the largest first', async () => {
    const client = await at.client()
    await client.query('CREATE TABLE small (id int PRIMARY KEY)')
    await client.query(
      'CREATE TABLE large (id int PRIMARY KEY, word text) WITH (autovacuum_vacuum_threshold = 70, autovacuum_vacuum_scale_factor = 0.5)',
    )
    await client.query("INSERT INTO large SELECT n, repeat('x', 100) FROM generate_series(1, 1000) n")
    await client.query('CREATE INDEX large_word ON large (word) WHERE id > 10')
    await client.query('ALTER TABLE small SET (autovacuum_enabled = false)')
    await client.query('SELECT pg_stat_force_next_flush()')
    await client.query('VACUUM ANALYZE large')
    await client.query('DELETE FROM large WHERE id <= 40')
    await client.query('SELECT pg_stat_force_next_flush()')
    const { inspect } = at.open()
    const { tables, missing } = await vi.waitFor(async () => {
      const read = await inspect.tables()
      expect(read.tables[0]?.deadRows).toBe(40)
      return read
    }, 10_000)
    expect(missing).toBe(null)
    expect(tables.map(({ name }) => name)).toEqual(['large', 'small'])
    const [large, small] = tables
    expect(large).toMatchObject({ schema: 'public', rows: 960, vacuumAt: 570, inserts: 1_000, deletes: 40 })
    expect(large?.lastVacuumAt).toBeGreaterThan(Date.now() - 60_000)
    expect(large?.lastAnalyzeAt).toBeGreaterThan(Date.now() - 60_000)
    expect(large?.tableBytes).toBeGreaterThan(100_000)
    expect(large?.estimated).toBe(undefined)
    expect(small?.vacuumAt).toBe(null)
    expect(
      large?.indexes.map(({ name, primary, unique, valid }) => ({ name, primary, unique, valid })),
    ).toEqual([
      { name: 'large_pkey', primary: true, unique: true, valid: true },
      { name: 'large_word', primary: false, unique: false, valid: true },
    ])
    expect(large?.indexes[1]?.ddl).toBe(
      'CREATE INDEX large_word ON public.large USING btree (word) WHERE (id > 10)',
    )
    const bytes = large?.indexes.reduce((sum, index) => sum + index.bytes, 0)
    expect(large?.indexBytes).toBe(bytes)
    expect(bytes).toBeGreaterThan(16_000)
  })

  it('hold up nobody while one is locked: its size is that of its last VACUUM', async () => {
    const client = await at.client()
    await client.query('CREATE TABLE held (id int PRIMARY KEY)')
    await client.query('INSERT INTO held SELECT generate_series(1, 5000)')
    await client.query('VACUUM ANALYZE held')
    await client.query('CREATE TABLE free (id int)')
    await client.query('BEGIN')
    await client.query('LOCK TABLE held IN ACCESS EXCLUSIVE MODE')
    const { inspect } = at.open()
    const { tables } = await inspect.tables()
    const held = tables.find(({ name }) => name === 'held')
    expect(held).toMatchObject({
      estimated: true,
      indexes: [{ name: 'held_pkey', ddl: 'CREATE UNIQUE INDEX held_pkey ON public.held USING btree (id)' }],
    })
    expect(held?.tableBytes).toBeGreaterThan(100_000)
    expect(held?.indexBytes).toBeGreaterThan(50_000)
    expect(tables.find(({ name }) => name === 'free')?.estimated).toBe(undefined)
    await client.query('ROLLBACK')
    expect((await inspect.tables()).tables.every(({ estimated }) => !estimated)).toBe(true)
  })

  it('say which index is not valid', async () => {
    const client = await at.client()
    await client.query('CREATE TABLE doubles (n int)')
    await client.query('INSERT INTO doubles VALUES (1), (1)')
    await expect(client.query('CREATE UNIQUE INDEX CONCURRENTLY once ON doubles (n)')).rejects.toThrow()
    const { tables } = await at.open().inspect.tables()
    expect(tables[0]?.indexes).toMatchObject([{ name: 'once', unique: true, valid: false }])
  })

  it('get new statistics, those that the role owns', async () => {
    const client = await at.client()
    const role = `owner_${randomBytes(4).toString('hex')}`
    await client.query(`CREATE ROLE ${role} LOGIN PASSWORD 'plain'`)
    await client.query('CREATE TABLE mine (n int); CREATE TABLE theirs (n int)')
    await client.query(`ALTER TABLE mine OWNER TO ${role}`)
    at.later(async () => {
      await client.query('DROP TABLE mine')
      await client.query(`DROP ROLE ${role}`)
    })
    const { pool, inspect } = at.open({ user: role, password: 'plain' })
    expect(await inspect.maintain('analyze')).toEqual({
      message: 'Renewed the statistics of 1 table.',
      milliseconds: expect.any(Number),
    })
    await vi.waitFor(async () => {
      const { tables } = await inspect.tables()
      expect(tables.find(({ name }) => name === 'mine')?.lastAnalyzeAt).toBeGreaterThan(0)
      expect(tables.find(({ name }) => name === 'theirs')?.lastAnalyzeAt).toBe(null)
    })
    await expect(inspect.maintain('checkpoint')).rejects.toMatchObject({ code: 'BAD_INPUT' })
    await pool.close(0)
  })
})

describe('the state of a PostgreSQL server', () => {
  needsPostgres()

  it('tells replicas, what slots retain, transactions and the way to wraparound', async () => {
    const primary = await startPostgres({ settings: { max_prepared_transactions: 5 } })
    const replica = await startReplica(primary)
    const at = await bench(primary)
    const { inspect } = at.open()
    const client = await at.client('the old one')
    await client.query('CREATE TABLE t (word text)')
    await client.query("BEGIN; INSERT INTO t VALUES ('secret'); PREPARE TRANSACTION 'left'")
    await client.query('BEGIN')
    await client.query("SELECT 'secret' AS word")
    const facts = await inspect.server()
    expect(facts.missing).toBe(null)
    expect(
      facts.longTransactions.map(({ pid, application, statement }) => [pid === 0, application, statement]),
    ).toEqual([
      [true, 'prepared transaction', null],
      [false, 'the old one', 'SELECT $1 AS word'],
    ])
    expect(facts.wraparound?.age).toBeGreaterThan(0)
    expect(facts.wraparound?.share).toBeCloseTo((facts.wraparound?.age ?? 0) / 2 ** 31)
    expect(facts.slots).toEqual([
      { name: `replica_${replica.port}`, type: 'physical', active: true, retainedBytes: expect.any(Number) },
    ])
    expect(facts.followers).toMatchObject([
      { application: `replica_${replica.port}`, address: '127.0.0.1', state: 'streaming', sync: 'async' },
    ])
    expect(facts.followers[0]?.lagBytes).toBeGreaterThanOrEqual(0)
    expect(facts.walBytes).toBeGreaterThanOrEqual(16 * 2 ** 20)
    const onReplica = await bench(replica)
    expect(await onReplica.open().inspect.server()).toMatchObject({ missing: null, followers: [] })
    await onReplica.undo()
    await at.undo()
    await replica.stop()
    await primary.stop()
  }, 90_000)

  it('leaves out what a role may not see, and says what it lacks', async () => {
    const at = await bench()
    const client = await at.client()
    const role = `plain_${randomBytes(4).toString('hex')}`
    await client.query(`CREATE ROLE ${role} LOGIN PASSWORD 'plain'`)
    at.later(() => client.query(`DROP ROLE ${role}`))
    const { pool, inspect } = at.open({ user: role, password: 'plain' })
    const facts = await inspect.server()
    expect(facts).toMatchObject({
      walBytes: null,
      missing: { kind: 'no-permission', remedy: `GRANT pg_monitor TO ${role}` },
    })
    expect(facts.wraparound?.age).toBeGreaterThan(0)
    await pool.close(0)
    await at.undo()
  })

  it('does not hang on a server that has stopped answering', async () => {
    const server = await startPostgres()
    const at = await bench(server)
    const { inspect } = at.open()
    await inspect.server()
    const [own] = await server.query<{ pid: number }>(
      "SELECT pid FROM pg_stat_activity WHERE query = 'ROLLBACK /* holdfast:inspect */'",
    )
    process.kill(own?.pid as number, 'SIGSTOP')
    await expect(inspect.sessions()).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' })
    process.kill(own?.pid as number, 'SIGCONT')
    server.pause()
    await expect(inspect.server()).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' })
    server.resume()
    expect((await inspect.sessions()).sessions.length).toBeGreaterThan(0)
    await at.undo()
    await server.stop()
  }, 90_000)
})
