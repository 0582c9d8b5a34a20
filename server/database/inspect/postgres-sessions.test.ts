import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { needsPostgres } from '@/db/testing/shared'
import { type Bench, bench, sessionOf } from './postgres.testing'

describe('sessions of a PostgreSQL server', () => {
  needsPostgres()
  let at: Bench

  beforeEach(async () => {
    at = await bench()
  })
  afterEach(() => at.undo())

  it('tells who waits for whom over three sessions', async () => {
    const { inspect } = at.open()
    const [first, second, third] = [await at.client('one'), await at.client('two'), await at.client('three')]
    await first.query('CREATE TABLE seats (n int PRIMARY KEY, holder text)')
    await first.query("INSERT INTO seats VALUES (1, 'nobody'), (2, 'nobody')")
    await first.query('BEGIN')
    await first.query("UPDATE seats SET holder = 'a secret' WHERE n = 1")
    await second.query('BEGIN')
    await second.query("UPDATE seats SET holder = 'b' WHERE n = 2")
    const waits = [
      second.query("UPDATE seats SET holder = 'another secret' WHERE n = 1"),
      third.query('UPDATE seats SET holder = $$a third secret$$ WHERE n = 2'),
    ]
    const [one, two, three] = await vi.waitFor(async () => {
      const { sessions } = await inspect.sessions()
      const found = ['one', 'two', 'three'].map((name) =>
        sessions.find(({ application, database }) => application === name && database === at.place.database),
      )
      expect(found[2]?.blockedBy).toHaveLength(1)
      expect(found[1]?.blockedBy).toHaveLength(1)
      return found
    })
    expect(two?.blockedBy).toEqual([one?.pid])
    expect(three?.blockedBy).toEqual([two?.pid])
    expect(one).toMatchObject({ state: 'idle in transaction', waitsFor: null, blockedBy: [], ours: false })
    expect(two).toMatchObject({ state: 'active', waitsFor: 'Lock: transactionid', client: '127.0.0.1' })
    expect(two?.statement).toBe('UPDATE seats SET holder = $1 WHERE n = $2')
    expect(two?.transactionStartedAt).toBeGreaterThan(0)
    // Other tests' sessions stand on the same server, and some of their tables have a column of that name.
    const { sessions } = await inspect.sessions()
    const here = sessions.filter(({ database }) => database === at.place.database)
    await first.query('ROLLBACK')
    await waits[0]
    await second.query('ROLLBACK')
    await waits[1]
    expect(here.length).toBeGreaterThanOrEqual(3)
    expect(JSON.stringify(here)).not.toContain('secret')
  })

  it('knows its own connections, and leaves out the one that asks', async () => {
    const database = at.open()
    await database.pool.query('SELECT 1')
    await database.inspect.sessions()
    const { sessions, missing } = await database.inspect.sessions()
    const here = sessions.filter(({ database: name }) => name === at.place.database)
    expect(here.length).toBeGreaterThan(0)
    expect(here.every(({ ours }) => ours)).toBe(true)
    expect(here.map(({ pid }) => pid).sort()).toEqual(
      database.pool
        .processes()
        .filter((pid) => here.some((one) => one.pid === pid))
        .sort(),
    )
    expect(here.some(({ statement }) => statement?.includes('pg_stat_activity'))).toBe(false)
    expect(missing).toBe(null)
  })

  it('answers while every connection of the pool is taken', async () => {
    const database = at.open()
    const taken = await Promise.all([1, 2, 3].map(() => database.pool.connect()))
    expect((await database.inspect.sessions()).sessions.length).toBeGreaterThanOrEqual(3)
    for (const connection of taken) connection.release()
  })

  it('cancels one statement and no other', async () => {
    const { inspect } = at.open()
    const [meant, other] = [await at.client(), await at.client()]
    const target = await sessionOf(meant)
    const asleep = meant.query('SELECT pg_sleep(60)')
    const cancelled = expect(asleep).rejects.toMatchObject({ code: '57014' })
    const goesOn = other.query('SELECT pg_sleep(0.5)')
    await vi.waitFor(async () => {
      const { sessions } = await inspect.sessions()
      expect(sessions.find(({ pid }) => pid === target.pid)?.state).toBe('active')
    })
    expect(await inspect.cancel(target)).toBe(true)
    await cancelled
    await goesOn
    expect((await meant.query('SELECT 1')).rowCount).toBe(1)
  })

  it('ends one session and no other, and says when it has gone', async () => {
    const { inspect } = at.open()
    const [meant, other] = [await at.client(), await at.client()]
    const target = await sessionOf(meant)
    expect(await inspect.terminate(target)).toBe(true)
    await vi.waitFor(async () => expect(await inspect.terminate(target)).toBe(false))
    expect((await other.query('SELECT 1')).rowCount).toBe(1)
    await expect(meant.query('SELECT 1')).rejects.toThrow()
  })

  it('never hits a session that was given the same process id later', async () => {
    const { inspect } = at.open()
    const meant = await at.client()
    const { pid, startedAt } = await sessionOf(meant)
    for (const other of [startedAt - 1, startedAt + 1]) {
      expect(await inspect.cancel({ pid, startedAt: other })).toBe(false)
      expect(await inspect.terminate({ pid, startedAt: other })).toBe(false)
    }
    expect((await meant.query('SELECT 1')).rowCount).toBe(1)
  })

  it('shows a role without rights what it may see, and what it lacks', async () => {
    const role = `plain_${randomBytes(4).toString('hex')}`
    const admin = await at.client('admin')
    await admin.query(`CREATE ROLE ${role} LOGIN PASSWORD 'plain'`)
    at.later(() => admin.query(`DROP ROLE ${role}`))
    const database = at.open({ user: role, password: 'plain' })
    const { sessions, missing } = await database.inspect.sessions()
    expect(missing).toEqual({
      kind: 'no-permission',
      message: expect.stringContaining(role),
      remedy: `GRANT pg_read_all_stats TO ${role}`,
    })
    const other = sessions.find(({ application }) => application === 'admin')
    expect(other).toMatchObject({ startedAt: null, statement: null, state: 'other', user: at.place.user })
    const { pid, startedAt } = await sessionOf(admin)
    expect(await database.inspect.terminate({ pid, startedAt })).toBe(false)
    await admin.query(`GRANT pg_read_all_stats TO ${role}`)
    await expect(database.inspect.terminate({ pid, startedAt })).rejects.toMatchObject({
      code: 'FORBIDDEN',
      remedy: expect.stringContaining('pg_signal_backend'),
    })
    expect((await database.inspect.sessions()).missing).toBe(null)
    await database.pool.close(0)
  })

  it('throws DATABASE_UNAVAILABLE for a server that is away', async () => {
    const { inspect } = at.open({ port: 1 })
    await expect(inspect.sessions()).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' })
    await expect(inspect.statements()).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' })
  })
})
