import { describe, expect, it } from 'vitest'
import { Histogram } from '@/server/histogram'
import { packed, queryTimesOf, together } from './query-times'

/** What a histogram has counted of these milliseconds. */
function counted(...milliseconds: number[]) {
  const histogram = new Histogram()
  for (const each of milliseconds) histogram.record(each)
  return packed(histogram.counts().buckets)
}

describe('packed counts', () => {
  it('are as long as what was counted lies apart', () => {
    expect(counted()).toEqual([])
    expect(counted(1, 1, 1)).toHaveLength(2)
    expect(counted(1, 1.9)).toEqual([40, 1, 0, 0, 0, 1])
    expect(packed([0, 3, 0, -1, 2, 0])).toEqual([1, 3, 0, 0, 2])
  })

  it('add up, and are unknown together where each is', () => {
    expect(together([counted(1, 500), null, counted(1)])).toEqual(counted(500, 1, 1))
    expect(together([[], []])).toEqual([])
    expect(together([null, null])).toBeNull()
  })
})

describe('times of statements on a grid', () => {
  const grid = { step: 10, from: 100, to: 140 }

  it('are counted by powers of two, from the fastest to the slowest that there was', () => {
    const { at, bounds, counts, statements } = queryTimesOf(grid, [
      { at: 100, times: counted(0.3, 0.3, 0.7) },
      { at: 109, times: counted(1.5) },
      { at: 120, times: [] },
      { at: 130, times: null },
    ])
    expect(at).toEqual([100, 110, 120, 130])
    expect(bounds).toEqual([0.256, 0.512, 1.024, 2.048])
    expect(counts).toEqual([[2, 1, 1], null, [0, 0, 0], null])
    expect(statements).toBe(4)
  })

  it('say what half and all but one in a hundred did not exceed', () => {
    const { p50, p99 } = queryTimesOf(grid, [
      { at: 100, times: counted(...Array.from({ length: 98 }, () => 0.4), 80, 80) },
    ])
    expect(p50).toBeCloseTo(0.4, 1)
    expect(p99).toBeGreaterThan(70)
    expect(p99).toBeLessThan(90)
  })

  it('hold what is faster and slower than any bucket', () => {
    const { bounds, counts } = queryTimesOf(grid, [{ at: 100, times: counted(0, 1e9) }])
    expect(bounds[0]).toBe(0)
    expect([counts[0]?.[0], counts[0]?.at(-1)]).toEqual([1, 1])
    expect(bounds).toHaveLength((counts[0]?.length ?? 0) + 1)
  })

  it('are nothing where nothing was counted, and leave out what lies outside', () => {
    expect(queryTimesOf(grid, [{ at: 110, times: [] }])).toEqual({
      ...{ step: 10, at: [100, 110, 120, 130], bounds: [], counts: [null, [], null, null] },
      ...{ statements: 0, p50: null, p99: null },
    })
    expect(
      queryTimesOf(grid, [
        { at: 99, times: counted(1) },
        { at: 140, times: counted(1) },
      ]).statements,
    ).toBe(0)
  })
})
