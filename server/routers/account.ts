import { z } from 'zod'
import { callerOf, privilegeOf } from '@/server/trpc/caller'
import { procedure, router } from '@/server/trpc/init'
import { givenPassword, id, label, newPasskey, newPassword, personName } from './inputs'

const own = procedure('account:own')

/** The user's own account: password, factors, sessions. */
export const accountRouter = router({
  setName: own
    .input(z.strictObject({ name: personName }))
    .mutation(({ ctx, input }) =>
      ctx.runtime.security.account.setName(ctx.session, input.name, callerOf(ctx)),
    ),

  /** All other sessions end with it. */
  changePassword: own
    .input(z.strictObject({ current: givenPassword, password: newPassword }))
    .mutation(({ ctx, input }) =>
      ctx.runtime.security.account.changePassword(ctx.session, input, callerOf(ctx)),
    ),

  factors: own.query(({ ctx }) => ctx.runtime.security.factors.state(ctx.session)),

  /** The secret for an authenticator app, as base32 and otpauth URI. */
  beginTotp: own
    .meta({
      permission: 'account:own',
      rest: { method: 'POST', path: '/infrastructure/security/2fa/generate' },
    })
    .input(z.strictObject({ password: givenPassword.optional() }))
    .mutation(({ ctx, input }) =>
      ctx.runtime.security.factors.beginTotp(ctx.session, input, privilegeOf(ctx)),
    ),

  activateTotp: own
    .meta({
      permission: 'account:own',
      rest: { method: 'POST', path: '/infrastructure/security/2fa/verify' },
    })
    .input(z.strictObject({ factorId: id, code: z.string().max(20) }))
    .mutation(({ ctx, input }) =>
      ctx.runtime.security.factors.activateTotp(ctx.session, input, callerOf(ctx)),
    ),

  removeTotp: own
    .input(z.strictObject({}))
    .mutation(({ ctx }) => ctx.runtime.security.factors.removeTotp(ctx.session, privilegeOf(ctx))),

  beginPasskey: own
    .input(z.strictObject({ password: givenPassword.optional() }))
    .mutation(({ ctx, input }) =>
      ctx.runtime.security.factors.beginPasskey(ctx.session, input, privilegeOf(ctx)),
    ),

  addPasskey: own
    .input(z.strictObject({ name: label, response: newPasskey }))
    .mutation(({ ctx, input }) => ctx.runtime.security.factors.addPasskey(ctx.session, input, callerOf(ctx))),

  renamePasskey: own
    .input(z.strictObject({ id, name: label }))
    .mutation(({ ctx, input }) =>
      ctx.runtime.security.factors.renamePasskey(ctx.session, input, callerOf(ctx)),
    ),

  removePasskey: own
    .input(z.strictObject({ id }))
    .mutation(({ ctx, input }) =>
      ctx.runtime.security.factors.removePasskey(ctx.session, input, privilegeOf(ctx)),
    ),

  regenerateBackupCodes: own
    .input(z.strictObject({}))
    .mutation(({ ctx }) => ctx.runtime.security.factors.regenerateBackupCodes(ctx.session, privilegeOf(ctx))),

  /** The user's own live sessions. */
  sessions: own.query(({ ctx }) => ctx.runtime.security.account.sessions(ctx.session)),

  endSession: own
    .input(z.strictObject({ sessionId: id }))
    .mutation(({ ctx, input }) =>
      ctx.runtime.security.account.endSession(ctx.session, input.sessionId, callerOf(ctx)),
    ),

  endOtherSessions: own.mutation(async ({ ctx }) => ({
    ended: await ctx.runtime.security.account.endOtherSessions(ctx.session, callerOf(ctx)),
  })),
})
