import { asc, eq, lte, sql } from 'drizzle-orm'
import { expect, it } from 'vitest'
import type { Store } from '@/db/store'
import { describeStores } from '@/db/testing/stores'
import { unguardAudit } from '@/db/testing/unguard'
import { q, unit } from '@/db/unit'
import { openLog } from '@/server/log'
import { CHUNK } from './chunks/columns'
import { readRolled } from './chunks/roll-units'
import type { EventFilter } from './filter'
import { type Events, openEvents } from './index'
import { DAY, gridOf } from './steps'
import { type Draw, drawFilter, fill, naive, type Row, rowsOf, seededDraw } from './testing/random-log'

const now = Date.UTC(2026, 5, 1)
const log = openLog('error')
const open = (store: Store): Events => openEvents({ store, log, clock: { now: () => now } })

/** All pages of a filter, one way or the other. */
async function pages(events: Events, filter: EventFilter, limit: number, up = false): Promise<number[]> {
  const found: number[] = []
  let at: { before?: number; after?: number } | null = up ? { after: 0 } : {}
  while (at) {
    const page = await events.list({ ...filter, ...at, limit })
    const seqs = page.events.map(({ seq }) => seq)
    found.push(...(up ? seqs.reverse() : seqs))
    if (up) at = page.previous === null ? null : { after: page.previous }
    else at = page.next === null ? null : { before: page.next }
  }
  return found
}

/** The first pages are compared in both directions, the counts in all three ways. */
async function compare(events: Events, rows: Row[], filter: EventFilter): Promise<void> {
  const expected = naive(rows, filter)
  const seqs = expected.map(({ seq }) => seq).reverse()
  const page = await events.list({ ...filter, limit: 40 })
  expect(page.events.map(({ seq }) => seq)).toEqual(seqs.slice(0, 40))
  expect(page.next).toBe(seqs.length > 40 ? (seqs[39] ?? null) : null)
  const up = await events.list({ ...filter, after: 0, limit: 40 })
  expect(up.events.map(({ seq }) => seq)).toEqual(seqs.slice(-40))
  for (const by of ['outcome', 'severity', 'event'] as const) {
    const { from, to, stepMs, series, buckets, total } = await events.histogram({
      ...filter,
      by,
      buckets: 90,
    })
    expect({ from, to, stepMs }).toEqual(expect.objectContaining(gridOf(span(rows, filter), 90)))
    expect(total).toBe(expected.length)
    const places = new Map(series.map((name, at) => [name, at]))
    const counts = buckets.map(() => series.map(() => 0))
    for (const row of expected) {
      const bucket = counts[Math.floor((row.time - from) / stepMs)]
      const at = places.get(String(row[by])) ?? places.get('other')
      if (!bucket || at === undefined) throw new Error(`no place for event ${row.seq}`)
      bucket[at] = (bucket[at] as number) + 1
    }
    expect(buckets.map((bucket) => series.map((_, at) => bucket.counts[at] ?? 0))).toEqual(counts)
  }
}

function span(rows: Row[], { from, to }: EventFilter) {
  const times = rows.map(({ time }) => time)
  const end = to ?? Math.max(now, Math.max(...times) + 1)
  return { from: from ?? Math.min(...times, end), to: end }
}

const prune = unit('test.prune', function* (tx, until: number) {
  yield* q(tx.db.delete(tx.tables.auditEvents).where(lte(tx.tables.auditEvents.seq, until)))
})

async function countedOf(store: Store) {
  const { eventCounts } = store.tables
  const [hours] = await store.db
    .select({ events: sql<number>`sum(${eventCounts.events})` })
    .from(eventCounts)
    .where(eq(eventCounts.step, DAY))
  return Number(hours?.events ?? 0)
}

async function chunkIds(store: Store) {
  const { eventChunks } = store.tables
  return (await store.db.select({ id: eventChunks.id }).from(eventChunks).orderBy(asc(eventChunks.id))).map(
    ({ id }) => id,
  )
}

describeStores((openStore, dialect) => {
  it('finds and counts what a plain look at every row finds and counts', { timeout: 240_000 }, async () => {
    const store = await openStore()
    const draw: Draw = seededDraw(dialect === 'sqlite' ? 1 : 2)
    await fill(store, draw, { events: 2 * CHUNK + 900, now })
    let rows = await rowsOf(store)
    const filters = Array.from({ length: 18 }, () => drawFilter(draw, rows, now))
    const first = open(store)
    await compare(first, rows, {})
    for (const filter of filters) await compare(first, rows, filter)

    await first.roll()
    expect(await readRolled(store)).toEqual({ chunks: 2, pruned: 0 })
    expect(await countedOf(store)).toBe(2 * CHUNK)
    const cold = open(store)
    for (const events of [first, cold]) {
      await compare(events, rows, {})
      for (const filter of filters) await compare(events, rows, filter)
    }

    await unguardAudit(store)
    // In the middle of a chunk, then the whole of it and a part of the next.
    for (const until of [3_000, CHUNK + 5]) {
      await store.run(prune, until)
      rows = rows.filter(({ seq }) => seq > until)
      await compare(cold, rows, {})
      for (const filter of filters.slice(0, 8)) await compare(cold, rows, filter)
      await first.roll()
      expect(await readRolled(store)).toEqual({ chunks: 2, pruned: until })
      expect(await countedOf(store)).toBe(2 * CHUNK - until)
    }
    expect(await chunkIds(store)).toEqual([1])
    await compare(open(store), rows, { outcomes: ['failure'] })
  })

  it('counts every event once when several roll up at once', { timeout: 120_000 }, async () => {
    const store = await openStore()
    await fill(store, seededDraw(3), { events: 2 * CHUNK + 10, now })
    const instances = [open(store), open(store), open(store)]
    await Promise.all(instances.map((events) => events.roll()))
    expect(await readRolled(store)).toEqual({ chunks: 2, pruned: 0 })
    expect(await countedOf(store)).toBe(2 * CHUNK)
    expect(await chunkIds(store)).toEqual([0, 1])
  })

  it('pages both ways without gaps or doubles while events arrive', { timeout: 60_000 }, async () => {
    const store = await openStore()
    const draw = seededDraw(4)
    await fill(store, draw, { events: 300, now })
    const events = open(store)
    const filter: EventFilter = { outcomes: ['success', 'failure'] }
    const expected = naive(await rowsOf(store), filter).map(({ seq }) => seq)
    const found: number[] = []
    let before: number | undefined
    do {
      const page = await events.list({ ...filter, before, limit: 20 })
      found.push(...page.events.map(({ seq }) => seq))
      await fill(store, draw, { events: 3, now })
      before = page.next ?? undefined
    } while (before !== undefined)
    expect(found).toEqual(expected.reverse())
    const all = naive(await rowsOf(store), filter).map(({ seq }) => seq)
    expect(await pages(events, filter, 37, true)).toEqual(all)
    expect(await pages(events, {}, 100)).toHaveLength((await rowsOf(store)).length)
  })

  it('ends a search early that would open too much, and goes on where it ended, both ways', {
    timeout: 60_000,
  }, async () => {
    const store = await openStore()
    const draw = seededDraw(14)
    await fill(store, draw, { events: 3 * CHUNK + 100, now })
    const rows = await rowsOf(store)
    // The word of one event in the oldest chunk, and one that is nowhere.
    const rare = rows[5] as Row
    const filter: EventFilter = { text: rare.actor }
    await open(store).roll()
    const bounded = () => openEvents({ store, log, clock: { now: () => now }, mostOpened: 1 })
    const nowhere = await bounded().list({ text: 'no such word anywhere', limit: 10 })
    expect(nowhere.events).toEqual([])
    expect(nowhere.next).toBeGreaterThan(1)
    expect(nowhere.previous).toBeNull()
    const expected = naive(rows, filter).map(({ seq }) => seq)
    expect((await pages(bounded(), filter, 10)).reverse()).toEqual(expected)
    expect(await pages(bounded(), filter, 10, true)).toEqual(expected)
    expect(await pages(bounded(), { text: 'no such word anywhere' }, 10)).toEqual([])
  })

  it('says where newer and older events are', async () => {
    const store = await openStore()
    const events = open(store)
    expect(await events.list({ limit: 10 })).toEqual({ events: [], next: null, previous: null })
    await fill(store, seededDraw(5), { events: 30, now })
    const newest = await events.list({ limit: 10 })
    expect([newest.next, newest.previous]).toEqual([21, null])
    const middle = await events.list({ limit: 10, before: 21 })
    expect([middle.next, middle.previous]).toEqual([11, 20])
    const back = await events.list({ limit: 10, after: 20 })
    expect(back.events.map(({ seq }) => seq)).toEqual(newest.events.map(({ seq }) => seq))
    expect([back.next, back.previous]).toEqual([21, null])
    const beyond = await events.list({ limit: 10, after: 30 })
    expect(beyond).toEqual({ events: [], next: 31, previous: null })
  })

  it('shows an event whole, with what happened around it', async () => {
    const store = await openStore()
    await fill(store, seededDraw(6), { events: 400, now })
    const rows = await rowsOf(store)
    const row = rows.find(({ sessionId, seq }) => sessionId !== null && seq > 200) as Row
    const found = await open(store).one(row.seq)
    const { neighbours, ...shown } = found
    expect(shown).toEqual({ ...row.stored, severity: row.severity })
    const around = (mine: (other: Row) => boolean) => ({
      before: rows
        .filter((other) => mine(other) && other.seq < row.seq)
        .map(({ seq }) => seq)
        .slice(-5)
        .reverse(),
      after: rows
        .filter((other) => mine(other) && other.seq > row.seq)
        .map(({ seq }) => seq)
        .slice(0, 5),
    })
    const seqs = (side: typeof neighbours.session) =>
      side && { before: side.before.map(({ seq }) => seq), after: side.after.map(({ seq }) => seq) }
    expect(seqs(neighbours.session)).toEqual(around(({ sessionId }) => sessionId === row.sessionId))
    expect(seqs(neighbours.actor)).toEqual(
      around(({ actor }) => actor.toLowerCase() === row.actor.toLowerCase()),
    )
    await expect(open(store).one(401)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('takes any text for words, never for a pattern', async () => {
    const store = await openStore()
    await fill(store, seededDraw(7), { events: 200, now })
    const events = open(store)
    const rows = await rowsOf(store)
    for (const text of [
      '%',
      '_',
      '\\',
      "'; drop table audit_events; --",
      '"',
      '(',
      '* OR',
      '\u0000',
      '🙂',
      'ẞ',
      'é',
      '%_%',
    ])
      await compare(events, rows, { text })
    expect((await events.list({ text: 'no such words anywhere', limit: 5 })).events).toEqual([])
  })

  it('shows rows as they are when somebody has changed them behind its back', async () => {
    const store = await openStore()
    await fill(store, seededDraw(8), { events: 50, now })
    const events = open(store)
    const actor = (await events.one(25)).actor
    expect((await events.list({ actor, limit: 50 })).events.map(({ seq }) => seq)).toContain(25)
    const tamper = unit('test.tamper', function* (tx, seq: number) {
      const { auditEvents } = tx.tables
      yield* q(tx.db.update(auditEvents).set({ actor: 'somebody else' }).where(eq(auditEvents.seq, seq)))
    })
    await unguardAudit(store)
    await store.run(tamper, 25)
    expect((await events.list({ actor, limit: 50 })).events.map(({ seq }) => seq)).not.toContain(25)
    expect((await events.list({ actor: 'somebody else', limit: 5 })).events).toHaveLength(1)
  })

  it('names events, sources and actors', async () => {
    const store = await openStore()
    await fill(store, seededDraw(9), { events: 500, now })
    const rows = await rowsOf(store)
    const facets = await open(store).facets({ actor: 'AN' })
    expect(facets.events).toEqual([...new Set(rows.map(({ event }) => event))].sort())
    expect(facets.sources).toEqual([...new Set(rows.flatMap(({ source }) => source ?? []))].sort())
    expect(facets.actors.length).toBeGreaterThan(0)
    expect(facets.actors.filter((name) => !name.toLowerCase().includes('an'))).toEqual([])
  })
})
