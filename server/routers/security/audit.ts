import { z } from 'zod'
import { callerOf, privilegeOf } from '@/server/trpc/caller'
import { procedure, router } from '@/server/trpc/init'

const read = procedure('security:read')
const operate = procedure('security:operate')
const manage = procedure('security:manage')

/** Ten years at most: who wants more keeps all. */
const days = z.int().min(1).max(3_650)

/** Checkpoints and verification of the audit log. */
export const auditRouter = router({
  /** The log's end, its last checkpoint, what neither protects yet, and what the last verification found. */
  state: read
    .meta({
      permission: 'security:read',
      rest: { method: 'GET', path: '/infrastructure/security/audit' },
    })
    .query(({ ctx }) => ctx.runtime.audit.state()),

  /** Begins to verify the whole log, and answers at once; one that is on its way goes on. */
  verify: operate
    .meta({
      permission: 'security:operate',
      rest: { method: 'POST', path: '/infrastructure/security/audit/verify' },
    })
    .mutation(({ ctx }) => ctx.runtime.audit.verify(callerOf(ctx))),

  /** How far a verification is, and what the last one found. */
  verification: read
    .meta({
      permission: 'security:read',
      rest: { method: 'GET', path: '/infrastructure/security/audit/verification' },
    })
    .query(({ ctx }) => ctx.runtime.audit.verification()),

  /** In PEM, the current one first: they verify checkpoints, and so an export, without any secret. */
  publicKey: read
    .meta({
      permission: 'security:read',
      rest: { method: 'GET', path: '/infrastructure/security/audit/public-key' },
    })
    .query(({ ctx }) => ({ keys: ctx.runtime.audit.publicKeys() })),

  /** How long events are kept, and where the log begins. */
  retention: read
    .meta({
      permission: 'security:read',
      rest: { method: 'GET', path: '/infrastructure/security/audit/retention' },
    })
    .query(({ ctx }) => ctx.runtime.auditRetention.state()),

  /** Sets how long events are kept; null keeps all. Step-up. */
  setRetention: manage
    .input(z.strictObject({ days: days.nullable() }))
    .mutation(({ ctx, input }) => ctx.runtime.auditRetention.set(input, privilegeOf(ctx))),

  /** Drops the events that are older than the retention, now. Step-up. */
  prune: manage
    .input(z.strictObject({ days }))
    .mutation(({ ctx, input }) => ctx.runtime.auditRetention.prune(input, privilegeOf(ctx))),

  /** What checkpoints have signed and the log does not hold; null when nothing is lost. */
  loss: read.query(({ ctx }) => ctx.runtime.auditEpochs.look()),

  /**
   * Says that the store was restored from a backup: the log goes on in a new epoch, and tells what is lost. Step-up.
   */
  restored: manage
    .input(z.strictObject({ reason: z.string().trim().min(3).max(300) }))
    .mutation(({ ctx, input }) => ctx.runtime.auditEpochs.restored(input, privilegeOf(ctx))),
})
