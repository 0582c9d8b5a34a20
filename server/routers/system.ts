import { z } from 'zod'
import { variables } from '@/server/env'
import { hardeningFacts } from '@/server/hardening-facts'
import { search } from '@/server/search'
import { type MetricName, metricNames, metrics } from '@/server/system'
import { aboutProcess } from '@/server/system/about'
import { describeConfig } from '@/server/system/config'
import { configWarnings } from '@/server/system/config-warnings'
import { judgeHardening } from '@/server/system/hardening'
import { procedure, router } from '@/server/trpc/init'
import { liveEvents } from './live'

const instant = z.int().min(0).max(8_640_000_000_000_000)

const span = z
  .strictObject({ from: instant, to: instant })
  .refine(({ from, to }) => from < to, { path: ['to'], message: 'must be after from' })

export const systemRouter = router({
  /** The one event stream: samples, news of migrations, audit events. Resumes after `lastEventId`. */
  live: procedure('system:read')
    .input(z.strictObject({ lastEventId: z.string().max(64).nullish() }))
    .subscription(({ ctx, input, signal }) =>
      liveEvents({ ctx, after: input.lastEventId ?? undefined, signal }),
    ),

  /** The newest samples as columns, oldest first, and what each metric means. */
  history: procedure('system:read')
    .input(z.strictObject({ samples: z.int().min(1).max(900).default(900) }))
    .query(({ ctx, input }) => ({
      ...ctx.runtime.system.history(input.samples),
      lastEventId: ctx.runtime.system.lastEventId(),
      metrics,
      now: ctx.runtime.clock.now(),
    })),

  /** Rolled-up samples of hours and days: the mean and the highest of each step. */
  range: procedure('system:read')
    .input(
      span.safeExtend({
        points: z.int().min(2).max(720).default(360),
        metrics: z
          .array(z.enum(metricNames as [MetricName, ...MetricName[]]))
          .min(1)
          .max(12),
      }),
    )
    .query(({ ctx, input }) => ctx.runtime.system.range(input)),

  /** How many statements of the console took how long, over time: counts by powers of two. */
  queryTimes: procedure('system:read')
    .input(span.safeExtend({ points: z.int().min(2).max(360).default(120) }))
    .query(({ ctx, input }) => ctx.runtime.system.queryTimes(input)),

  /** Every component with its state, since when, and what to do. */
  health: procedure('system:read')
    .meta({ permission: 'system:read', rest: { method: 'GET', path: '/infrastructure/system/health' } })
    .query(({ ctx }) => ctx.runtime.system.health()),

  /** What is hardened and what is not yet, each with what it protects from and where it is done. */
  hardening: procedure('system:read').query(async ({ ctx }) =>
    judgeHardening(await hardeningFacts(ctx.runtime, ctx.session)),
  ),

  /** The effective configuration with the source of each value, secrets as fingerprints, and what is weak or contradictory in it. */
  config: procedure('system:read')
    .meta({ permission: 'system:read', rest: { method: 'GET', path: '/infrastructure/system/config' } })
    .query(({ ctx }) => {
      const { env, vault, database } = ctx.runtime
      const described = describeConfig({
        variables,
        env,
        fingerprint: (secret) => vault.mac('config-fingerprint', secret).toString('hex').slice(0, 8),
        switchedOver:
          database.dialect === 'postgresql' && env.DB_TYPE !== 'postgresql'
            ? movedTo(database.client.config)
            : {},
      })
      return { variables: described, warnings: configWarnings(env) }
    }),

  /** Users, runs, API keys and cache namespaces by name, as far as the caller may see them: a few of each, with their addresses. */
  search: procedure('system:read')
    .input(z.strictObject({ text: z.string().trim().min(2, 'enter two letters').max(100) }))
    .query(({ ctx, input }) => search(ctx.runtime, ctx.session.permissions, input.text)),

  /** The consoles that serve this store, the oldest first, and which of them answers. */
  instances: procedure('system:read')
    .meta({ permission: 'system:read', rest: { method: 'GET', path: '/infrastructure/system/instances' } })
    .query(async ({ ctx }) => {
      const { id, list } = ctx.runtime.instances
      return (await list()).map((instance) => ({ ...instance, answering: instance.id === id }))
    }),

  /** Version and process. */
  about: procedure('system:read').query(({ ctx }) => ({
    ...aboutProcess(ctx.runtime.clock.now()),
    dialect: ctx.runtime.database.dialect,
    url: ctx.runtime.env.HOLDFAST_URL,
  })),
})

function movedTo(place: { host: string; port: number; database: string; user: string }) {
  return {
    DB_TYPE: 'postgresql',
    DB_HOST: place.host,
    DB_PORT: String(place.port),
    DB_NAME: place.database,
    DB_USER: place.user,
  }
}
