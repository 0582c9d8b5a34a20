import type { Cache } from './cache'
import type { Clock } from './clock'
import type { Database } from './database'
import type { Security } from './security'

type Tables = Awaited<ReturnType<Database['inspect']['tables']>>
type Figures = Awaited<ReturnType<Security['figures']>> & { at: number }

/** What takes the database long to count, and may be some seconds old: kept in the cache for all instances. */
export interface Statistics {
  /** Figures of accounts and sessions, at most 2 s old; `at` tells. */
  security(): Promise<Figures>
  /** Tables and indexes with sizes and use, at most 10 s old. */
  tables(): Promise<Tables>
  /** To be called after what changes the sizes: the next reader counts anew. */
  forgetTables(): Promise<void>
}

export interface StatisticsDeps {
  cache: Cache
  clock: Clock
  database: () => Database
  security: Security
}

export function openStatistics({ cache, clock, database, security }: StatisticsDeps): Statistics {
  const space = cache.space('statistics')
  // A store that was moved to another database has other tables.
  const tablesKey = () => `tables:${database().dialect}`
  return {
    security: () =>
      space.getOrSet('security', { ttl: 2_000 }, async () => ({
        ...(await security.figures()),
        at: clock.now(),
      })),
    tables: () => space.getOrSet(tablesKey(), { ttl: 10_000 }, () => database().inspect.tables()),
    forgetTables: () => space.delete(tablesKey()),
  }
}
