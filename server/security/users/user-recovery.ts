import { eq } from 'drizzle-orm'
import { q, type Tx, unit, type Work } from '@/db/unit'
import { appendAudit, type Caller } from '@/server/audit'
import { HoldfastError } from '@/server/errors'
import { useGrant } from '@/server/grants'
import { endSessionsOf } from '../sessions/session-end'
import type { Privilege } from '../types'
import { saveLink } from './links'
import { lockAdmins, lockUser, requireState } from './user-guards'

interface ResetInput extends Privilege {
  input: { userId: string }
  now: number
}

/** Takes a user's password away and makes the link that asks for a new one; the sessions end. */
export const resetPassword = unit(
  'user.reset-password',
  function* (tx, { input, linkHash, by, grantId, now }: ResetInput & { linkHash: string }) {
    const action = 'security.resetPassword'
    yield* useGrant(tx, { grantId, by, action, input, now })
    yield* lockAdmins(tx, by)
    return yield* takePassword(tx, { ...input, linkHash, by, now })
  },
)

/** Takes all factors of a user away; the sessions end. Answers their ids. */
export const resetFactor = unit('user.reset-factor', function* (tx, { input, by, grantId, now }: ResetInput) {
  const action = 'security.resetFactor'
  yield* useGrant(tx, { grantId, by, action, input, now })
  yield* lockAdmins(tx, by)
  return yield* takeFactors(tx, { ...input, by, now })
})

interface MachineInput {
  email: string
  by: Caller
  now: number
}

/** {@link resetPassword} from the machine's command line: no grant. */
export const resetPasswordHere = unit(
  'user.reset-password-here',
  function* (tx, { email, ...rest }: MachineInput & { linkHash: string }) {
    return yield* takePassword(tx, { userId: yield* findUser(tx, email), ...rest })
  },
)

/** {@link resetFactor} from the machine's command line: no grant, so that the last admin can get in again. */
export const resetFactorHere = unit(
  'user.reset-factor-here',
  function* (tx, { email, ...rest }: MachineInput) {
    return yield* takeFactors(tx, { userId: yield* findUser(tx, email), ...rest })
  },
)

function* findUser(tx: Tx, email: string): Work<string> {
  const { users } = tx.tables
  const [user] = yield* q(tx.db.select({ id: users.id }).from(users).where(eq(users.email, email)))
  if (!user) throw new HoldfastError('NOT_FOUND', `There is no user with the address ${email}.`)
  return user.id
}

interface Taking {
  userId: string
  by: Caller
  now: number
}

function* takePassword(
  tx: Tx,
  { userId, linkHash, by, now }: Taking & { linkHash: string },
): Work<{ expiresAt: number; ended: string[] }> {
  const { users, challenges } = tx.tables
  const user = yield* lockUser(tx, userId)
  requireState(user, 'active')
  const change = { passwordHash: null, mustChangePassword: false, updatedAt: now }
  yield* q(tx.db.update(users).set(change).where(eq(users.id, userId)))
  yield* q(tx.db.delete(challenges).where(eq(challenges.userId, userId)))
  const expiresAt = yield* saveLink(tx, { userId, kind: 'reset', hash: linkHash, now })
  const ended = yield* endSessionsOf(tx, { userId }, 'password reset', by, now)
  yield* appendAudit(tx, {
    ...by,
    time: now,
    event: 'authn_password_reset',
    outcome: 'success',
    target: userId,
    after: { email: user.email, expiresAt, sessionsEnded: ended.length },
  })
  return { expiresAt, ended }
}

function* takeFactors(tx: Tx, { userId, by, now }: Taking): Work<string[]> {
  const { totpFactors, passkeys, backupCodes, challenges } = tx.tables
  const user = yield* lockUser(tx, userId)
  const apps = yield* q(tx.db.delete(totpFactors).where(eq(totpFactors.userId, userId)).returning())
  const keys = yield* q(tx.db.delete(passkeys).where(eq(passkeys.userId, userId)).returning())
  const codes = yield* q(tx.db.delete(backupCodes).where(eq(backupCodes.userId, userId)).returning())
  yield* q(tx.db.delete(challenges).where(eq(challenges.userId, userId)))
  const ended = yield* endSessionsOf(tx, { userId }, 'factor reset', by, now)
  yield* appendAudit(tx, {
    ...by,
    time: now,
    event: 'authn_factor_reset',
    outcome: 'success',
    target: userId,
    before: {
      email: user.email,
      authenticatorApps: apps.filter((app) => app.activatedAt !== null).length,
      securityKeys: keys.map(({ name }) => name),
      backupCodes: codes.filter((code) => code.usedAt === null).length,
    },
    after: { sessionsEnded: ended.length },
  })
  return ended
}
