import { procedure, router } from '@/server/trpc/init'

export const cacheRouter = router({
  /** Counters of the cache, its state with the reason, and what every node tells about itself. */
  stats: procedure('cache:read')
    .meta({ permission: 'cache:read', rest: { method: 'GET', path: '/infrastructure/cache/stats' } })
    .query(({ ctx }) => ctx.runtime.cache.stats()),
})
