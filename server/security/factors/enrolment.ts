import { and, eq, isNull } from 'drizzle-orm'
import { q, type Tx, type Work } from '@/db/unit'
import { appendAudit, type Caller } from '@/server/audit'
import { endSessionsOf } from '../sessions/session-end'
import type { Enrolled, SessionInfo } from '../types'
import { replaceBackupCodes } from './backup-codes'
import { lockSession } from './enrolment-guard'
import { countFactors } from './factor-state'
import type { Method } from './methods'

export interface Enrolment {
  session: Pick<SessionInfo, 'userId' | 'sessionId'>
  /** What to store of the backup codes, if this is the first factor. */
  codeMacs: string[]
  by: Caller
  now: number
}

export interface EnrolmentDone {
  /** Whether it is the user's first factor, for which backup codes were stored. */
  first: boolean
  /** Ids of the sessions that ended, since they were signed in without a factor. */
  ended: string[]
}

/** What the user is told of it, and the sessions to tell {@link SessionWatch} of. */
export function enrolledBy(
  { first, ended }: EnrolmentDone,
  { shown, drift }: { shown: string[]; drift: number },
): Enrolled & { endedIds: string[] } {
  return { backupCodes: first ? shown : null, drift, ended: ended.length, endedIds: ended }
}

/**
 * What follows when a factor comes into use, in its unit, after {@link isFirstFactor} and the factor's own rows: the
 * session gains its method, weaker sessions end, other enrolments that were begun are void.
 */
export function* completeEnrolment(
  tx: Tx,
  { session, codeMacs, by, now }: Enrolment,
  { first, method, factor }: { first: boolean; method: Method; factor: Record<string, unknown> },
): Work<EnrolmentDone> {
  const { userId, sessionId } = session
  yield* voidPending(tx, userId)
  const { sessions } = tx.tables
  const own = yield* lockSession(tx, session)
  const methods = [...new Set([...own.methods, method])]
  yield* q(tx.db.update(sessions).set({ methods }).where(eq(sessions.id, sessionId)))
  if (first) yield* replaceBackupCodes(tx, { userId, macs: codeMacs, now })
  const weaker = { userId, except: sessionId, weaker: true }
  const ended = yield* endSessionsOf(tx, weaker, 'factor enrolled', by, now)
  yield* appendAudit(tx, {
    ...by,
    time: now,
    event: 'authn_factor_enrolled',
    outcome: 'success',
    target: userId,
    after: { ...factor, backupCodesMade: first },
  })
  return { first, ended }
}

/** Whether the next factor is the user's first one. Lock the user's row before. */
export function* isFirstFactor(tx: Tx, userId: string): Work<boolean> {
  return (yield* countFactors(tx, userId)) === 0
}

/** An enrolment that was begun before there was a factor must not be completed after, without a step-up. */
function* voidPending(tx: Tx, userId: string): Work<void> {
  const { totpFactors, challenges } = tx.tables
  yield* q(
    tx.db.delete(totpFactors).where(and(eq(totpFactors.userId, userId), isNull(totpFactors.activatedAt))),
  )
  yield* q(
    tx.db
      .delete(challenges)
      .where(and(eq(challenges.userId, userId), eq(challenges.kind, 'passkey-enrolment'))),
  )
}
