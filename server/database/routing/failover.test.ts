import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { openPostgres } from '@/db/open'
import { type PostgresServer, type ReplicaServer, startPostgres, startReplica } from '@/db/testing/servers'
import { needsPostgres } from '@/db/testing/shared'
import { Position, within } from './position'
import { clustersForTests, type Opened, PORT, until } from './routing.testing'

// Starting servers takes most of the time, on a busy machine much of it.
describe('a cluster that loses its primary', { timeout: 120_000 }, () => {
  needsPostgres()
  const undo: (() => unknown)[] = []
  const open = clustersForTests()
  afterEach(async () => {
    for (const step of undo.splice(0).reverse()) await step()
  })

  async function pair({
    synchronous = true,
  } = {}): Promise<{ primary: PostgresServer; replica: ReplicaServer }> {
    const primary = await startPostgres()
    undo.push(() => primary.stop())
    await primary.query('CREATE TABLE notes (id int PRIMARY KEY, n int NOT NULL)')
    await primary.query('INSERT INTO notes VALUES (0, 0)')
    const replica = await startReplica(primary, { synchronous })
    undo.push(() => replica.stop())
    return { primary, replica }
  }

  /** Stops the server and all its processes: connections stay open, and nothing answers. */
  async function freeze(server: PostgresServer): Promise<() => void> {
    const rows = await server.query<{ pid: number }>(
      'SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()',
    )
    const pids = [server.pid, ...rows.map(({ pid }) => pid)]
    const send = (signal: NodeJS.Signals) => {
      for (const pid of pids) {
        try {
          process.kill(pid, signal)
        } catch {
          // It has ended meanwhile.
        }
      }
    }
    send('SIGSTOP')
    return () => send('SIGCONT')
  }

  function fenceFile(): string {
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-topology-'))
    undo.push(() => rmSync(folder, { recursive: true }))
    return join(folder, 'topology.json')
  }

  const insert = ({ query }: Opened, id: number) => query('INSERT INTO notes VALUES ($1, $1)', [id])
  const idsAt = async (server: PostgresServer) =>
    (await server.query<{ id: number }>('SELECT id FROM notes ORDER BY id')).map(({ id }) => id)

  it('reads on, lets writes wait, and goes on with the promoted replica; the old primary gets nothing more', async () => {
    const { primary, replica } = await pair()
    const file = fenceFile()
    const all = open([primary, replica], { fenceFile: file })
    await insert(all, 1)
    expect(JSON.parse(readFileSync(file, 'utf8')).clusters[0]).toMatchObject({
      timeline: 1,
      primary: `127.0.0.1:${primary.port}`,
    })

    await primary.kill9()
    const during = await Promise.all(Array.from({ length: 20 }, () => all.query<{ port: number }>(PORT)))
    expect(new Set(during.map(({ rows }) => rows[0]?.port))).toEqual(new Set([replica.port]))
    const waiting = insert(all, 2)
    const unit = openPostgres(all.cluster).run(
      {
        name: 'test.write',
        work: function* ({ db }) {
          yield db.execute('INSERT INTO notes VALUES (3, 3)')
        },
      },
      undefined,
    )
    expect(all.cluster.topology()).toMatchObject({ writable: false })
    await replica.promote()
    await Promise.all([waiting, unit])
    expect(all.cluster.topology()).toMatchObject({ writable: true, highestTimeline: 2 })
    expect(all.roles()).toEqual(['down', 'primary'])
    expect(JSON.parse(readFileSync(file, 'utf8')).clusters[0]).toMatchObject({
      timeline: 2,
      primary: `127.0.0.1:${replica.port}`,
    })

    await primary.start()
    await until('the old primary is told', () => all.roles()[0] === 'stale')
    for (let id = 10; id < 40; id++) await insert(all, id)
    const spread = await Promise.all(Array.from({ length: 20 }, () => all.read<{ port: number }>(PORT)))
    expect(new Set(spread.map(({ rows }) => rows[0]?.port))).toEqual(new Set([replica.port]))
    expect(await idsAt(primary)).toEqual([0, 1])
    const [sessions] = await primary.query<{ count: string }>(
      "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'holdfast'",
    )
    expect(Number(sessions?.count)).toBe(1) // the probe's
    expect(all.events.map(({ kind }) => kind)).toEqual(['primary-lost', 'primary-changed', 'stale-primary'])

    // A restart that reaches only the old primary does not write to it.
    await all.cluster.close(200)
    await replica.stop({ keep: true })
    const restarted = open([primary, replica], { fenceFile: file, failoverWait: 300 })
    await restarted.cluster.ready()
    const refused = await insert(restarted, 50).catch((error: unknown) => error)
    expect(refused).toMatchObject({ code: 'DATABASE_READ_ONLY', retryAfterMs: expect.any(Number) })
    expect((refused as Error).message).toMatch(/timeline 1, but timeline 2 has been seen/)
    expect((await restarted.query('SELECT id FROM notes')).rows.length).toBe(2)
    const lone = open([primary], { fenceFile: file, failoverWait: 300 })
    await lone.cluster.ready()
    await expect(insert(lone, 51)).rejects.toMatchObject({ code: 'DATABASE_READ_ONLY' })
    expect(await idsAt(primary)).toEqual([0, 1])
    await replica.start()
    await until('the primary', () => restarted.cluster.topology().writable)
    await insert(restarted, 52)
    expect(await idsAt(replica)).toContain(52)
  })

  it('recognises a primary that is frozen, answers reads from elsewhere, and does not go back when it thaws', async () => {
    const { primary, replica } = await pair()
    const all = open([primary, replica])
    await insert(all, 1)
    const thaw = await freeze(primary)
    undo.push(thaw)
    const begun = performance.now()
    const reads = await Promise.all(Array.from({ length: 10 }, () => all.query<{ port: number }>(PORT)))
    expect(performance.now() - begun).toBeLessThan(6_000)
    expect(reads.every(({ rows }) => rows[0]?.port === replica.port)).toBe(true)
    await replica.promote()
    await insert(all, 2)
    thaw()
    await until('the old primary is told', () => all.roles()[0] === 'stale')
    for (let id = 3; id < 20; id++) await insert(all, id)
    expect(await idsAt(primary)).toEqual([0, 1])
    expect((await idsAt(replica)).length).toBe(20)
  })

  it('refuses writes after the bound, with what is wrong and when to come back', async () => {
    const { primary, replica } = await pair()
    const all = open([primary, replica], { failoverWait: 200 })
    await all.cluster.ready()
    await primary.stop({ keep: true })
    await until('the loss', () => !all.cluster.topology().writable)
    const refused = await insert(all, 1).catch((error: unknown) => error)
    expect(refused).toMatchObject({ code: 'DATABASE_READ_ONLY', retryAfterMs: 2_000 })
    expect((refused as Error).message).toContain(
      `127.0.0.1:${primary.port}: It does not answer. 127.0.0.1:${replica.port}: It is a replica.`,
    )
    await expect(all.cluster.connect()).rejects.toMatchObject({ code: 'DATABASE_READ_ONLY' })
    expect((await all.query('SELECT 1')).rows.length).toBe(1)
    await primary.start()
    await until('the primary', () => all.cluster.topology().writable)
    await insert(all, 2)
    expect(all.events.map(({ kind }) => kind)).toEqual(['primary-lost', 'primary-found'])
  })

  it('takes the refusal of a read-only server as a sign, and sends the write to the new primary', async () => {
    const { primary, replica } = await pair({ synchronous: false })
    const all = open([primary, replica])
    await insert(all, 1)
    await replica.caughtUp()
    // The old primary comes back as a replica between two probes, at the same address.
    await replica.promote()
    await primary.stop({ keep: true })
    writeFileSync(join(primary.folder, 'data', 'standby.signal'), '')
    await primary.start()
    await insert(all, 2)
    expect(await idsAt(replica)).toEqual([0, 1, 2])
    expect(await idsAt(primary)).toEqual([0, 1])
  })

  it('writes nothing twice and says so when the outcome of a write is not known', async () => {
    const { primary, replica } = await pair()
    const all = open([primary, replica])
    await insert(all, 1)
    const write = all.query('INSERT INTO notes SELECT 2, 2 FROM pg_sleep(5)').catch((error: unknown) => error)
    await until('the write runs', async () => {
      const rows = await primary.query(
        "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'INSERT INTO notes SELECT 2%' AND state = 'active'",
      )
      return rows.length === 1
    })
    await primary.kill9()
    expect(await write).toMatchObject({
      code: 'DATABASE_UNAVAILABLE',
      message: expect.stringContaining('may have happened or not'),
    })
  })

  it('runs a unit again that lost its connection before its commit', async () => {
    const { primary, replica } = await pair()
    const all = open([primary, replica])
    const { run } = openPostgres(all.cluster)
    let runs = 0
    await run(
      {
        name: 'test.write',
        work: function* ({ db }) {
          runs++
          yield db.execute('INSERT INTO notes VALUES (1, 1)')
          if (runs === 1) yield primary.kill9().then(() => replica.promote())
          yield db.execute('INSERT INTO notes VALUES (2, 2)')
        },
      },
      undefined,
    )
    expect(runs).toBe(2)
    expect(await idsAt(replica)).toEqual([0, 1, 2])
  })

  it('keeps reads of a session right over a promotion, on another instance too', async () => {
    const { primary, replica } = await pair()
    const [one, other] = [open([primary, replica]), open([primary, replica])]
    await other.cluster.ready()
    const position = new Position()
    await within(position, () => insert(one, 1))
    await primary.kill9()
    await replica.promote()
    await within(position, () => insert(one, 2))
    expect(position.text()).toMatch(/^2-/)
    const seen = await within(new Position(position.text()), () =>
      other.read<{ id: number }>('SELECT id FROM notes ORDER BY id'),
    )
    expect(seen.rows.map(({ id }) => id)).toEqual([0, 1, 2])
  })

  it('starts when a server of DB_READ_HOST is dead, and when the primary is', async () => {
    const { primary, replica } = await pair({ synchronous: false })
    await replica.caughtUp()
    await replica.stop({ keep: true })
    const without = open([primary, replica])
    await insert(without, 1)
    expect((await without.read<{ port: number }>(PORT)).rows[0]?.port).toBe(primary.port)
    expect(without.roles()).toEqual(['primary', 'down'])
    await replica.start()
    await until('the replica is back', () => without.roles()[1] === 'replica')
    expect(without.events.map(({ kind }) => kind)).toEqual(['replica-lost', 'replica-back'])
    await replica.caughtUp()
    await primary.stop({ keep: true })
    const late = open([primary, replica], { failoverWait: 200 })
    expect(
      (await late.query<{ id: number }>('SELECT id FROM notes ORDER BY id')).rows.map(({ id }) => id),
    ).toEqual([0, 1])
    await expect(insert(late, 2)).rejects.toMatchObject({ code: 'DATABASE_READ_ONLY' })
  })

  it('gives a server of another cluster nothing', async () => {
    const { primary } = await pair({ synchronous: false })
    const stranger = await startPostgres()
    undo.push(() => stranger.stop())
    await stranger.query('CREATE TABLE notes (id int PRIMARY KEY, n int NOT NULL)')
    for (const server of [primary, stranger]) {
      await server.query("CREATE ROLE console SUPERUSER LOGIN PASSWORD 'console'")
    }
    const all = open([primary, stranger], { user: 'console', password: 'console', failoverWait: 200 })
    await until('the stranger', () => all.roles()[1] === 'foreign')
    await insert(all, 1)
    expect((await all.read<{ port: number }>(PORT)).rows[0]?.port).toBe(primary.port)
    expect(await idsAt(stranger)).toEqual([])
    await primary.stop({ keep: true })
    await until('the loss', () => !all.cluster.topology().writable)
    await expect(insert(all, 2)).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' })
    expect(await idsAt(stranger)).toEqual([])
  })

  it('waits for one server alone that is killed and comes back, without an error to readers', async () => {
    const server = await startPostgres()
    undo.push(() => server.stop())
    await server.query('CREATE TABLE notes (id int PRIMARY KEY, n int NOT NULL)')
    const all = open([server])
    await insert(all, 1)
    const reads: Promise<unknown>[] = []
    const reading = setInterval(() => reads.push(all.query('SELECT id FROM notes')), 5)
    await server.kill9()
    // A backend may outlive the postmaster for a moment: a write that reaches it has no known outcome.
    await until('the loss', () => !all.cluster.topology().writable)
    const write = insert(all, 2)
    await server.start()
    await write
    clearInterval(reading)
    await Promise.all(reads)
    expect(reads.length).toBeGreaterThan(10)
    expect(await idsAt(server)).toEqual([1, 2])
  })

  it('does not trust a file of timelines that cannot be read', () => {
    const file = fenceFile()
    writeFileSync(file, '{"clusters": [')
    const server = { host: '127.0.0.1', port: 1, user: 'u', password: 'p', database: 'd' } as PostgresServer
    expect(() => open([server], { fenceFile: file })).toThrow(/cannot be read/)
  })
})
