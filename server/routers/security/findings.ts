import { z } from 'zod'
import { severities } from '@/server/audit/severity'
import { callerOf } from '@/server/trpc/caller'
import { procedure, router } from '@/server/trpc/init'
import { id } from '../inputs'

const read = procedure('security:read')
const operate = procedure('security:operate')

const note = z
  .string()
  .trim()
  .max(500, 'use at most 500 characters')
  .regex(/^[^\p{Cc}\p{Cs}]*$/u, 'use one line of text')
  .optional()
const moved = z.strictObject({ id, note })

/** What threat rules found, and what became of it. */
export const findingsRouter = router({
  /** The latest opened first; `before` is the `next` of the page above. */
  list: read
    .meta({
      permission: 'security:read',
      rest: { method: 'GET', path: '/infrastructure/security/findings' },
    })
    .input(
      z.strictObject({
        state: z.enum(['open', 'acknowledged', 'closed']).optional(),
        severity: z.enum(severities).optional(),
        rule: z.string().max(60).optional(),
        before: z
          .string()
          .max(80)
          .regex(/^\d{1,16}\.[0-9a-f-]{36}$/, 'give the next of the page above')
          .optional(),
        limit: z.int().min(1).max(200).default(50),
      }),
    )
    .query(({ ctx, input }) => ctx.runtime.threats.findings.list(input)),

  /** One finding, with the audit events behind it. */
  one: read.input(z.strictObject({ id })).query(({ ctx, input }) => ctx.runtime.threats.findings.one(input)),

  /** Says that somebody looks into a finding; it grows on, and alerts no more. */
  acknowledge: operate
    .input(moved)
    .mutation(({ ctx, input }) => ctx.runtime.threats.findings.acknowledge(input, callerOf(ctx))),

  /** Closes a finding; what comes later makes a new one. */
  close: operate
    .input(moved)
    .mutation(({ ctx, input }) => ctx.runtime.threats.findings.close(input, callerOf(ctx))),

  /** Opens a finding again. */
  reopen: operate
    .input(moved)
    .mutation(({ ctx, input }) => ctx.runtime.threats.findings.reopen(input, callerOf(ctx))),
})
