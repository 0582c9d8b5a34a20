import { describe, expect, it } from 'vitest'
import { createEngine, evaluate } from './engine'
import { rules } from './rules'
import { fixtures, inOrder, place } from './testing/fixtures'
import { hour, log, minute } from './testing/rows'
import type { Hit, ThreatRow } from './types'

const engine = () => createEngine(new Map(), { place })

/** Findings that events make: those of hits that are enough, each subject's growth put together. */
const found = (hits: Hit[], rule: string) => hits.filter((hit) => hit.rule === rule && hit.meets)

it('has a fixture of every rule', () => {
  expect(fixtures.map(({ rule }) => rule).sort()).toEqual(rules.map(({ id }) => id).sort())
})

/** What there is one of, so that two cannot be told apart. */
const once = new Set(['audit-break', 'cache-degraded', 'backup-overdue', 'outside-alarm'])

describe.each(fixtures)('$rule', ({ rule, subject, events, below }) => {
  it('finds what is just enough, once, with the events behind it', () => {
    const rows = inOrder(events(0))
    const hits = found(evaluate(engine(), rows), rule)
    expect(hits).toHaveLength(1)
    expect(hits[0]).toMatchObject({ subject, rule })
    expect(hits[0]?.evidence).toContain(rows.at(-1)?.seq)
    expect(hits[0]?.summary).toMatch(/^\S.{10,}\.$/)
  })

  it('finds nothing just below', () => {
    expect(found(evaluate(engine(), inOrder(below(0))), rule)).toEqual([])
  })

  it('tells several at once apart', () => {
    const two = found(evaluate(engine(), inOrder([...events(0), ...events(1)])), rule)
    const subjects = new Set(two.map((hit) => hit.subject))
    expect(subjects.size).toBe(once.has(rule) ? 1 : 2)
    expect(found(evaluate(engine(), inOrder([...below(0), ...below(1)])), rule)).toEqual([])
  })

  it('finds the same when its events come one by one, again, and in pairs that changed places', () => {
    const rows = inOrder(events(0))
    const whole = found(evaluate(engine(), rows), rule).map(({ subject, count }) => ({ subject, count }))
    const single = engine()
    const hits = rows.flatMap((row) => [...evaluate(single, [row]), ...evaluate(single, [row])])
    expect(found(hits, rule).map(({ subject, count }) => ({ subject, count }))).toEqual(whole)
    if (rows.length < 4) return
    // The last ones stay: they are what the others lead up to.
    const last = rows.length - 2 - (rows.length % 2)
    const late = rows.map((row, at) => ({ ...(rows[at < last ? at ^ 1 : at] ?? row), seq: row.seq }))
    expect(found(evaluate(engine(), late), rule).map((hit) => hit.subject)).toEqual([subject])
  })
})

it('counts what goes on for the same finding, and opens another after the cooldown', () => {
  const { fail } = log()
  const at = (from: number, count: number) =>
    Array.from({ length: count }, (_, number) => fail('ana', from + number * minute, '198.51.100.7'))
  const it = engine()
  const of = (rows: ThreatRow[]) => evaluate(it, rows).filter(({ rule }) => rule === 'brute-force')
  expect(of(at(0, 10))).toMatchObject([{ meets: true, count: 10 }])
  expect(of(at(10 * minute, 2))).toMatchObject([{ meets: true, count: 2 }])
  expect(of(at(2 * hour, 9))).toEqual([])
  expect(of(at(2 * hour + 9 * minute, 1))).toMatchObject([
    { meets: true, count: 10, firstAt: expect.any(Number) },
  ])
})

it('keeps the console and each application that reports apart', () => {
  const { fail } = log()
  const rows = Array.from({ length: 10 }, (_, at) => ({
    ...fail('ana', at * minute, '198.51.100.7'),
    source: [null, 'shop', 'blog'][at % 3] ?? null,
  }))
  expect(found(evaluate(engine(), rows), 'brute-force')).toEqual([])
  const shop = rows.map((row) => ({ ...row, seq: row.seq + 100, source: 'shop' }))
  const hits = found(evaluate(engine(), shop), 'brute-force')
  expect(hits).toMatchObject([
    { subject: 'source:shop|address:198.51.100.7|account:ana@example.org', userId: null },
  ])
})
