import { z } from 'zod'
import { allPermissions, keyActions, permissionsOf, roles } from '@/server/security/roles'
import { callerOf, privilegeOf } from '@/server/trpc/caller'
import { procedure, router } from '@/server/trpc/init'
import { email, id, label, personName } from './inputs'
import { alertsRouter } from './security/alerts'
import { auditRouter } from './security/audit'
import { eventsRouter } from './security/events'
import { findingsRouter } from './security/findings'
import { blocksRouter, limitsRouter, trustedRouter } from './security/limits'
import { rulesRouter } from './security/rules'

const read = procedure('security:read')
const manage = procedure('security:manage')

const user = z.strictObject({ userId: id })
const role = z.enum(roles)

/** Events, users, everybody's sessions, API keys and signing keys. Every change in `manage` names whether it takes a step-up. */
export const securityRouter = router({
  alerts: alertsRouter,
  audit: auditRouter,

  /** The figures of the security page, counted within the last two seconds. */
  overview: read
    .meta({ permission: 'security:read', rest: { method: 'GET', path: '/infrastructure/security/stats' } })
    .query(({ ctx }) => ctx.runtime.statistics.security()),

  events: eventsRouter,
  findings: findingsRouter,
  rules: rulesRouter,

  /** What each role may do, the least first. */
  roles: read.query(() => roles.map((role) => ({ role, permissions: permissionsOf(role) }))),

  /** Every user with role, state, factors and last sign-in. */
  users: read.query(({ ctx }) => ctx.runtime.security.users.list()),

  /** Invites somebody; answers the link that works once. Step-up. */
  inviteUser: manage
    .input(z.strictObject({ email, name: personName, role }))
    .mutation(({ ctx, input }) => ctx.runtime.security.users.invite(input, privilegeOf(ctx))),

  /** Makes a new link for an invitation; the earlier one stops working. Step-up. */
  renewInvite: manage
    .input(user)
    .mutation(({ ctx, input }) => ctx.runtime.security.users.renewInvite(input, privilegeOf(ctx))),

  /** Withdraws an invitation. */
  withdrawInvite: manage
    .input(user)
    .mutation(({ ctx, input }) => ctx.runtime.security.users.withdrawInvite(input, callerOf(ctx))),

  /** Gives a user another role; it holds at once, on open streams too. Step-up. */
  setRole: manage
    .input(user.extend({ role }))
    .mutation(({ ctx, input }) => ctx.runtime.security.users.setRole(input, privilegeOf(ctx))),

  /** Shuts a user out; the sessions end at once. Step-up. */
  disableUser: manage
    .input(user)
    .mutation(({ ctx, input }) => ctx.runtime.security.users.disable(input, privilegeOf(ctx))),

  /** Lets a disabled user in again. Step-up. */
  enableUser: manage
    .input(user)
    .mutation(({ ctx, input }) => ctx.runtime.security.users.enable(input, privilegeOf(ctx))),

  /** Asks a user for a new password before anything else. */
  requirePasswordChange: manage
    .input(user)
    .mutation(({ ctx, input }) => ctx.runtime.security.users.requirePasswordChange(input, callerOf(ctx))),

  /** Takes a user's password away; answers the link that asks for a new one. Step-up. */
  resetPassword: manage
    .input(user)
    .mutation(({ ctx, input }) => ctx.runtime.security.users.resetPassword(input, privilegeOf(ctx))),

  /** Takes all second factors of a user away; the sessions end. Step-up. */
  resetFactor: manage
    .input(user)
    .mutation(({ ctx, input }) => ctx.runtime.security.users.resetFactor(input, privilegeOf(ctx))),

  /** Live sessions of everybody, or of one user, the latest used first. */
  sessions: read
    .input(z.strictObject({ userId: id.optional() }))
    .query(({ ctx, input }) => ctx.runtime.security.sessions.list(input)),

  /** Ends anybody's session. */
  endSession: manage
    .input(z.strictObject({ sessionId: id }))
    .mutation(({ ctx, input }) => ctx.runtime.security.sessions.end(input, callerOf(ctx))),

  /** All sessions of one user. */
  endSessions: manage.input(user).mutation(async ({ ctx, input }) => ({
    ended: await ctx.runtime.security.sessions.endAll(input, callerOf(ctx)),
  })),

  /** Which roles must have a second factor. */
  factorPolicy: read.query(({ ctx }) => ctx.runtime.security.factorPolicy()),

  /** Sets which roles must have a second factor. Step-up. */
  setFactorPolicy: manage
    .input(z.strictObject({ requiredRoles: z.array(role).max(roles.length) }))
    .mutation(({ ctx, input }) => ctx.runtime.security.setFactorPolicy(input, privilegeOf(ctx))),

  /** Every API key with what it may do and its last use; never the key itself. */
  apiKeys: manage.query(({ ctx }) => ctx.runtime.security.apiKeys.list()),

  /** Makes an API key, shown this once. Step-up. */
  createApiKey: manage
    .input(
      z.strictObject({
        name: label,
        permissions: z.array(z.enum(allPermissions)).min(1).max(allPermissions.length),
        days: z.int().min(1).max(365),
        action: z.enum(keyActions).optional(),
      }),
    )
    .mutation(({ ctx, input }) => ctx.runtime.security.apiKeys.create(ctx.session, input, privilegeOf(ctx))),

  /** Ends an API key at once. */
  revokeApiKey: manage
    .input(z.strictObject({ id }))
    .mutation(({ ctx, input }) => ctx.runtime.security.apiKeys.revoke(input, callerOf(ctx))),

  limits: limitsRouter,
  blocks: blocksRouter,
  trusted: trustedRouter,

  /** The keys that sign access tokens, without their private parts. */
  signingKeys: read.query(({ ctx }) => ctx.runtime.security.signingKeys.list()),

  /** Makes a new signing key; `revokeOld` ends what the others signed. Step-up. */
  rotateSigningKeys: manage
    .input(z.strictObject({ revokeOld: z.boolean() }))
    .mutation(({ ctx, input }) => ctx.runtime.security.signingKeys.rotate(input, privilegeOf(ctx))),
})
