import type { Registry } from 'prom-client'
import type { Cache } from '@/server/cache'
import type { Outbound } from '@/server/outbound'
import { counter, gauge, histogram } from './family'

const states = ['redis', 'degraded', 'memory', 'probing'] as const

/** Counters of both levels of the cache, since the start. */
export function registerCache(registry: Registry, cache: Cache): void {
  const figures = () => cache.figures()
  counter(registry, {
    name: 'holdfast_cache_hits_total',
    help: 'Reads that the cache answered, by the level that did',
    labels: ['level'],
    read: () => {
      const { hits, localHits } = figures()
      return [
        { labels: { level: 'local' }, value: localHits },
        { labels: { level: 'redis' }, value: hits - localHits },
      ]
    },
  })
  counter(registry, {
    name: 'holdfast_cache_misses_total',
    help: 'Reads that the cache did not answer, by reason',
    labels: ['reason'],
    read: () => Object.entries(figures().missesBy).map(([reason, value]) => ({ labels: { reason }, value })),
  })
  const count = (name: `holdfast_cache_${string}_total`, help: string, of: () => number) =>
    counter(registry, { name, help, read: () => [{ value: of() }] })
  count('holdfast_cache_sets_total', 'Values kept', () => figures().sets)
  count('holdfast_cache_deletes_total', 'Values deleted', () => figures().deletes)
  count('holdfast_cache_errors_total', 'Calls that Redis failed or left unanswered', () => figures().errors)
  count(
    'holdfast_cache_fallbacks_total',
    'Calls that memory answered because Redis was away',
    () => figures().fallbacks,
  )
  counter(registry, {
    name: 'holdfast_cache_evictions_total',
    help: 'Values pushed out of the level in the process, by cause',
    labels: ['cause'],
    read: () => {
      const { evictions, pressureEvictions } = figures()
      return [
        { labels: { cause: 'bound' }, value: evictions },
        { labels: { cause: 'memory' }, value: pressureEvictions },
      ]
    },
  })
  count(
    'holdfast_cache_raw_bytes_total',
    'Bytes of encoded values before compression',
    () => figures().rawBytes,
  )
  count('holdfast_cache_stored_bytes_total', 'Bytes of encoded values as stored', () => figures().storedBytes)
  histogram(registry, {
    name: 'holdfast_cache_redis_read_seconds',
    help: 'Time of Redis’ answers to reads',
    read: () => [{ counts: figures().redisReads }],
  })
  gauge(registry, {
    name: 'holdfast_cache_state',
    help: '1 for the state that the cache is in',
    labels: ['state'],
    read: () => states.map((state) => ({ labels: { state }, value: Number(figures().state === state) })),
  })
  gauge(registry, {
    name: 'holdfast_cache_memory_entries',
    help: 'Values in the level in the process',
    read: () => [{ value: figures().memoryEntries }],
  })
}

/** Calls to other servers by pool; their origins would be too many labels. */
export function registerOutbound(registry: Registry, outbound: Outbound): void {
  const byPool = (of: (origin: ReturnType<Outbound['report']>['origins'][number]) => number) => {
    const { pools, origins } = outbound.report()
    return pools.map(({ name: pool }) => ({
      labels: { pool },
      value: origins.filter((origin) => origin.pool === pool).reduce((sum, origin) => sum + of(origin), 0),
    }))
  }
  const sum = (numbers: Record<string, number>) => Object.values(numbers).reduce((total, n) => total + n, 0)
  const labels = ['pool']
  counter(registry, {
    ...{ name: 'holdfast_outbound_calls_total', help: 'Calls to other servers', labels },
    read: () => byPool(({ calls }) => calls),
  })
  counter(registry, {
    ...{ name: 'holdfast_outbound_failures_total', help: 'Calls to other servers without an answer', labels },
    read: () => byPool(({ failures }) => sum(failures)),
  })
  counter(registry, {
    ...{
      name: 'holdfast_outbound_retries_total',
      help: 'Calls to other servers that were made again',
      labels,
    },
    read: () => byPool(({ retries }) => retries),
  })
}
