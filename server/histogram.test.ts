import { describe, expect, it } from 'vitest'
import { countedSince, Histogram, quantile, quantiles } from './histogram'

describe('histogram', () => {
  it('reads quantiles that are at most 9 % off over five orders of magnitude', () => {
    const histogram = new Histogram()
    const values = Array.from({ length: 10_000 }, (_, n) => 0.01 * 1.0012 ** n)
    for (const value of values) histogram.record(value)
    for (const share of [0.01, 0.5, 0.95, 0.99]) {
      const exact = values[Math.ceil(values.length * share) - 1] as number
      expect(Math.abs((quantile(histogram.counts(), share) as number) / exact - 1)).toBeLessThan(0.095)
    }
  })

  it('has no quantile where nothing was measured', () => {
    expect(quantiles(new Histogram().counts())).toEqual({
      count: 0,
      mean: null,
      p50: null,
      p95: null,
      p99: null,
    })
  })

  it('tells what was measured between two moments', () => {
    const histogram = new Histogram()
    histogram.record(1000)
    const before = histogram.counts()
    histogram.record(2)
    histogram.record(2)
    const since = quantiles(countedSince(histogram.counts(), before))
    expect(since).toMatchObject({ count: 2, mean: 2 })
    expect(since.p99).toBeCloseTo(2, 0)
  })

  it('keeps zero, negative and enormous values in its outer buckets', () => {
    const histogram = new Histogram()
    for (const value of [0, -1, 1e12]) histogram.record(value)
    expect(histogram.counts().buckets.reduce((sum, value) => sum + value, 0)).toBe(3)
  })
})
