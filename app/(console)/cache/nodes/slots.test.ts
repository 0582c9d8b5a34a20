import { describe, expect, test } from 'vitest'
import type { NodeFacts } from '@/components/cache/types'
import { ordered } from './order'
import { gapsOf, ownersOf, rangesText, SLOTS, sizeOf, slotRows, slotsSentence } from './slots'

const node = (facts: Partial<NodeFacts>): NodeFacts =>
  ({
    address: 'a:1',
    role: 'primary',
    error: null,
    primary: null,
    linked: null,
    slots: [],
    ...facts,
  }) as NodeFacts

describe('slots of a cluster', () => {
  test('number primaries by their first slot and leave out nodes without slots', () => {
    const owners = ownersOf([
      node({ address: 'c:1', slots: [{ from: 10_923, to: 16_383 }] }),
      node({ address: 'empty:1' }),
      node({
        address: 'a:1',
        slots: [
          { from: 9_000, to: 10_922 },
          { from: 0, to: 8_999 },
        ],
      }),
      node({ address: 'r:1', role: 'replica', slots: [] }),
    ])
    expect(owners.map(({ number, address, slots }) => [number, address, slots])).toEqual([
      [1, 'a:1', 10_923],
      [2, 'c:1', 5_461],
    ])
    expect(gapsOf(owners)).toEqual([])
  })
  test('show what nobody serves at the start, between and at the end', () => {
    const owners = ownersOf([
      node({
        slots: [
          { from: 10, to: 19 },
          { from: 30, to: 39 },
        ],
      }),
    ])
    const gaps = gapsOf(owners)
    expect(gaps).toEqual([
      { from: 0, to: 9 },
      { from: 20, to: 29 },
      { from: 40, to: SLOTS - 1 },
    ])
    expect(sizeOf(gaps) + 20).toBe(SLOTS)
    expect(gapsOf([])).toEqual([{ from: 0, to: SLOTS - 1 }])
  })
  test('are written short, single ones as one number', () => {
    const ranges = [
      { from: 0, to: 5 },
      { from: 7, to: 7 },
      { from: 9, to: 10 },
    ]
    expect(rangesText(ranges)).toBe('0–5, 7, 9–10')
    expect(rangesText(ranges, 2)).toBe('0–5, 7 and 1 more')
  })
})

test('nodes that fail stand first, then replicas cut off, then each primary above its replicas', () => {
  const nodes = [
    node({ address: 'h:2', role: 'replica', primary: 'h:10', linked: true }),
    node({ address: 'h:10' }),
    node({ address: 'h:9' }),
    node({ address: 'h:3', role: 'replica', primary: 'h:9', linked: false }),
    node({ address: 'h:4', role: null, error: 'refused' }),
    node({ address: 'h:1', role: 'replica', primary: 'h:9', linked: true }),
  ]
  expect(ordered(nodes).map(({ address }) => address)).toEqual(['h:4', 'h:3', 'h:9', 'h:1', 'h:10', 'h:2'])
})

describe('the bar of slots', () => {
  const whole = ownersOf([
    node({ address: 'a:1', slots: [{ from: 0, to: 8_000 }] }),
    node({ address: 'b:1', slots: [{ from: 8_001, to: 16_383 }] }),
  ])
  test('is told in words', () => {
    expect(slotsSentence(whole)).toBe('2 primaries serve all 16,384 slots, 8,001 to 8,383 each.')
    expect(slotsSentence(whole.slice(0, 1))).toBe('1 primary serves 8,001 of 16,384 slots.')
    expect(slotsSentence([])).toBe('No primary serves a slot.')
  })
  test('is a row for each range, and for each that nobody serves', () => {
    const owners = ownersOf([
      node({ address: 'b:1', error: 'ECONNREFUSED', slots: [{ from: 8_000, to: 16_383 }] }),
      node({
        address: 'a:1',
        slots: [
          { from: 0, to: 9 },
          { from: 20, to: 20 },
        ],
      }),
    ])
    expect(slotRows(owners)).toEqual([
      ['number', 'primary', 'answers', 'first slot', 'last slot', 'slots'],
      [1, 'a:1', 'yes', 0, 9, 10],
      [null, null, null, 10, 19, 10],
      [1, 'a:1', 'yes', 20, 20, 1],
      [null, null, null, 21, 7_999, 7_979],
      [2, 'b:1', 'no', 8_000, 16_383, 8_384],
    ])
  })
})
