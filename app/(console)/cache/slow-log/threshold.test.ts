import { expect, test } from 'vitest'
import { thresholdWords } from './threshold'

test('the threshold of the slow log is said in words, also where nothing is noted or told', () => {
  expect(thresholdWords({ threshold: 10_000, length: 128 })).toBe(
    'Commands that took longer than 10 ms are noted; each node keeps the last 128 commands.',
  )
  expect(thresholdWords({ threshold: 0, length: 1 })).toBe(
    'Every command is noted; each node keeps the last 1 command.',
  )
  expect(thresholdWords({ threshold: 500, length: null })).toBe(
    'Commands that took longer than 0.5 ms are noted.',
  )
  expect(thresholdWords({ threshold: 25, length: null })).toContain('longer than 25 µs')
  expect(thresholdWords({ threshold: -1, length: 128 })).toContain('notes no command')
  expect(thresholdWords({ threshold: 10, length: 0 })).toContain('keeps no command')
  expect(thresholdWords({ threshold: null, length: null })).toContain('does not tell')
})
