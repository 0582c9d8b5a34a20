import { afterEach, describe, expect, it } from 'vitest'
import { describeStores } from '@/db/testing/stores'
import { holdLease, releaseLease } from '@/server/leases'
import { openLog } from '@/server/log'
import type { StatementFigures, Statements } from '../inspect/types'
import { openStatementHistory } from '.'
import { HOUR_MS, Hours } from './hours'
import { cleanHours, readHours, writeHours } from './units'

const start = Date.UTC(2026, 0, 5, 12)
const minute = 60_000

const figures = (fingerprint: string, calls: number, totalMs: number): StatementFigures => ({
  ...{ fingerprint, text: `SELECT ${fingerprint}`, calls, totalMs, meanMs: totalMs / calls },
  ...{ maxMs: null, rows: calls * 2, errors: null, cacheHitRatio: null, share: 0 },
})

const reading = (source: Statements['source'], ...statements: StatementFigures[]) => ({ source, statements })
const none = new Set<string>()

describe('hours of statements', () => {
  it('count from the second reading on what the server counted for all its clients', () => {
    const hours = new Hours()
    hours.add(reading('pg_stat_statements', figures('a', 1_000, 9_000)), start)
    expect(hours.rows(none)).toEqual([])
    hours.add(reading('pg_stat_statements', figures('a', 1_007, 9_070)), start + minute)
    const row = { fingerprint: 'a', at: start, calls: 7, total: 70_000, longest: null, rows: 14 }
    expect(hours.rows(none)).toEqual([row])
  })

  it('count own samples from the first reading on', () => {
    const hours = new Hours()
    hours.add(reading('own', figures('a', 3, 30)), start)
    hours.add(reading('own', figures('a', 5, 40), figures('b', 1, 2)), start + minute)
    expect(hours.rows(none).map(({ fingerprint, calls, total }) => [fingerprint, calls, total])).toEqual([
      ['a', 5, 40_000],
      ['b', 1, 2_000],
    ])
  })

  it('begin anew when counters were reset', () => {
    const hours = new Hours()
    hours.add(reading('pg_stat_statements', figures('a', 500, 5_000)), start)
    hours.add(reading('pg_stat_statements', figures('a', 4, 8)), start + minute)
    expect(hours.rows(none)).toMatchObject([{ calls: 4, total: 8_000 }])
  })

  it('leave out what grew over so long that no hour can be told', () => {
    const hours = new Hours()
    hours.add(reading('pg_stat_statements', figures('a', 500, 5_000)), start)
    hours.add(reading('pg_stat_statements', figures('a', 900, 9_000)), start + HOUR_MS)
    expect(hours.rows(none)).toEqual([])
  })

  it('keep the fifty with most time, those of indexes, and those that were kept already', () => {
    const hours = new Hours()
    const many = (scale: number) =>
      Array.from({ length: 80 }, (_, i) => figures(`s${i}`, scale, scale * (i + 1)))
    hours.add(reading('own', ...many(1)), start)
    const first = hours.rows(new Set(['s3']))
    expect(first).toHaveLength(51)
    expect(first.at(-1)?.fingerprint).toBe('s3')
    hours.wrote(first, start + 1)
    hours.add(reading('own', ...many(1), figures('s0', 1_000, 90_000)), start + minute)
    const second = hours.rows(none).map(({ fingerprint }) => fingerprint)
    // s30 was the fiftieth and s0 took its place; what was written once is renewed all the same.
    expect([second[0], second.includes('s30'), second.includes('s3'), second.length]).toEqual([
      's0',
      true,
      true,
      52,
    ])
  })

  it('wait for a store that is away for a day, and are forgotten once written', () => {
    const hours = new Hours()
    for (let i = 0; i < 30; i++) {
      hours.add(reading('own', figures('a', i + 1, i + 1)), start + i * HOUR_MS)
    }
    const rows = hours.rows(none)
    expect([rows.length, rows[0]?.at]).toEqual([24, start + 6 * HOUR_MS])
    hours.wrote(rows, start + 29 * HOUR_MS + 1)
    expect(hours.rows(none).map(({ at }) => at)).toEqual([start + 29 * HOUR_MS])
  })
})

describeStores((open) => {
  const undo: (() => unknown)[] = []
  afterEach(async () => {
    for (const step of undo.splice(0).reverse()) await step()
  })

  const row = { fingerprint: 'a', at: start, calls: 5, total: 50_000, longest: 20_000, rows: 5 }
  const whole = { from: start, to: start + HOUR_MS }

  it('writes an hour again in place of what was there, and adds up writers', async () => {
    const store = await open()
    await store.run(writeHours, { rows: [row], writer: 'one' })
    await store.run(writeHours, { rows: [{ ...row, calls: 9, total: 90_000 }], writer: 'one' })
    await store.run(writeHours, { rows: [row], writer: 'two' })
    const rows = await readHours(store, 'a', whole)
    expect(rows.map(({ writer, calls, longest }) => [writer, calls, longest]).sort()).toEqual([
      ['one', 9, 20_000],
      ['two', 5, 20_000],
    ])
    const clock = { now: () => start + HOUR_MS }
    const log = openLog('error', () => {})
    const database = () => ({ inspect: { statements: () => Promise.reject(new Error('not asked')) } })
    const history = openStatementHistory({ store, clock, log, database, instance: 'three' })
    expect(await history.of('a', whole)).toEqual({ step: HOUR_MS, at: [start], calls: [14], totalMs: [140] })
    expect(await history.of('b', whole)).toEqual({ step: HOUR_MS, at: [], calls: [], totalMs: [] })
  })

  it('removes old hours in batches', async () => {
    const store = await open()
    const rows = Array.from({ length: 700 }, (_, i) => ({ ...row, fingerprint: `s${i}` }))
    for (let i = 0; i < rows.length; i += 100) {
      await store.run(writeHours, { rows: rows.slice(i, i + 100), writer: 'one' })
    }
    await store.run(writeHours, { rows: [{ ...row, at: start + HOUR_MS }], writer: 'one' })
    const removed: number[] = []
    for (let i = 0; i < 3; i++) removed.push(await store.run(cleanHours, { before: start + HOUR_MS }))
    expect(removed).toEqual([500, 200, 0])
    expect(await readHours(store, 'a', { from: start, to: start + 2 * HOUR_MS })).toHaveLength(1)
  })

  it('gives the lease to one at a time, and to another once it is over or given back', async () => {
    const store = await open()
    const hold = (owner: string, now: number) =>
      store.run(holdLease, { name: 'history', owner, now, until: now + 10 })
    const both = await Promise.all([hold('one', 0), hold('two', 0)])
    expect(both.filter(({ held }) => held)).toEqual([{ held: true, fresh: true }])
    const [owner, other] = both[0]?.held ? ['one', 'two'] : ['two', 'one']
    expect(await hold(owner as string, 5)).toEqual({ held: true, fresh: false })
    expect(await hold(other as string, 15)).toMatchObject({ held: false })
    expect(await hold(other as string, 16)).toEqual({ held: true, fresh: true })
    // Whoever lost it in between counts anew, even if it was free again.
    expect(await hold(owner as string, 30)).toEqual({ held: true, fresh: true })
    await store.run(releaseLease, { name: 'history', owner: owner as string })
    expect(await hold(other as string, 31)).toEqual({ held: true, fresh: true })
  })
})
