import { expect, test } from 'vitest'
import type { OriginFigures } from '@/components/cache/outbound-types'
import { failureList, failuresOf, sorted, toneOf } from './words'

const origin = (name: string, rest: Partial<OriginFigures> = {}): OriginFigures => ({
  pool: 'webhooks',
  origin: `https://${name}`,
  calls: 1,
  answers: { '2xx': 1, '3xx': 0, '4xx': 0, '5xx': 0 },
  failures: { timeout: 0, connection: 0, tooLarge: 0, refused: 0, other: 0 },
  retries: 0,
  retriesDenied: 0,
  cacheHits: 0,
  cacheRevalidated: 0,
  breaker: 'closed',
  breakerSince: 0,
  connections: { open: 1, inUse: 0, waiting: 0 },
  latency: { count: 0, mean: null, p50: null, p95: null, p99: null },
  lastError: null,
  lastCallAt: null,
  ...rest,
})
const names = (origins: OriginFigures[]) => origins.map(({ origin }) => origin.slice(8))

test('failures are told by their reason, and only those that came', () => {
  const failing = origin('a', { failures: { timeout: 2, connection: 0, tooLarge: 0, refused: 1, other: 0 } })
  expect(failuresOf(failing)).toBe(3)
  expect(failureList(failing)).toBe('timed out 2, refused here 1')
  expect(failureList(origin('a'))).toBe('')
})

test('an open breaker is bad, callers that wait are a warning', () => {
  expect(toneOf(origin('a'))).toBeUndefined()
  expect(toneOf(origin('a', { breaker: 'open' }))).toBe('bad')
  expect(toneOf(origin('a', { connections: { open: 1, inUse: 1, waiting: 2 } }))).toBe('warn')
})

test('origins come in the asked order, the unmeasured last', () => {
  const latency = (p99: number) => ({ count: 1, mean: p99, p50: p99, p95: p99, p99 })
  const all = [
    origin('c', { calls: 5 }),
    origin('a', { calls: 7, latency: latency(9) }),
    origin('b', { calls: 5, latency: latency(3) }),
  ]
  expect(names(sorted(all, { by: 'calls', direction: 'desc' }))).toEqual(['a', 'b', 'c'])
  expect(names(sorted(all, { by: 'p99', direction: 'asc' }))).toEqual(['b', 'a', 'c'])
  expect(names(sorted(all, { by: 'origin', direction: 'desc' }))).toEqual(['c', 'b', 'a'])
  expect(names(sorted(all, { by: 'constructor', direction: 'asc' }))).toEqual(['b', 'c', 'a'])
})
