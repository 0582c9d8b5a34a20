import type { Clock } from '@/server/clock'
import { Histogram, type Quantiles, quantiles } from '@/server/histogram'
import type { Log } from '@/server/log'
import { decode, encode } from './codec'
import type { ClusterPlace, RedisPlace } from './connect'
import { MemoryLevel } from './memory'
import { type NodeFacts, RedisLevel } from './redis'

export type { ClusterPlace, RedisPlace } from './connect'
export type { NodeFacts } from './redis'

/** Neither `redis` nor `cluster`: the cache lives in this process. */
export interface CacheConfig {
  redis?: RedisPlace
  cluster?: ClusterPlace
  /** Bound of the memory level. */
  memoryBytes?: number
  /** Milliseconds that a call waits for Redis before memory answers. */
  deadline?: number
  prefix?: string
}

/** `memory`: no Redis is configured. `degraded`: one is, and it is away. */
export type CacheState = 'redis' | 'memory' | 'degraded'

/** Counters since the start, read every second without a question to Redis. */
export interface CacheFigures {
  state: CacheState
  hits: number
  misses: number
  sets: number
  deletes: number
  /** Calls that Redis failed or left unanswered. */
  errors: number
  /** Reads that memory answered because Redis was away. */
  fallbacks: number
  memoryBytes: number
  memoryMaxBytes: number
  memoryEntries: number
  evictions: number
}

export interface CacheStats extends CacheFigures {
  mode: 'memory' | 'single' | 'cluster'
  /** Where Redis is; null without one. */
  place: string | null
  /** UTC milliseconds since which the state holds. */
  since: number
  /** Why it is degraded; null otherwise. */
  reason: string | null
  /** Time of Redis' answers, in milliseconds. */
  latency: Quantiles
  nodes: NodeFacts[]
  at: number
}

export interface Cache {
  /** The value, or undefined for a miss. Never throws. */
  get<T>(key: string): Promise<T | undefined>
  /** Keeps a JSON value for `ttl` ms. Throws only for a value that JSON can't carry. */
  set(key: string, value: unknown, options: { ttl: number }): Promise<void>
  delete(key: string): Promise<void>
  /** The cached value, or what `compute` answers, which is then kept. Callers at the same time share one computation. */
  getOrSet<T>(key: string, options: { ttl: number }, compute: () => Promise<T>): Promise<T>
  figures(): CacheFigures
  stats(): Promise<CacheStats>
  close(): Promise<void>
}

/** Longest life in memory of a copy that was read from Redis: the bound of its staleness while Redis is away. */
const COPY_TTL = 60_000

const emptyLatency = new Histogram()

/** Opens the cache: memory alone, or Redis with memory behind it for when Redis is away. Doesn't wait for Redis. */
export function openCache({ clock, log }: { clock: Clock; log: Log }, config: CacheConfig): Cache {
  const { memoryBytes = 64 * 2 ** 20, deadline = 40, prefix = 'holdfast:' } = config
  const openedAt = clock.now()
  const memory = new MemoryLevel(clock, memoryBytes)
  const place = config.cluster
    ? { cluster: config.cluster }
    : config.redis
      ? { redis: config.redis }
      : undefined
  const redis = place && new RedisLevel({ clock, log }, place, { prefix, deadline })
  const counts = { hits: 0, misses: 0, sets: 0, deletes: 0, fallbacks: 0 }
  const computing = new Map<string, Promise<unknown>>()

  async function read(key: string): Promise<{ value: unknown } | undefined> {
    const answer = await redis?.get(key)
    if (redis && answer === undefined) counts.fallbacks++
    if (answer) memory.set(key, Buffer.from(answer), COPY_TTL)
    if (answer === null) memory.delete(key)
    const entry = answer === undefined ? memory.get(key) : answer
    const found = entry ? decode(entry) : undefined
    if (found) counts.hits++
    else counts.misses++
    return found
  }

  async function write(key: string, value: unknown, ttl: number): Promise<void> {
    const entry = encode(value)
    counts.sets++
    memory.set(key, entry, ttl)
    await redis?.set(key, entry, ttl)
  }

  const figures = (): CacheFigures => ({
    state: redis?.state ?? 'memory',
    ...counts,
    errors: redis?.errors ?? 0,
    memoryBytes: memory.bytes,
    memoryMaxBytes: memoryBytes,
    memoryEntries: memory.size,
    evictions: memory.evictions,
  })

  return {
    get: async <T>(key: string) => (await read(key))?.value as T | undefined,
    set: (key, value, { ttl }) => write(key, value, ttl),
    async delete(key) {
      counts.deletes++
      memory.delete(key)
      await redis?.delete(key)
    },
    async getOrSet<T>(key: string, { ttl }: { ttl: number }, compute: () => Promise<T>) {
      const found = await read(key)
      if (found) return found.value as T
      const running = computing.get(key) as Promise<T> | undefined
      if (running) return running
      const work = compute()
        .then(async (value) => {
          await write(key, value, ttl)
          return value
        })
        .finally(() => computing.delete(key))
      computing.set(key, work)
      return work
    },
    figures,
    async stats() {
      return {
        ...figures(),
        mode: redis?.mode ?? 'memory',
        place: placeOf(config),
        since: redis?.since ?? openedAt,
        reason: redis?.reason ?? null,
        latency: quantiles((redis?.latency ?? emptyLatency).counts()),
        nodes: (await redis?.nodes()) ?? [],
        at: clock.now(),
      }
    },
    async close() {
      await redis?.close()
      memory.clear()
    },
  }
}

function placeOf({ cluster, redis }: CacheConfig): string | null {
  if (cluster) return cluster.nodes.join(', ')
  return redis ? `${redis.host}:${redis.port}` : null
}
