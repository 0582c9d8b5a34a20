import { expect, it } from 'vitest'
import { throughputOf, throughputSentence } from './throughput-words'

it('has a chart from two points on, and none of a run whose speeds have no times', () => {
  expect(throughputOf(undefined)).toBeNull()
  expect(throughputOf({ everyMs: 1_000, rowsPerSecond: [1, 2, 3] })).toBeNull()
  expect(throughputOf({ everyMs: 1_000, at: [1], rowsPerSecond: [5], bytesPerSecond: [6] })).toBeNull()
  const [rows, bytes] = [
    [5, 6],
    [7, 3e6],
  ]
  expect(throughputOf({ everyMs: 1_000, at: [1, 2], rowsPerSecond: rows, bytesPerSecond: bytes })).toEqual({
    ...{ times: [1, 2], rows, bytes, everyMs: 1_000, from: 1, to: 2 },
    most: 5 * 2 ** 20,
  })
})

it('says least, greatest and mean, and what a point stands for', () => {
  const words = (value: number) => `${value} /s`
  expect(throughputSentence([10, 30, 20], 2_000, words)).toBe(
    'Between 10 /s and 30 /s, 20 /s in the mean; a point each 2 s.',
  )
  expect(throughputSentence([10, 10], 1_000, words)).toBe(
    '10 /s throughout, 10 /s in the mean; a point each 1 s.',
  )
})
