import { expect, test } from 'vitest'
import { secondsTyped, shownWords, ttlWords } from './words'

test('a time to live is a span, or none', () => {
  expect(ttlWords(null)).toBe('for ever')
  expect(ttlWords(90_000)).toBe('1 min 30 s')
})

test('what is cut says how much of it is shown', () => {
  expect(shownWords({ type: 'hash', length: 1204, shown: 200 })).toBe('200 of 1,204 fields shown')
  expect(shownWords({ type: 'stream', length: 1, shown: 1 })).toBe('1 entry, all shown')
  expect(shownWords({ type: 'string', length: 2048, shown: 1024 })).toBe('1.00 KiB of 2.00 KiB shown')
  expect(shownWords({ type: 'string', length: 5, shown: 5 })).toBe('5 B, all of it shown')
})

test('seconds are typed as a number above zero', () => {
  expect(secondsTyped(' 90 ')).toBe(90_000)
  expect(secondsTyped('0,5')).toBe(500)
  for (const wrong of ['', '0', '-1', 'soon', '1e99', '0.0001']) expect(secondsTyped(wrong)).toBeUndefined()
})
