import { expect, test } from 'vitest'
import { spanOf } from './span'

const at = (day: number, hour: number, minute = 0) => Date.UTC(2026, 0, day, hour, minute)

test('a short time is widened to the day that ends with its last hour', () => {
  expect(spanOf({ from: at(2, 10, 15), to: at(2, 10, 30) })).toEqual({ from: at(1, 11), to: at(2, 11) })
})
test('a long time is widened to whole hours', () => {
  expect(spanOf({ from: at(2, 10, 15), to: at(9, 10) })).toEqual({ from: at(2, 10), to: at(9, 10) })
})
test('nothing lies before the beginning of time, and the end after it', () => {
  expect(spanOf({ from: 0, to: 0 })).toEqual({ from: 0, to: 3_600_000 })
})
