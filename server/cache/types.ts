import type { HistogramCounts, Quantiles } from '@/server/histogram'

export interface RedisPlace {
  host: string
  port: number
  username?: string | undefined
  password?: string | undefined
  db?: number | undefined
  tls?: TlsOptions | undefined
}

export interface ClusterPlace {
  /** host:port */
  nodes: string[]
  username?: string | undefined
  password?: string | undefined
  tls?: TlsOptions | undefined
}

export interface SentinelPlace {
  /** host:port of each Sentinel. */
  sentinels: string[]
  /** The name under which they know the master. */
  name: string
  sentinelPassword?: string | undefined
  username?: string | undefined
  password?: string | undefined
  db?: number | undefined
  tls?: TlsOptions | undefined
}

export interface TlsOptions {
  /** Certificates of the authorities that are trusted, in PEM; the system's without. */
  ca?: string | undefined
  /** Name that the certificate must carry; the host without. */
  servername?: string | undefined
}

/** None of `redis`, `cluster`, `sentinel`: the cache lives in this process. */
export interface CacheConfig {
  redis?: RedisPlace | undefined
  cluster?: ClusterPlace | undefined
  sentinel?: SentinelPlace | undefined
  /** What every key of this cache begins with in Redis; `holdfast:` without. */
  prefix?: string
  /** Milliseconds that a call waits for Redis before memory answers. 40. */
  deadline?: number
  /** Bytes that the local level may hold. 64 MiB. */
  memoryBytes?: number
  /** Whether reads are answered from the local level while Redis is well. True. */
  local?: boolean
  /** Longest life of a local copy of what Redis holds, in milliseconds. 60,000. */
  localTtl?: number
  /** Largest value, in bytes of its entry. 16 MiB. */
  maxValueBytes?: number
  /** Where keys that changed while Redis was away are kept over a restart of this process; nowhere without. */
  journalFile?: string | undefined
}

/**
 * `redis`: used, and all of it answers. `degraded`: used, and a part of it is away or refuses writes; memory answers
 * for that part. `memory`: nothing of it answers; memory does. `probing`: away, and one question is let through.
 * A cache without Redis is in `memory` for good, with the mode `memory`.
 */
export type CacheState = 'redis' | 'degraded' | 'memory' | 'probing'

export type CacheMode = 'memory' | 'single' | 'cluster' | 'sentinel'

export interface CacheStateChange {
  from: CacheState
  to: CacheState
  /** Why, in one sentence; null when Redis is back. */
  reason: string | null
  /** UTC milliseconds. */
  at: number
}

/** `absent`: in no level. `expired`: its time was over. `invalidated`: a tag of it was. `unreadable`: another format, or broken. `unavailable`: Redis was away, and memory had no copy. */
export const MISS_REASONS = ['absent', 'expired', 'invalidated', 'unreadable', 'unavailable'] as const
export type MissReason = (typeof MISS_REASONS)[number]

export interface NamespaceFigures {
  name: string
  hits: number
  /** Of the hits, those that the local level answered. */
  localHits: number
  /** Of the hits, values past their time that were served while a new one was computed, or because that failed. */
  staleHits: number
  misses: Record<MissReason, number>
  sets: number
  deletes: number
  /** Values computed by getOrSet and wrap; `shared` callers waited for a computation of somebody else. */
  computed: number
  shared: number
  /** In the local level, now. */
  localEntries: number
  localBytes: number
}

/** Counters since the start, read every second without a question to Redis. */
export interface CacheFigures {
  mode: CacheMode
  state: CacheState
  hits: number
  localHits: number
  staleHits: number
  misses: number
  missesBy: Record<MissReason, number>
  sets: number
  deletes: number
  /** Calls that Redis failed or left unanswered. */
  errors: number
  /** Times of Redis' answers to reads. */
  redisReads: HistogramCounts
  /** Calls that memory answered because Redis was away. */
  fallbacks: number
  memoryBytes: number
  /** The bound at this moment: lower than configured while the process is short of memory. */
  memoryMaxBytes: number
  memoryEntries: number
  /** Pushed out of the local level by its bound, and by shortage of memory in the process. */
  evictions: number
  pressureEvictions: number
  /** Of all values that were encoded: bytes before and after compression. */
  rawBytes: number
  storedBytes: number
  compressedValues: number
}

export interface CacheStats extends Omit<CacheFigures, 'redisReads'> {
  /** Where Redis is; null without one. */
  place: string | null
  prefix: string
  /** UTC milliseconds since which the state holds. */
  since: number
  /** Why the state isn't `redis`; null otherwise. */
  reason: string | null
  /** Whether the local level answers reads: only while every master tells of changes. */
  localServes: boolean
  memoryConfiguredBytes: number
  /** Time of Redis' answers, and of local hits, in milliseconds. */
  latency: { reads: Quantiles; writes: Quantiles; local: Quantiles }
  namespaces: NamespaceFigures[]
  /** The last changes of the state, newest first; 50 at most. */
  changes: CacheStateChange[]
  /** Keys that changed while Redis was away and are still to be deleted there. */
  pendingKeys: number
  at: number
}

export interface SetOptions {
  /** Milliseconds. */
  ttl: number
  /** Invalidating one of them makes the value a miss. */
  tags?: readonly string[]
  /** Milliseconds after `ttl` during which getOrSet may serve the value while it computes a new one, or when that fails. */
  stale?: number
}

/** A part of the cache with keys, tags and figures of its own. */
export interface CacheSpace {
  /** The value, or undefined for a miss. Never throws. */
  get<T>(key: string): Promise<T | undefined>
  /** Values in the order of the keys. Never throws. */
  mget<T>(keys: readonly string[]): Promise<(T | undefined)[]>
  /** Keeps a value. Throws BAD_INPUT for a value that can't be carried or is too large, for an empty or overlong key, a ttl that isn't positive. */
  set(key: string, value: unknown, options: SetOptions): Promise<void>
  mset(items: readonly { key: string; value: unknown }[], options: SetOptions): Promise<void>
  /** Resolves when no instance answers the old values any more, as far as it can be reached. */
  delete(...keys: string[]): Promise<void>
  /** Makes every value with one of the tags a miss, on every instance. */
  invalidate(...tags: string[]): Promise<void>
  /**
   * The cached value, or what `compute` answers, which is then kept. Callers at the same time share one computation,
   * over all instances. Throws what `compute` throws, unless a stale value may stand in.
   */
  getOrSet<T>(key: string, options: SetOptions, compute: () => Promise<T>): Promise<T>
  /** The function behind the cache: its arguments become the key. */
  wrap<A extends readonly unknown[], T>(
    name: string,
    options: SetOptions,
    work: (...args: A) => Promise<T>,
  ): (...args: A) => Promise<T>
}
