import { randomBytes, randomUUID } from 'node:crypto'
import { and, asc, desc, eq, gt, isNull } from 'drizzle-orm'
import { locked, q, type Tx, unit, type Work } from '@/db/unit'
import { appendAudit, type Caller } from '@/server/audit'
import { countFactors } from '../factors/factor-state'
import { hasFactor } from '../factors/methods'
import type { Proven } from '../types'
import { endById } from './session-end'

/** From where a session is used. */
export interface SessionOrigin {
  device: string
  deviceHash: string
  address: string
}

export interface SessionLimits {
  /** Milliseconds of disuse after which a session ends. */
  idleMs: number
  /** Milliseconds after which it ends however much it is used. */
  absoluteMs: number
  /** More live sessions of one user end the one unused for longest. */
  perUser: number
}

interface OpenInput extends Proven {
  refreshHash: string
  origin: SessionOrigin
  limits: SessionLimits
  by: Caller
  now: number
}

/** From it the successor of a refresh token is derived. */
export const newSalt = () => randomBytes(16).toString('base64url')

/**
 * Opens a session for a user whose proofs were checked. Answers null when the user was disabled, or the password
 * or the factors changed meanwhile; otherwise the session's id and the ids of those that had to end for it.
 */
export const openSession = unit('session.open', function* (tx, input: OpenInput) {
  const { users, sessions, refreshTokens } = tx.tables
  const { now, limits, origin, methods, passwordHash } = input
  const [user] = yield* q(locked(tx.db.select().from(users).where(eq(users.id, input.userId))))
  if (user?.state !== 'active') return null
  if (passwordHash !== null && user.passwordHash !== passwordHash) return null
  // A factor that was enrolled or taken away meanwhile makes the proof void, whichever way.
  if (hasFactor(methods) !== (yield* countFactors(tx, user.id)) > 0) return null

  const known = yield* q(
    tx.db
      .select({ id: sessions.id })
      .from(sessions)
      .where(and(eq(sessions.userId, user.id), eq(sessions.deviceHash, origin.deviceHash)))
      .limit(1),
  )
  const replaced = yield* endBeyond(tx, input)
  const expiresAt = now + limits.absoluteMs
  const id = randomUUID()
  yield* q(
    tx.db.insert(sessions).values({
      ...{ id, userId: user.id, methods, ...origin },
      ...{ createdAt: now, lastUsedAt: now },
      ...{ idleExpiresAt: Math.min(now + limits.idleMs, expiresAt), expiresAt },
    }),
  )
  yield* q(
    tx.db.insert(refreshTokens).values({
      ...{ id: randomUUID(), sessionId: id, hash: input.refreshHash, status: 'active' },
      ...{ salt: newSalt(), createdAt: now },
    }),
  )
  yield* q(tx.db.update(users).set({ lastSignInAt: now }).where(eq(users.id, user.id)))
  yield* appendAudit(tx, {
    ...input.by,
    ...{ actorId: user.id, actor: user.email, sessionId: id },
    ...{ time: now, event: 'authn_login_success', outcome: 'success', target: user.id },
    after: {
      ...{ methods, device: origin.device, deviceId: origin.deviceHash.slice(0, 12) },
      // The first sign-in ever has no device to compare with.
      newDevice: known.length === 0 && user.lastSignInAt !== null,
      lastSignInAt: user.lastSignInAt,
    },
  })
  return { sessionId: id, replaced }
})

/** Ends the sessions unused for longest until one more fits. The user's row is locked by the caller. */
function* endBeyond(tx: Tx, { userId, limits, by, now }: OpenInput): Work<string[]> {
  const { sessions } = tx.tables
  const live = yield* q(
    tx.db
      .select({ id: sessions.id })
      .from(sessions)
      .where(and(eq(sessions.userId, userId), isNull(sessions.endedAt), gt(sessions.idleExpiresAt, now)))
      .orderBy(desc(sessions.lastUsedAt), asc(sessions.id)),
  )
  const over = live.slice(Math.max(0, limits.perUser - 1)).map((session) => session.id)
  return yield* endById(tx, over, 'replaced', by, now)
}
