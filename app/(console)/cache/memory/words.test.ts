import { expect, test } from 'vitest'
import type { SampleReport } from '@/components/cache/types'
import { isWhole, sampledWords } from './words'

const report = (sampled: number, total: number, bytesHigh: number): SampleReport => ({
  sampled,
  total,
  biggest: [],
  groups: [{ name: 'shop', ours: true, sampled, keys: total, bytes: 100, bytesLow: 100, bytesHigh }],
  at: 0,
})

test('a sample says how many keys it drew of how many, and when it measured all of them', () => {
  expect(sampledWords(report(1_000, 12_000, 140))).toBe('1,000 of about 12,000 keys were drawn at random.')
  expect(sampledWords(report(1, 1, 100))).toBe('The only key was measured.')
  expect(sampledWords(report(20, 20, 100))).toBe('All 20 keys were measured.')
})

test('keys drawn as often as there are, some of them twice, are still an estimate', () => {
  expect(isWhole(report(300, 290, 140))).toBe(false)
  expect(isWhole(report(300, 300, 100))).toBe(true)
})
