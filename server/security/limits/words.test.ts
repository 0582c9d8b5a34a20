import { expect, it } from 'vitest'
import { rateText, spanText } from './words'

it.each([
  [7_200_000, '2h'],
  [3_600_000, '1h'],
  [5_400_000, '90m'],
  [60_000, '1m'],
  [90_000, '90s'],
  [1_500, '2s'],
])('writes a span of %i ms as %s', (ms, text) => {
  expect(spanText(ms)).toBe(text)
})

it('writes a limit as configuration does', () => {
  expect(rateText({ most: 30, windowMs: 60_000 })).toBe('30/1m')
  expect(rateText(null)).toBe('off')
})
