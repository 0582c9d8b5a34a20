import { z } from 'zod'
import { privilegeOf } from '@/server/trpc/caller'
import { procedure, router } from '@/server/trpc/init'

const change = z.strictObject({
  rule: z.string().max(60),
  enabled: z.boolean().optional(),
  dryRun: z.boolean().optional(),
  response: z.enum(['notify', 'require a fresh factor', 'end sessions', 'block']).optional(),
  params: z.record(z.string().max(60), z.int()).optional(),
})

/** Threat rules: what they look for, with which parameters, and what they do. */
export const rulesRouter = router({
  /** Every rule with its parameters, how it is set, and how often it has found something. */
  list: procedure('security:read').query(({ ctx }) => ctx.runtime.threats.rules.list()),

  /** What is absent stays as it is. Step-up. */
  set: procedure('security:manage')
    .input(change)
    .mutation(({ ctx, input }) => ctx.runtime.threats.rules.set(input, privilegeOf(ctx))),

  /** What a rule would have found in the last 7 days, set like this. Changes nothing, but reads much. */
  try: procedure('security:operate')
    .input(change.omit({ enabled: true, dryRun: true, response: true }))
    .mutation(({ ctx, input }) => ctx.runtime.threats.rules.try(input)),
})
