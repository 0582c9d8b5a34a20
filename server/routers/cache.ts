import { z } from 'zod'
import { callerOf, privilegeOf } from '@/server/trpc/caller'
import { procedure, router } from '@/server/trpc/init'

const scope = z.enum(['ours', 'all'])
/** A whole key, as the list of keys writes it. */
const key = z.string().min(1, 'enter a key').max(4_096)
const namespace = z.string().regex(/^[a-z][a-z0-9-]{0,39}$/, 'a namespace, as the list of namespaces has it')
const pattern = z.strictObject({ scope, pattern: z.string().min(1, 'enter a pattern').max(1_024) })

const read = procedure('cache:read')
const operate = procedure('cache:operate')
const manage = procedure('cache:manage')

/** The cache: its levels and state, what Redis under it tells and holds, and outbound HTTP. */
export const cacheRouter = router({
  /** Counters of both levels by namespace, and the state with its reason. */
  stats: read
    .meta({ permission: 'cache:read', rest: { method: 'GET', path: '/infrastructure/cache/stats' } })
    .query(({ ctx }) => ctx.runtime.cache.stats()),

  /** Whether the cache is well, and since when it isn't. */
  health: read
    .meta({ permission: 'cache:read', rest: { method: 'GET', path: '/infrastructure/cache/health' } })
    .query(async ({ ctx }) => {
      const { mode, state, reason, since, place, pendingKeys, at } = await ctx.runtime.cache.stats()
      return {
        ok: mode === 'memory' || state === 'redis',
        mode,
        state,
        reason,
        since,
        place,
        pendingKeys,
        at,
      }
    }),

  /** One folder of the tree of keys, a page at a time. */
  keys: read
    .input(
      z.strictObject({
        scope,
        prefix: z.string().max(4_096).default(''),
        match: z.string().max(1_024).optional(),
        cursor: z.string().max(1_024).nullish(),
      }),
    )
    .query(({ ctx, input }) => ctx.runtime.cacheInspector.keys(input)),

  /** One key with its value, cut where it is long. */
  key: read
    .input(z.strictObject({ key }))
    .query(({ ctx, input }) => ctx.runtime.cacheInspector.key(input.key)),

  /** What a delete by this pattern would delete. */
  match: read.input(pattern).query(({ ctx, input }) => ctx.runtime.cacheInspector.match(input)),

  /** Every node: memory, clients, replication, slots. */
  nodes: read.query(({ ctx }) => ctx.runtime.cacheInspector.nodes()),

  /** Slow commands of all nodes. */
  slowLog: read.query(({ ctx }) => ctx.runtime.cacheInspector.slowLog()),

  /** The biggest keys and namespaces, from a sample. */
  sample: read
    .input(z.strictObject({ scope }))
    .query(({ ctx, input }) => ctx.runtime.cacheInspector.sample(input.scope)),

  /** Pools of outbound HTTP with what was counted for each origin. */
  outbound: read.query(({ ctx }) => ctx.runtime.outbound.report()),

  /** Gives one key another time to live, or none. */
  expire: operate
    .input(
      z.strictObject({
        key,
        ttl: z.int().min(1, 'enter a time above zero').max(3_153_600_000_000).nullable(),
      }),
    )
    .mutation(({ ctx, input }) => ctx.runtime.cacheOperations.expire(callerOf(ctx), input)),

  /** Deletes single keys. */
  deleteKeys: operate
    .input(z.strictObject({ keys: z.array(key).min(1).max(500) }))
    .mutation(({ ctx, input }) => ctx.runtime.cacheOperations.deleteKeys(callerOf(ctx), input.keys)),

  /** Empties the slow log of every node. */
  resetSlowLog: operate.mutation(({ ctx }) => ctx.runtime.cacheOperations.resetSlowLog(callerOf(ctx))),

  /** Deletes every key that a pattern matches. Step-up. */
  deletePattern: manage
    .input(pattern)
    .mutation(({ ctx, input }) => ctx.runtime.cacheOperations.deletePattern(input, privilegeOf(ctx))),

  /** Deletes the cache's own keys, those of one namespace, or everything in Redis. Step-up. */
  clear: manage
    .meta({ permission: 'cache:manage', rest: { method: 'POST', path: '/infrastructure/cache/clear' } })
    .input(
      z.discriminatedUnion('scope', [
        z.strictObject({ scope: z.literal('ours') }),
        z.strictObject({ scope: z.literal('namespace'), namespace }),
        z.strictObject({ scope: z.literal('all') }),
      ]),
    )
    .mutation(({ ctx, input }) => ctx.runtime.cacheOperations.clear(input, privilegeOf(ctx))),
})
