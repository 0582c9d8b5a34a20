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
  }>
}

/** What is read of the cache every second. */
export interface CacheSource {
  figures(): {
    state: 'redis' | 'memory' | 'degraded'
    hits: number
    misses: number
    errors: number
    memoryBytes: number
  }
  stats(): Promise<{ reason: string | null; since: number; place: string | null }>
}
