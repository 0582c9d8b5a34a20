import { procedure, router } from '@/server/trpc/init'

export const cacheRouter = router({
  /** Counters of the cache, its state with the reason, and what every node tells about itself. */
  stats: procedure('cache:read').query(({ ctx }) => ctx.runtime.cache.stats()),
})
