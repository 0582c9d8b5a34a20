import { Histogram, quantiles } from '@/server/histogram'
import type { Counts } from './core/counts'
import type { Levels } from './core/levels'
import { type CacheFigures, type CacheStats, MISS_REASONS, type MissReason } from './types'

const empty = new Histogram().counts()

/** Counters since the start, without a question to Redis. */
export function figuresOf(levels: Levels, spaces: ReadonlyMap<string, Counts>): CacheFigures {
  const { local, redis, totals } = levels
  const sums = { hits: 0, localHits: 0, staleHits: 0, sets: 0, deletes: 0 }
  const missesBy = Object.fromEntries(MISS_REASONS.map((reason) => [reason, 0])) as Record<MissReason, number>
  for (const counts of spaces.values()) {
    for (const name of Object.keys(sums) as (keyof typeof sums)[]) sums[name] += counts[name]
    for (const reason of MISS_REASONS) missesBy[reason] += counts.misses[reason]
  }
  const asked = redis?.figures()
  return {
    ...sums,
    mode: asked?.mode ?? 'memory',
    state: asked?.state ?? 'memory',
    misses: MISS_REASONS.reduce((sum, reason) => sum + missesBy[reason], 0),
    missesBy,
    errors: asked?.errors ?? 0,
    redisReads: asked?.reads ?? empty,
    fallbacks: totals.fallbacks,
    memoryBytes: local.bytes,
    memoryMaxBytes: local.bound,
    memoryEntries: local.size,
    evictions: local.evictions,
    pressureEvictions: local.pressureEvictions,
    rawBytes: totals.rawBytes,
    storedBytes: totals.storedBytes,
    compressedValues: totals.compressedValues,
  }
}

/** The same with the state's story, latencies and namespaces. */
export function statsOf(
  levels: Levels,
  spaces: ReadonlyMap<string, Counts>,
  { openedAt }: { openedAt: number },
): CacheStats {
  const { redis, local, clock, prefix, totals } = levels
  const asked = redis?.figures()
  const { redisReads: _, ...figures } = figuresOf(levels, spaces)
  return {
    ...figures,
    place: asked?.place ?? null,
    prefix,
    since: asked?.since ?? openedAt,
    reason: asked?.reason ?? null,
    localServes: levels.localServes(),
    memoryConfiguredBytes: local.configured,
    latency: {
      reads: quantiles(asked?.reads ?? empty),
      writes: quantiles(asked?.writes ?? empty),
      local: quantiles(totals.localTime.counts()),
    },
    namespaces: [...spaces]
      .map(([name, counts]) => counts.figures(name, local.use(name)))
      .sort((a, b) => a.name.localeCompare(b.name)),
    changes: asked?.changes ?? [],
    pendingKeys: asked?.pendingKeys ?? 0,
    at: clock.now(),
  }
}
