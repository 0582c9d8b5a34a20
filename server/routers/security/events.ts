import { z } from 'zod'
import { procedure, router } from '@/server/trpc/init'
import { eventFilter } from './event-filter'
import { report } from './report'

const read = procedure('security:read')
const seq = z.int().positive()

/** What happened: audit events of the console and of what reports to it. */
export const eventsRouter = router({
  /**
   * Events that a filter means, the latest first. `before` is the `next` of the page above, `after` the `previous` of
   * the page below.
   */
  list: read
    .meta({
      permission: 'security:read',
      rest: { method: 'GET', path: '/infrastructure/security/events' },
    })
    .input(
      eventFilter({
        before: seq.optional(),
        after: seq.optional(),
        limit: z.int().min(1).max(200).default(50),
      }).refine(({ before, after }) => before === undefined || after === undefined, {
        path: ['after'],
        message: 'give before or after, not both',
      }),
    )
    .query(({ ctx, input }) => ctx.runtime.security.events.list(input)),

  /** One event, whole, with what its actor, session and address did right before and after. */
  one: read
    .input(z.strictObject({ seq }))
    .query(({ ctx, input }) => ctx.runtime.security.events.one(input.seq)),

  /** How many events a filter means, over time. Buckets are at most as many as asked for. */
  histogram: read
    .input(
      eventFilter({
        by: z.enum(['outcome', 'severity', 'event']).default('outcome'),
        buckets: z.int().min(1).max(400).default(96),
      }),
    )
    .query(({ ctx, input }) => ctx.runtime.security.events.histogram(input)),

  /** Names and sources of events, and actors whose names hold a text. */
  facets: read
    .input(z.strictObject({ actor: z.string().trim().max(100).default('') }))
    .query(({ ctx, input }) => ctx.runtime.security.events.facets(input)),

  /** Takes events of another application into the log, once for each Idempotency-Key. */
  report,
})
