import { expect, it } from 'vitest'
import { durationWords, originWords, rateWords } from './words'

it('says limits and times without idle zeros', () => {
  expect(rateWords({ most: 6_000, windowMs: 60_000 })).toMatch(/^6\D?000 in 1 min$/)
  expect(rateWords(null)).toBe('off')
  expect(durationWords(86_400_000)).toBe('1 d')
  expect(durationWords(90_000)).toBe('1 min 30 s')
  expect(durationWords(600_000)).toBe('10 min')
})

it('names who blocked', () => {
  expect(originWords({ origin: 'limits', createdBy: 'system' })).toBe('The limits')
  expect(originWords({ origin: 'person', createdBy: 'ana@example.org' })).toBe('ana@example.org')
})
