import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openPostgres } from '@/db/open'
import { type PostgresServer, type ReplicaServer, startPostgres, startReplica } from '@/db/testing/servers'
import { needsPostgres } from '@/db/testing/shared'
import { Position, within } from './position'
import { clustersForTests, PORT, until } from './routing.testing'

describe('reads of a cluster', () => {
  needsPostgres()
  let primary: PostgresServer
  let one: ReplicaServer
  let two: ReplicaServer
  const open = clustersForTests()

  beforeAll(async () => {
    primary = await startPostgres()
    await primary.query('CREATE TABLE notes (id int PRIMARY KEY, n int NOT NULL)')
    await primary.query('CREATE SEQUENCE numbers')
    await primary.query(
      'CREATE FUNCTION take() RETURNS int LANGUAGE sql VOLATILE AS $$ INSERT INTO notes VALUES (-1, 0) RETURNING id $$',
    )
    await primary.query(
      "CREATE FUNCTION hidden() RETURNS bigint LANGUAGE sql STABLE AS $$ SELECT nextval('numbers') $$",
    )
    one = await startReplica(primary)
    two = await startReplica(primary)
  })
  afterAll(() => Promise.all([primary, one, two].map((server) => server?.stop())))

  const opened = async (servers: PostgresServer[] = [primary, one, two], config = {}) => {
    const all = open(servers, config)
    await all.cluster.ready()
    await until(
      'replicas that are read',
      () => all.cluster.topology().nodes.filter(({ takesReads }) => takesReads).length === servers.length,
    )
    await until(
      'the functions',
      async () => (await all.read<{ port: number }>(PORT)).rows[0]?.port !== primary.port,
    )
    return all
  }
  const portsOf = async (ask: () => Promise<{ rows: { port: number }[] }>, times: number) =>
    (await Promise.all(Array.from({ length: times }, ask))).map(({ rows }) => rows[0]?.port)

  it('go to the replica with least to do, and to the primary unless they are marked', async () => {
    const { read, query } = await opened()
    const slow = read('SELECT pg_sleep(0.4), inet_server_port() AS port')
    const ports = await portsOf(() => read(PORT), 1)
    const busy = (await slow).rows[0]?.port
    expect([one.port, two.port]).toContain(busy)
    expect(ports[0]).toBe(busy === one.port ? two.port : one.port)
    expect(new Set(await portsOf(() => read(PORT), 20))).toEqual(new Set([one.port, two.port]))
    expect((await query(PORT)).rows[0]?.port).toBe(primary.port)
  })

  it('stay on the primary when they lock, write, or call what writes', async () => {
    const { read } = await opened()
    const port = async (text: string) => (await read<{ port: number }>(text)).rows[0]?.port
    expect(await port(`SELECT inet_server_port() AS port FROM pg_class LIMIT 1 FOR UPDATE`)).toBe(
      primary.port,
    )
    expect(await port(`SELECT inet_server_port() AS port FROM pg_class LIMIT 1 FOR KEY SHARE`)).toBe(
      primary.port,
    )
    expect(await port(`SELECT nextval('numbers'), inet_server_port() AS port`)).toBe(primary.port)
    expect(await port(`SELECT "nextval"('numbers'), inet_server_port() AS port`)).toBe(primary.port)
    expect(await port(`SELECT pg_try_advisory_xact_lock(1), inet_server_port() AS port`)).toBe(primary.port)
    expect(await port(`SELECT set_config('work_mem', '5MB', true), inet_server_port() AS port`)).toBe(
      primary.port,
    )
    expect(
      await port(`WITH gone AS (DELETE FROM notes WHERE id = 0) SELECT inet_server_port() AS port`),
    ).toBe(primary.port)
    expect(await port(`SELECT inet_server_port() AS port INTO TEMP kept`).catch((error) => error)).toBe(
      undefined,
    )
    expect(await port(`SELECT take(), inet_server_port() AS port`)).toBe(primary.port)
    expect([one.port, two.port]).toContain(
      await port(`SELECT 'nextval(''numbers'')', inet_server_port() AS port`),
    )
    await primary.query('DELETE FROM notes')
  })

  it('run on the primary when a replica finds out that they write', async () => {
    const { read } = await opened()
    const text = 'SELECT hidden(), inet_server_port() AS port'
    expect((await read<{ port: number }>(text)).rows[0]?.port).toBe(primary.port)
    expect((await read<{ port: number }>(text)).rows[0]?.port).toBe(primary.port)
  })

  it('leave a replica out that is further behind than the bound, until it has caught up', async () => {
    const { read, cluster } = await opened([primary, one], { maxLag: 64 * 1024 })
    await one.query('SELECT pg_wal_replay_pause()')
    try {
      await primary.query("CREATE TABLE filler AS SELECT repeat('x', 500) FROM generate_series(1, 2000)")
      await until('the lag', () => (cluster.topology().nodes[1]?.lagBytes ?? 0) > 64 * 1024)
      expect(cluster.topology().nodes[1]).toMatchObject({ role: 'replica', takesReads: false })
      expect(cluster.topology().nodes[1]?.because).toMatch(/bytes behind the primary/)
      expect((await read<{ port: number }>(PORT)).rows[0]?.port).toBe(primary.port)
    } finally {
      await one.query('SELECT pg_wal_replay_resume()')
    }
    await until('the replica', async () => (await read<{ port: number }>(PORT)).rows[0]?.port === one.port)
    await primary.query('DROP TABLE filler')
  })

  it('see what their session wrote, which without a position most do not', async () => {
    const { cluster, query, read } = await opened([primary, one])
    const { run, reads } = openPostgres(cluster)
    await query('INSERT INTO notes VALUES (1, 0) ON CONFLICT (id) DO UPDATE SET n = 0')
    await one.caughtUp()
    const held = async (
      rounds: number,
      session: <T>(work: () => Promise<T>) => Promise<T>,
      write: (n: number) => Promise<unknown>,
    ) => {
      let stale = 0
      for (let n = 1; n <= rounds; n++) {
        await session(async () => {
          await write(n)
          const { rows } = await read<{ n: number }>('SELECT n FROM notes WHERE id = 1')
          if (rows[0]?.n !== n) stale++
        })
      }
      return stale
    }
    const single = (n: number) => query('UPDATE notes SET n = $1 WHERE id = 1', [n])
    const inUnit = (n: number) =>
      run(
        {
          name: 'test.write',
          work: function* ({ db }) {
            yield db.execute(`UPDATE notes SET n = ${n} WHERE id = 1`)
          },
        },
        undefined,
      )
    // The replica applies what it gets 200 ms later: nobody can be lucky.
    await one.query("ALTER SYSTEM SET recovery_min_apply_delay = '200ms'")
    await one.query('SELECT pg_reload_conf()')
    try {
      expect(await held(10, (work) => work(), single)).toBeGreaterThanOrEqual(8)
      expect(await held(25, (work) => within(new Position(), work), single)).toBe(0)
      expect(await held(25, (work) => within(new Position(), work), inUnit)).toBe(0)
    } finally {
      await one.query('ALTER SYSTEM RESET recovery_min_apply_delay')
      await one.query('SELECT pg_reload_conf()')
    }
    expect(reads).not.toBe(undefined)
  })

  it('go back to the replica once it has replayed the position, and carry it to another instance', async () => {
    const first = await opened([primary, one])
    const second = await opened([primary, one])
    const position = new Position()
    await within(position, () =>
      first.query('INSERT INTO notes VALUES (2, 7) ON CONFLICT (id) DO UPDATE SET n = 7'),
    )
    expect(position.text()).toMatch(/^1-[0-9A-F]+\/[0-9A-F]+$/)
    await one.caughtUp()
    const there = new Position(position.text())
    const port = await within(there, async () => (await second.read<{ port: number }>(PORT)).rows[0]?.port)
    expect(port).toBe(one.port)
    await one.query('SELECT pg_wal_replay_pause()')
    try {
      await within(position, () => first.query('UPDATE notes SET n = 8 WHERE id = 2'))
      const { rows } = await within(new Position(position.text()), () =>
        second.read<{ n: number; port: number }>(
          'SELECT n, inet_server_port() AS port FROM notes WHERE id = 2',
        ),
      )
      expect(rows[0]).toEqual({ n: 8, port: primary.port })
      const without = await second.read<{ n: number }>('SELECT n FROM notes WHERE id = 2')
      expect(without.rows[0]?.n).toBe(7)
    } finally {
      await one.query('SELECT pg_wal_replay_resume()')
    }
  })

  it('ignore a position that is none', async () => {
    const { read } = await opened([primary, one])
    for (const text of [
      '',
      '1',
      '1-',
      '0-0/0',
      '1-0/0 ',
      "1-0/0'",
      '1-G/0',
      '99999999999-0/0',
      '-1-0/0',
      '1-0/123456789',
    ]) {
      expect(new Position(text).text()).toBe(null)
    }
    const port = await within(
      new Position('9-FFFFFFFF/FFFFFFFF'),
      async () => (await read<{ port: number }>(PORT)).rows[0]?.port,
    )
    expect(port).toBe(primary.port)
  })

  it('tell an ordinary role as much as the owner: timeline, system and position', async () => {
    await primary.query("CREATE ROLE plain LOGIN PASSWORD 'plain'")
    await primary.query('GRANT CONNECT ON DATABASE postgres TO plain')
    await one.caughtUp()
    const { cluster } = await opened([primary, one], { user: 'plain', password: 'plain' })
    const { nodes, systemIdentifier, writable } = cluster.topology()
    expect(writable).toBe(true)
    expect(systemIdentifier).toMatch(/^\d{15,}$/)
    expect(nodes.map(({ timeline, role }) => [timeline, role])).toEqual([
      [1, 'primary'],
      [1, 'replica'],
    ])
  })
})
