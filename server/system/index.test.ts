import { randomUUID } from 'node:crypto'
import { setMaxListeners } from 'node:events'
import { afterEach, expect, it } from 'vitest'
import type { Store } from '@/db/store'
import { waitUntil } from '@/db/testing/processes'
import { describeStores } from '@/db/testing/stores'
import { q, unit } from '@/db/unit'
import { openCache } from '@/server/cache'
import { systemClock } from '@/server/clock'
import { type Database, openSqliteDatabase } from '@/server/database'
import { openLog } from '@/server/log'
import { type LiveEvent, metricNames, openSystem, type System } from '.'

const lines: string[] = []
const log = openLog('warn', (line) => lines.push(line))
const undo: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

/** The measurements of a store, with a database beside it whose readings are counted. */
function open(store: Store) {
  const database = openSqliteDatabase({ log }, { file: ':memory:' })
  const cache = openCache({ clock: systemClock, log }, {})
  let readings = 0
  const counted: Database = {
    ...database,
    figures: () => {
      readings++
      return database.figures()
    },
  }
  const system = openSystem({ clock: systemClock, log, store, cache, database: () => counted })
  undo.push(database.close, cache.close, system.close)
  return { system, database, cache, readings: () => readings }
}

const signedIn = unit('test.signed-in', function* (tx, now: number) {
  const { users, sessions } = tx.tables
  const user = { email: 'a@b.c', name: 'A', role: 'admin', state: 'active', createdAt: now, updatedAt: now }
  yield* q(tx.db.insert(users).values({ id: 'u', ...user } as typeof users.$inferInsert))
  for (const [lasts, endedAt] of [
    [60_000, null],
    [60_000, null],
    [60_000, now],
    [-1, null],
  ] as const) {
    yield* q(
      tx.db.insert(sessions).values({
        ...{ id: randomUUID(), userId: 'u', methods: ['pwd'], device: 'd', deviceHash: 'd', address: '::1' },
        ...{ createdAt: now, lastUsedAt: now, idleExpiresAt: now + lasts, expiresAt: now + lasts, endedAt },
      }),
    )
  }
})

const sampled = (system: System, count: number) =>
  waitUntil('samples', async () => system.history().at.length >= count)

describeStores((openStore) => {
  it('measures every metric and counts the sessions that live', async () => {
    const store = await openStore()
    await store.run(signedIn, Date.now())
    const { system, database, cache } = open(store)
    system.start()
    await sampled(system, 1)
    if (database.dialect === 'sqlite') database.client.prepare('SELECT 1').get()
    await cache.set('k', 1, { ttl: 60_000 })
    await cache.get('k')
    await cache.get('absent')
    await sampled(system, 2)
    const { values } = system.latest() as NonNullable<ReturnType<System['latest']>>
    expect(Object.keys(values).sort()).toEqual([...metricNames].sort())
    expect(values).toMatchObject({
      holdfast_security_sessions: 2,
      holdfast_audit_events: 0,
      holdfast_migration_runs_active: 0,
      holdfast_cache_hit_ratio: 0.5,
      holdfast_cache_redis_read_p99_seconds: null,
      holdfast_cache_evictions_per_second: 0,
      holdfast_database_pool_in_use_connections: null,
      holdfast_live_streams: 0,
    })
    expect(values.holdfast_database_queries_per_second).toBeGreaterThan(0)
    expect(values.holdfast_database_query_p99_seconds).toBeGreaterThan(0)
    expect(values.holdfast_event_loop_delay_p99_seconds).toBeLessThan(5)
    expect(values.holdfast_process_resident_bytes).toBeGreaterThan(1e7)
    expect((await system.health()).components.map(({ id }) => id)).toEqual([
      'database',
      'cache',
      'process',
      'host',
      'security',
    ])
  })

  it('tells how long statements took by seconds as far back as these are kept, else by minutes', async () => {
    const { system, database } = open(await openStore())
    system.start()
    await sampled(system, 1)
    if (database.dialect === 'sqlite') database.client.prepare('SELECT 1').get()
    await sampled(system, 3)
    const first = system.history().at[0] as number
    const to = Date.now() + 60_000
    const seconds = await system.queryTimes({ from: first - 5_000, to, points: 60 })
    expect(seconds.step).toBe(2_000)
    expect(seconds.statements).toBeGreaterThan(0)
    // What is not over yet is no gap, what was before the start is one.
    expect(seconds.counts[0]).toBeNull()
    expect(seconds.at.at(-1)).toBeLessThanOrEqual(system.latest()?.at as number)
    expect(seconds.bounds).toHaveLength((seconds.counts.at(-1)?.length ?? 0) + 1)
    const minutes = await system.queryTimes({ from: first - 3_600_000, to, points: 120 })
    expect(minutes.step).toBe(60_000)
    expect(minutes.statements).toBeGreaterThanOrEqual(seconds.statements)
  })

  it('samples once for 200 streams, each of which gets every sample', async () => {
    const { system, readings } = open(await openStore())
    const stop = new AbortController()
    setMaxListeners(0, stop.signal)
    const received = Array.from({ length: 200 }, (): LiveEvent[] => [])
    const streams = received.map(async (events) => {
      for await (const { event } of system.subscribe({ signal: stop.signal })) {
        if (event.kind === 'sample') events.push(event)
      }
    })
    system.start()
    await sampled(system, 3)
    await waitUntil('the last stream', async () => received.every((events) => events.length >= 3))
    stop.abort()
    await Promise.all(streams)
    await system.close()
    expect(readings()).toBe(system.history().at.length)
    const times = (events: LiveEvent[]) => events.map((event) => (event.kind === 'sample' ? event.at : null))
    expect(times(received[0] as LiveEvent[])).toEqual(
      system.history().at.slice(0, (received[0] as LiveEvent[]).length),
    )
    expect(new Set(received.map((events) => JSON.stringify(events))).size).toBe(1)
    expect(system.history().values.holdfast_live_streams.at(-1)).toBe(200)
  })

  it('gives one verdict to all who ask within a second, and another to whoever asks later', async () => {
    const store = await openStore()
    const { database, cache } = open(store)
    let now = 1_000
    let looks = 0
    let away = false
    const looked: Database = {
      ...database,
      stats: async () => {
        looks++
        if (away) throw new Error('away')
        return database.stats()
      },
    }
    const system = openSystem({
      ...{ clock: { now: () => now }, log, store, cache, database: () => looked },
    })
    undo.push(system.close)
    const [first, second] = await Promise.all([system.health(), system.health()])
    now = 1_999
    expect([second, await system.health()]).toEqual([first, first])
    expect([first.at, looks]).toEqual([1_000, 1])
    now = 2_000
    expect((await system.health()).at).toBe(2_000)
    // A look that failed is no verdict: the next one looks again at once.
    now = 3_000
    away = true
    await expect(system.health()).rejects.toThrow('away')
    away = false
    expect([(await system.health()).at, looks]).toEqual([3_000, 4])
  })
})
