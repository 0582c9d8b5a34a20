import { expect, it } from 'vitest'
import { boundWords, sentenceOf, spanOf } from './query-time-words'

const keptMs = 900_000
const newest = 10_000_001

it('asks for whole steps of some seconds while samples reach, of a minute beyond', () => {
  const first = newest - keptMs
  expect(spanOf({ window: null, rangeMs: 300_000, first, newest, keptMs })).toEqual({
    ...{ from: 9_704_000, to: 10_004_000, everyMs: 4_000 },
  })
  expect(spanOf({ window: null, rangeMs: 3_600_000, first, newest, keptMs })).toEqual({
    ...{ from: 6_420_000, to: 10_020_000, everyMs: 60_000 },
  })
})

it('begins with the first sample of a console that has just started', () => {
  expect(spanOf({ window: null, rangeMs: 900_000, first: 9_912_345, newest, keptMs })).toEqual({
    ...{ from: 9_910_000, to: 10_010_000, everyMs: 10_000 },
  })
})

it('asks for a brushed window as it is', () => {
  const window = { from: 9_912_345, to: 9_923_456 }
  expect(spanOf({ window, rangeMs: 900_000, first: 0, newest, keptMs })).toEqual({
    ...window,
    everyMs: 10_000,
  })
  const old = { from: 12_345, to: 23_456 }
  expect(spanOf({ window: old, rangeMs: 900_000, first: 0, newest, keptMs }).everyMs).toBe(60_000)
})

it('writes bounds in milliseconds, also those of microseconds', () => {
  const bounds = [0, 0.001, 0.064, 0.128, 1.024, 131.072, 2_097.152]
  expect(bounds.map(boundWords)).toEqual([
    ...['0 ms', '0.001 ms', '0.064 ms', '0.13 ms', '1.02 ms', '131 ms', '2.1 s'],
  ])
})

it('says what is seen, and nothing of one in a hundred where there are fewer', () => {
  expect(sentenceOf({ statements: 1_200, p50: 0.4, p99: 12.3, bounds: [0, 16] })).toBe(
    'Half of 1,200 statements took up to 0.4 ms; the slowest 1 % over 12 ms.',
  )
  expect(sentenceOf({ statements: 3, p50: 0.05, p99: 0.06, bounds: [0.032, 0.064] })).toBe(
    'Half of 3 statements took up to 0.05 ms, none more than 0.064 ms.',
  )
})
