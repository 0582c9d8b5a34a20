import { z } from 'zod'
import { callerOf, privilegeOf } from '@/server/trpc/caller'
import { procedure, router } from '@/server/trpc/init'
import { id } from '../inputs'

const read = procedure('security:read')
const operate = procedure('security:operate')
const manage = procedure('security:manage')

/** An IPv6 address with the longest prefix has 43 characters. */
const network = z.string().trim().min(1, 'enter an address or a network').max(50)
const reason = z
  .string()
  .trim()
  .min(1, 'say why')
  .max(200, 'use at most 200 characters')
  .regex(/^[^\p{Cc}\p{Cs}]*$/u, 'use one line')
const owner = reason.max(100, 'use at most 100 characters')
/** A year. */
const longestMs = 365 * 86_400_000

export const limitsRouter = router({
  /** The limits in force, and what they refuse now. */
  state: read.query(({ ctx }) => ctx.runtime.limits.state(callerOf(ctx))),
})

export const blocksRouter = router({
  /** Those that hold, then those that are over, the latest first. */
  list: read.query(({ ctx }) => ctx.runtime.limits.blocks.list()),

  /** The own address only with `confirmOwn`: OWN_ADDRESS asks for it. */
  add: operate
    .input(
      z.strictObject({
        network,
        reason,
        durationMs: z.int().min(60_000).max(longestMs).nullable(),
        confirmOwn: z.boolean().optional(),
      }),
    )
    .mutation(({ ctx, input }) => ctx.runtime.limits.blocks.add(input, callerOf(ctx))),

  /** Lifts a block; its address is let in at once, on every instance. Step-up. */
  lift: operate
    .input(z.strictObject({ blockId: id }))
    .mutation(({ ctx, input }) => ctx.runtime.limits.blocks.lift(input, privilegeOf(ctx))),
})

export const trustedRouter = router({
  /** Networks that no limit and no block of addresses stops. */
  list: read.query(({ ctx }) => ctx.runtime.limits.trusted.list()),

  /** Names a network that skips the limits and blocks of addresses, with who answers for it. Step-up. */
  add: manage
    .input(
      z.strictObject({
        network,
        owner,
        reason,
        expiresAt: z.int().positive().max(8_640_000_000_000_000).nullable(),
      }),
    )
    .mutation(({ ctx, input }) => ctx.runtime.limits.trusted.add(input, privilegeOf(ctx))),

  /** Removes a trusted source: limits and blocks hold for its addresses again. */
  remove: manage
    .input(z.strictObject({ id }))
    .mutation(({ ctx, input }) => ctx.runtime.limits.trusted.remove(input, callerOf(ctx))),
})
