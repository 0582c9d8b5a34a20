import { eq } from 'drizzle-orm'
import type { Role } from '@/db/tables'
import { q, unit } from '@/db/unit'
import { appendAudit, type Caller } from '@/server/audit'
import { useGrant } from '@/server/grants'
import { endSessionsOf } from '../sessions/session-end'
import type { Privilege } from '../types'
import { stopLinks } from './links'
import { keepAnAdmin, lockAdmins, lockUser, requireState } from './user-guards'

interface RoleInput extends Privilege {
  input: { userId: string; role: Role }
  now: number
}

/** Gives a user another role, which counts from the next request. */
export const setRole = unit('user.role', function* (tx, { input, by, grantId, now }: RoleInput) {
  const { users } = tx.tables
  const { userId, role } = input
  const action = 'security.setRole'
  yield* useGrant(tx, { grantId, by, action, input, now })
  const admins = yield* lockAdmins(tx, by)
  const user = yield* lockUser(tx, userId)
  if (user.role === role) return
  if (user.role === 'admin' && user.state === 'active') keepAnAdmin(admins, userId)
  yield* q(tx.db.update(users).set({ role, updatedAt: now }).where(eq(users.id, userId)))
  yield* appendAudit(tx, {
    ...by,
    time: now,
    event: 'privilege_permissions_changed',
    outcome: 'success',
    target: userId,
    before: { role: user.role },
    after: { role },
  })
})

interface UserInput extends Privilege {
  input: { userId: string }
  now: number
}

/** Shuts a user out. Answers the ids of the sessions that ended. */
export const disableUser = unit('user.disable', function* (tx, { input, by, grantId, now }: UserInput) {
  const { users } = tx.tables
  const { userId } = input
  const action = 'security.disableUser'
  yield* useGrant(tx, { grantId, by, action, input, now })
  const admins = yield* lockAdmins(tx, by)
  const user = yield* lockUser(tx, userId)
  requireState(user, 'active')
  if (user.role === 'admin') keepAnAdmin(admins, userId)
  yield* q(tx.db.update(users).set({ state: 'disabled', updatedAt: now }).where(eq(users.id, userId)))
  yield* stopLinks(tx, { userId, now })
  const ended = yield* endSessionsOf(tx, { userId }, 'user disabled', by, now)
  yield* appendAudit(tx, {
    ...by,
    time: now,
    event: 'user_disabled',
    outcome: 'success',
    target: userId,
    after: { email: user.email, sessionsEnded: ended.length },
  })
  return ended
})

/** Lets a disabled user in again. */
export const enableUser = unit('user.enable', function* (tx, { input, by, grantId, now }: UserInput) {
  const { users } = tx.tables
  const { userId } = input
  const action = 'security.enableUser'
  yield* useGrant(tx, { grantId, by, action, input, now })
  yield* lockAdmins(tx, by)
  const user = yield* lockUser(tx, userId)
  requireState(user, 'disabled')
  yield* q(tx.db.update(users).set({ state: 'active', updatedAt: now }).where(eq(users.id, userId)))
  yield* appendAudit(tx, {
    ...by,
    time: now,
    event: 'user_enabled',
    outcome: 'success',
    target: userId,
    after: { email: user.email, role: user.role },
  })
})

interface RequireInput {
  userId: string
  by: Caller
  now: number
}

/** Lets a user do nothing but give a new password. */
export const requireNewPassword = unit(
  'user.require-password',
  function* (tx, { userId, by, now }: RequireInput) {
    const { users } = tx.tables
    yield* lockAdmins(tx, by)
    const user = yield* lockUser(tx, userId)
    requireState(user, 'active')
    const change = { mustChangePassword: true, updatedAt: now }
    yield* q(tx.db.update(users).set(change).where(eq(users.id, userId)))
    yield* appendAudit(tx, {
      ...by,
      time: now,
      event: 'user_updated',
      outcome: 'success',
      target: userId,
      reason: 'new password required',
    })
  },
)
