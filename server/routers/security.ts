import { z } from 'zod'
import { allPermissions, keyActions, permissionsOf, roles } from '@/server/security/roles'
import { callerOf, privilegeOf } from '@/server/trpc/caller'
import { procedure, router } from '@/server/trpc/init'
import { email, id, label, personName } from './inputs'

const read = procedure('security:read')
const manage = procedure('security:manage')

const user = z.strictObject({ userId: id })
const role = z.enum(roles)

/** Events, users, everybody's sessions, API keys and signing keys. Every change in `manage` names whether it takes a step-up. */
export const securityRouter = router({
  /** The figures of the security page, counted within the last two seconds. */
  overview: read
    .meta({ permission: 'security:read', rest: { method: 'GET', path: '/infrastructure/security/stats' } })
    .query(({ ctx }) => ctx.runtime.statistics.security()),

  /** Audit events, the latest first; `before` is the `next` of the page above. */
  events: read
    .meta({
      permission: 'security:read',
      rest: { method: 'GET', path: '/infrastructure/security/events' },
    })
    .input(
      z.strictObject({
        before: z.int().positive().optional(),
        limit: z.int().min(1).max(200).default(50),
      }),
    )
    .query(({ ctx, input }) => ctx.runtime.security.events(input)),

  /** What each role may do, the least first. */
  roles: read.query(() => roles.map((role) => ({ role, permissions: permissionsOf(role) }))),

  users: read.query(({ ctx }) => ctx.runtime.security.users.list()),

  /** Step-up. */
  inviteUser: manage
    .input(z.strictObject({ email, name: personName, role }))
    .mutation(({ ctx, input }) => ctx.runtime.security.users.invite(input, privilegeOf(ctx))),

  /** Step-up. */
  renewInvite: manage
    .input(user)
    .mutation(({ ctx, input }) => ctx.runtime.security.users.renewInvite(input, privilegeOf(ctx))),

  withdrawInvite: manage
    .input(user)
    .mutation(({ ctx, input }) => ctx.runtime.security.users.withdrawInvite(input, callerOf(ctx))),

  /** Step-up. */
  setRole: manage
    .input(user.extend({ role }))
    .mutation(({ ctx, input }) => ctx.runtime.security.users.setRole(input, privilegeOf(ctx))),

  /** Step-up. */
  disableUser: manage
    .input(user)
    .mutation(({ ctx, input }) => ctx.runtime.security.users.disable(input, privilegeOf(ctx))),

  /** Step-up. */
  enableUser: manage
    .input(user)
    .mutation(({ ctx, input }) => ctx.runtime.security.users.enable(input, privilegeOf(ctx))),

  requirePasswordChange: manage
    .input(user)
    .mutation(({ ctx, input }) => ctx.runtime.security.users.requirePasswordChange(input, callerOf(ctx))),

  /** Step-up. */
  resetPassword: manage
    .input(user)
    .mutation(({ ctx, input }) => ctx.runtime.security.users.resetPassword(input, privilegeOf(ctx))),

  /** Step-up. */
  resetFactor: manage
    .input(user)
    .mutation(({ ctx, input }) => ctx.runtime.security.users.resetFactor(input, privilegeOf(ctx))),

  /** Live sessions of everybody, or of one user, the latest used first. */
  sessions: read
    .input(z.strictObject({ userId: id.optional() }))
    .query(({ ctx, input }) => ctx.runtime.security.sessions.list(input)),

  endSession: manage
    .input(z.strictObject({ sessionId: id }))
    .mutation(({ ctx, input }) => ctx.runtime.security.sessions.end(input, callerOf(ctx))),

  /** All sessions of one user. */
  endSessions: manage.input(user).mutation(async ({ ctx, input }) => ({
    ended: await ctx.runtime.security.sessions.endAll(input, callerOf(ctx)),
  })),

  /** Which roles must have a second factor. */
  factorPolicy: read.query(({ ctx }) => ctx.runtime.security.factorPolicy()),

  /** Step-up. */
  setFactorPolicy: manage
    .input(z.strictObject({ requiredRoles: z.array(role).max(roles.length) }))
    .mutation(({ ctx, input }) => ctx.runtime.security.setFactorPolicy(input, privilegeOf(ctx))),

  apiKeys: manage.query(({ ctx }) => ctx.runtime.security.apiKeys.list()),

  /** Step-up. */
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

  revokeApiKey: manage
    .input(z.strictObject({ id }))
    .mutation(({ ctx, input }) => ctx.runtime.security.apiKeys.revoke(input, callerOf(ctx))),

  signingKeys: read.query(({ ctx }) => ctx.runtime.security.signingKeys.list()),

  /** Step-up. */
  rotateSigningKeys: manage
    .input(z.strictObject({ revokeOld: z.boolean() }))
    .mutation(({ ctx, input }) => ctx.runtime.security.signingKeys.rotate(input, privilegeOf(ctx))),
})
