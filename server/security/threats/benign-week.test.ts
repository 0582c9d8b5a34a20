import { expect, it } from 'vitest'
import { createEngine, evaluate } from './engine'
import { benignWeek } from './testing/benign-week'
import { fixtures, inOrder, place } from './testing/fixtures'
import { day } from './testing/rows'
import type { Hit } from './types'

const grave = (hits: Hit[]) =>
  hits.filter(({ meets, severity }) => meets && (severity === 'high' || severity === 'critical'))

it.each([7, 8, 9, 10, 11])('finds nothing high in a benign week of 200 people (seed %i)', (seed) => {
  const rows = benignWeek(seed)
  expect(rows.length).toBeGreaterThan(5_000)
  const hits = evaluate(createEngine(new Map(), { place }), rows)
  expect(grave(hits).map(({ rule, summary }) => `${rule}: ${summary}`)).toEqual([])
  // It is not blind: what is worth a word is told.
  expect(new Set(hits.map(({ rule }) => rule))).toContain('dormant-account')
})

it('finds every attack among the people of that week', () => {
  const attacks = fixtures
    .flatMap(({ events }) => events(1))
    .map((row) => ({ ...row, time: row.time + 2 * day }))
  const hits = evaluate(createEngine(new Map(), { place }), inOrder([...benignWeek(), ...attacks]))
  const found = new Set(hits.filter(({ meets }) => meets).map(({ rule }) => rule))
  expect(fixtures.map(({ rule }) => rule).filter((rule) => !found.has(rule))).toEqual([])
})
