import type { HistogramCounts } from '@/server/histogram'

/** What is read of the database every second. */
export interface DatabaseSource {
  dialect: 'sqlite' | 'postgresql'
  figures(): {
    counts: { queries: number; errors: Record<string, number>; queryTime: HistogramCounts }
    pool: { max: number; inUse: number; idle: number; waiting: number } | null
  }
  stats(): Promise<{
    reachable: boolean
    place: string
    roundTrip: number | null
    pool: { max: number } | null
    /** Null on SQLite, which goes by this machine's clock. */
    postgres: { clockAhead: number } | null
  }>
}

/** As the cache names them: without a Redis the mode and the state are `memory`. */
export type CacheMode = 'memory' | 'single' | 'cluster' | 'sentinel'
export type CacheState = 'redis' | 'degraded' | 'memory' | 'probing'

/** Counters of the cache since its start. */
export interface CacheCounts {
  hits: number
  misses: number
  errors: number
  /** Pushed out of the local level by its bound, and by shortage of memory. */
  evictions: number
  pressureEvictions: number
  /** Bytes of all values that were encoded, before and after compression. */
  rawBytes: number
  storedBytes: number
  /** Times of Redis' answers to reads, in milliseconds. */
  redisReads: HistogramCounts
}

/** What is read of the cache every second. */
export interface CacheSource {
  figures(): CacheCounts & { mode: CacheMode; state: CacheState; memoryBytes: number }
  stats(): {
    mode: CacheMode
    state: CacheState
    reason: string | null
    since: number
    place: string | null
  }
}
