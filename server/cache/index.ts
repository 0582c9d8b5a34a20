import { type Clock, systemClock } from '@/server/clock'
import type { Log } from '@/server/log'
import { Repeating } from '@/server/repeating'
import type { Trace } from '@/server/trace'
import { Computing } from './core/computing'
import { Counts, newTotals } from './core/counts'
import { checkNamespace } from './core/keys'
import type { Levels } from './core/levels'
import { Recent } from './core/recent'
import { openSpace } from './core/space'
import { LocalLevel } from './local/level'
import { memoryUse, nextBound } from './local/pressure'
import { openRedisLevel } from './redis'
import type { RedisLevel } from './redis/types'
import { figuresOf, statsOf } from './stats'
import type { CacheConfig, CacheFigures, CacheSpace, CacheStateChange, CacheStats } from './types'

export { openCacheInspector } from './inspect'
export type { CacheInspector, ClearTarget } from './inspect/types'
export { type CacheOperations, openCacheOperations } from './operations'
export { examineRedis, type RedisFacts } from './redis/examine'
export type {
  CacheConfig,
  CacheFigures,
  CacheSpace,
  CacheState,
  CacheStateChange,
  CacheStats,
  ClusterPlace,
  NamespaceFigures,
  RedisPlace,
  SentinelPlace,
  SetOptions,
} from './types'

/** A cache with its namespaces; itself the namespace `default`. */
export interface Cache extends CacheSpace {
  /** A namespace of its own. Throws BAD_INPUT for a name that isn't one. */
  space(name: string): CacheSpace
  figures(): CacheFigures
  stats(): CacheStats
  /** The level in Redis; null without. */
  redis: RedisLevel | null
  /** Drops copies of keys (`namespace:key`) that were changed past the cache; null: of all. */
  forget(keys: readonly string[] | null): Promise<void>
  /** Empties the local level, or one namespace of it; answers how many values it held. */
  clearLocal(namespace: string | null): number
  close(): Promise<void>
}

export interface CacheDeps {
  clock: Clock
  log: Log
  /** Told of every change of the state. */
  stateChanged?: (change: CacheStateChange) => void
  /** Gives every command to Redis a span. */
  trace?: Trace | undefined
}

/**
 * Opens a cache: in memory alone, or in Redis, a cluster or what Sentinel watches, with memory in front of it and
 * behind it for when it is away. Doesn't wait for Redis.
 */
export function openCache({ clock, log, stateChanged, trace }: CacheDeps, config: CacheConfig): Cache {
  const {
    memoryBytes = 64 * 2 ** 20,
    deadline = 40,
    prefix = 'holdfast:',
    local: keepsCopies = true,
  } = config
  const openedAt = clock.now()
  const local = new LocalLevel(clock, memoryBytes)
  const recent = new Recent(() => clock.now())
  const place = placeOf(config)
  const redis =
    place &&
    openRedisLevel(
      { clock, log, trace, events: { stateChanged: (change) => stateChanged?.(change), changed } },
      place,
      { prefix, deadline, journalFile: config.journalFile, tracking: keepsCopies },
    )
  const levels: Levels = {
    ...{ clock, log, prefix, local, recent, keepsCopies, redis: redis ?? null },
    totals: newTotals(),
    localTtl: config.localTtl ?? 60_000,
    maxValueBytes: config.maxValueBytes ?? 16 * 2 ** 20,
    localServes: redis ? () => keepsCopies && redis.tracking : () => true,
  }
  const computing = new Computing(levels)
  const spaces = new Map<string, Counts>()
  const opened = new Map<string, CacheSpace>()

  /** What somebody else changed in Redis. Copies of lost news stay: they answer while Redis is away. */
  function changed(keys: readonly string[] | null): void {
    if (keys === null) {
      recent.noteAll()
      computing.overtakeAll()
      return
    }
    for (const key of keys) {
      recent.note(key)
      local.delete(key)
      computing.overtake(key)
    }
  }

  function space(name: string): CacheSpace {
    const known = opened.get(name)
    if (known) return known
    checkNamespace(name)
    const counts = new Counts()
    const made = openSpace(levels, computing, name, counts)
    spaces.set(name, counts)
    opened.set(name, made)
    return made
  }

  const pressure = new Repeating({
    period: 1_000,
    pace: 'rest',
    tick: async () => local.limit(nextBound(local, memoryUse())),
    failed: (error, again) => again || log.warn({ error }, 'how full memory is cannot be read'),
  })
  pressure.start()

  return {
    ...space('default'),
    space,
    figures: () => figuresOf(levels, spaces),
    stats: () => statsOf(levels, spaces, { openedAt }),
    redis: levels.redis,
    async forget(keys) {
      if (keys === null) local.clear()
      changed(keys)
    },
    clearLocal: (namespace) => local.clear(namespace),
    async close() {
      await pressure.stop()
      await redis?.close()
      local.clear()
    },
  }
}

/** For an application: the same with a clock and a log of its own making. */
export function createCache(config: CacheConfig & Partial<CacheDeps>): Cache {
  const { clock = systemClock, log = quiet, stateChanged, ...rest } = config
  return openCache({ clock, log, ...(stateChanged ? { stateChanged } : {}) }, rest)
}

const quiet: Log = { debug() {}, info() {}, warn() {}, error() {} }

function placeOf({ redis, cluster, sentinel }: CacheConfig) {
  if (cluster) return { cluster }
  if (sentinel) return { sentinel }
  return redis ? { redis } : undefined
}
