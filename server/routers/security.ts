import { z } from 'zod'
import { callerOf } from '@/server/trpc/caller'
import { procedure, router } from '@/server/trpc/init'

export const securityRouter = router({
  /** The figures of the security page, counted now. */
  overview: procedure('security:read').query(async ({ ctx }) => ({
    ...(await ctx.runtime.security.figures()),
    at: ctx.runtime.clock.now(),
  })),

  /** Audit events, the latest first; `before` is the `next` of the page above. */
  events: procedure('security:read')
    .input(
      z.strictObject({
        before: z.int().positive().optional(),
        limit: z.int().min(1).max(200).default(50),
      }),
    )
    .query(({ ctx, input }) => ctx.runtime.security.events(input)),

  /** The sessions of the user who asks. */
  sessions: procedure('account:own').query(({ ctx }) => ctx.runtime.security.sessions(ctx.session)),

  endSession: procedure('account:own')
    .input(z.strictObject({ sessionId: z.string().max(100) }))
    .mutation(({ ctx, input }) =>
      ctx.runtime.security.endSession(ctx.session, input.sessionId, callerOf(ctx)),
    ),

  endOtherSessions: procedure('account:own').mutation(async ({ ctx }) => ({
    ended: await ctx.runtime.security.endOtherSessions(ctx.session, callerOf(ctx)),
  })),
})
