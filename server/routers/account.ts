import { z } from 'zod'
import { callerOf, privilegeOf } from '@/server/trpc/caller'
import { procedure, router } from '@/server/trpc/init'
import { givenPassword, id, label, newPasskey, newPassword, personName } from './inputs'

const own = procedure('account:own')

/** The user's own account: password, factors, sessions. */
export const accountRouter = router({
  /** Changes the own name. */
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

  /** The own second factors, and whether the role asks for one. */
  factors: own.query(({ ctx }) => ctx.runtime.security.factors.state(ctx.session)),

  /** The secret for an authenticator app, as base32 and otpauth URI. Step-up. */
  beginTotp: own
    .meta({
      permission: 'account:own',
      rest: { method: 'POST', path: '/infrastructure/security/2fa/generate' },
    })
    .input(z.strictObject({ password: givenPassword.optional() }))
    .mutation(({ ctx, input }) =>
      ctx.runtime.security.factors.beginTotp(ctx.session, input, privilegeOf(ctx)),
    ),

  /**
   * Puts an authenticator app to use by its first code; the first factor brings backup codes, shown this once.
   */
  activateTotp: own
    .meta({
      permission: 'account:own',
      rest: { method: 'POST', path: '/infrastructure/security/2fa/verify' },
    })
    .input(z.strictObject({ factorId: id, code: z.string().max(20) }))
    .mutation(({ ctx, input }) =>
      ctx.runtime.security.factors.activateTotp(ctx.session, input, callerOf(ctx)),
    ),

  /** Takes the own authenticator app away. Step-up. */
  removeTotp: own
    .input(z.strictObject({}))
    .mutation(({ ctx }) => ctx.runtime.security.factors.removeTotp(ctx.session, privilegeOf(ctx))),

  /** What a browser needs to make a passkey. Step-up. */
  beginPasskey: own
    .input(z.strictObject({ password: givenPassword.optional() }))
    .mutation(({ ctx, input }) =>
      ctx.runtime.security.factors.beginPasskey(ctx.session, input, privilegeOf(ctx)),
    ),

  /** Adds a passkey by the browser's answer. */
  addPasskey: own
    .input(z.strictObject({ name: label, response: newPasskey }))
    .mutation(({ ctx, input }) => ctx.runtime.security.factors.addPasskey(ctx.session, input, callerOf(ctx))),

  /** Gives a passkey another name. */
  renamePasskey: own
    .input(z.strictObject({ id, name: label }))
    .mutation(({ ctx, input }) =>
      ctx.runtime.security.factors.renamePasskey(ctx.session, input, callerOf(ctx)),
    ),

  /** Takes a passkey away. Step-up. */
  removePasskey: own
    .input(z.strictObject({ id }))
    .mutation(({ ctx, input }) =>
      ctx.runtime.security.factors.removePasskey(ctx.session, input, privilegeOf(ctx)),
    ),

  /** Makes new backup codes, shown this once; the earlier ones stop working. Step-up. */
  regenerateBackupCodes: own
    .input(z.strictObject({}))
    .mutation(({ ctx }) => ctx.runtime.security.factors.regenerateBackupCodes(ctx.session, privilegeOf(ctx))),

  /** The user's own live sessions. */
  sessions: own.query(({ ctx }) => ctx.runtime.security.account.sessions(ctx.session)),

  /** Ends one of the own sessions. */
  endSession: own
    .input(z.strictObject({ sessionId: id }))
    .mutation(({ ctx, input }) =>
      ctx.runtime.security.account.endSession(ctx.session, input.sessionId, callerOf(ctx)),
    ),

  /** Ends all own sessions but this one. */
  endOtherSessions: own.mutation(async ({ ctx }) => ({
    ended: await ctx.runtime.security.account.endOtherSessions(ctx.session, callerOf(ctx)),
  })),
})
