import { and, eq, isNull } from 'drizzle-orm'
import type { Store } from '@/db/store'
import { locked, q, type Tx, unit, type Work } from '@/db/unit'
import type { Caller } from '@/server/audit'
import type { Clock } from '@/server/clock'
import { HoldfastError } from '@/server/errors'
import { useGrant } from '@/server/grants'
import type { Passwords } from '../passwords/passwords'
import { sessionEnded } from '../sessions/session-end'
import { type AttemptLimits, claimOne, forgetAttempts, passwordKey } from '../sign-in/attempts'
import type { Privilege, SessionInfo } from '../types'
import { type LockedUser, lockUser } from '../users/user-guards'
import { countFactors } from './factor-state'
import { recordRefusal } from './refusals'

/** So long after signing in the password is not asked for again, while there is no factor to step up with. */
export const freshSignIn = 10 * 60_000

/** Whether a session was opened too long ago to enrol a first factor without the password. */
export async function isStale(
  { store, clock }: { store: Store; clock: Clock },
  { sessionId }: SessionInfo,
): Promise<boolean> {
  const { sessions } = store.tables
  const [row] = await store.db
    .select({ createdAt: sessions.createdAt })
    .from(sessions)
    .where(eq(sessions.id, sessionId))
  return !row || row.createdAt < clock.now() - freshSignIn
}

export type EnrolmentAction = 'account.beginTotp' | 'account.beginPasskey'

interface ProvePassword {
  store: Store
  clock: Clock
  passwords: Passwords
}

const forgetPassword = unit('enrolment.forget', (tx, userId: string) =>
  forgetAttempts(tx, [passwordKey(userId)]),
)

/** Compares the password of a signed-in user, a few times at most. Throws WRONG_CREDENTIALS, TOO_MANY_REQUESTS. */
export async function provePassword(
  { store, clock, passwords }: ProvePassword,
  { userId, sessionId }: SessionInfo,
  {
    password,
    action,
    limits,
    by,
  }: { password: string; action: EnrolmentAction; limits: AttemptLimits; by: Caller },
): Promise<void> {
  const attempt = { key: passwordKey(userId), limits, now: clock.now() }
  const lockedUntil = await store.run(claimOne, attempt)
  const { users } = store.tables
  const [user] = await store.db.select({ hash: users.passwordHash }).from(users).where(eq(users.id, userId))
  if (await passwords.verify(user?.hash ?? null, password)) return store.run(forgetPassword, userId)
  await store.run(recordRefusal, {
    ...{ refusal: { reason: 'wrong password' }, event: 'authn_step_up_fail', userId },
    ...{ target: `session:${sessionId}`, action, lockedUntil, by, now: clock.now() },
  })
  throw new HoldfastError('WRONG_CREDENTIALS', {
    message: 'The password is wrong.',
    remedy: 'Check it and try again.',
  })
}

/** Locks a user's row for a change of the own factors: sign-ins and other changes wait. Throws SESSION_ENDED. */
export function* lockOwner(tx: Tx, userId: string): Work<LockedUser> {
  const user = yield* lockUser(tx, userId)
  if (user.state !== 'active') throw sessionEnded()
  return user
}

interface EnrolmentStart {
  session: Pick<SessionInfo, 'userId' | 'sessionId'>
  action: EnrolmentAction
  use: Privilege
  /** The password was given, and right. */
  passwordProven: boolean
  now: number
}

/**
 * Lets an enrolment begin: by a step-up grant where the user has a factor, otherwise by a sign-in or password that
 * is fresh. Throws STEP_UP_REQUIRED, BAD_INPUT for a missing password, SESSION_ENDED.
 */
export function* allowEnrolment(tx: Tx, input: EnrolmentStart): Work<void> {
  const { session, action, use, passwordProven, now } = input
  yield* lockOwner(tx, session.userId)
  const own = yield* lockSession(tx, session)
  if ((yield* countFactors(tx, session.userId)) > 0) {
    yield* useGrant(tx, { ...use, action, input: {}, now })
  } else if (!passwordProven && own.createdAt < now - freshSignIn) {
    throw new HoldfastError('BAD_INPUT', {
      message: 'You signed in more than ten minutes ago.',
      remedy: 'Enter your password to go on.',
      details: { passwordNeeded: true },
    })
  }
}

/** The session that does something, locked. Throws SESSION_ENDED. */
export function* lockSession(tx: Tx, { userId, sessionId }: Pick<SessionInfo, 'userId' | 'sessionId'>) {
  const { sessions } = tx.tables
  const live = and(eq(sessions.id, sessionId), eq(sessions.userId, userId), isNull(sessions.endedAt))
  const [session] = yield* q(locked(tx.db.select().from(sessions).where(live)))
  if (!session) throw sessionEnded()
  return session
}
