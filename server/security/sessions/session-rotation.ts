import { randomUUID } from 'node:crypto'
import { and, eq } from 'drizzle-orm'
import { locked, q, type Tx, unit, type Work } from '@/db/unit'
import { appendAudit, type Caller } from '@/server/audit'
import { type EndReason, endById } from './session-end'
import { newSalt, type SessionLimits, type SessionOrigin } from './session-open'

/** An answer may get lost: within this time the same device may ask for it again. */
const repeatWithin = 10_000

interface RotateInput {
  hash: string
  /** SHA-256 of the successor, derived beforehand from the token and its salt. */
  successorHash: string
  origin: SessionOrigin
  limits: SessionLimits
  by: Caller
  now: number
}

export type Rotation =
  | { outcome: 'rotated' | 'repeated'; sessionId: string }
  | { outcome: 'unknown' }
  | { outcome: 'ended' | 'reused'; ended: string[] }

/**
 * Rotates a refresh token (RFC 9700, 4.14.2). The session is locked; a token that is used up already is either
 * a repeated request, which gets the same successor, or theft, which ends the session. The outcome is answered
 * rather than thrown, since an end must commit.
 */
export const rotateSession = unit('session.rotate', function* (tx, input: RotateInput): Work<Rotation> {
  const { sessions, refreshTokens: tokens, users } = tx.tables
  const { now, origin, limits } = input
  const byHash = () => tx.db.select().from(tokens).where(eq(tokens.hash, input.hash))
  const [found] = yield* q(byHash())
  if (!found) return { outcome: 'unknown' }
  const [session] = yield* q(locked(tx.db.select().from(sessions).where(eq(sessions.id, found.sessionId))))
  const [user] = session ? yield* q(tx.db.select().from(users).where(eq(users.id, session.userId))) : []
  if (!session || !user || session.endedAt !== null) return { outcome: 'ended', ended: [] }
  const by = { ...input.by, actorId: user.id, actor: user.email, sessionId: session.id }

  const reason = reasonToEnd(session, user.state, now)
  if (reason) return { outcome: 'ended', ended: yield* endById(tx, [session.id], reason, by, now) }

  const successorId = randomUUID()
  const [rotated] = yield* q(
    tx.db
      .update(tokens)
      .set({ status: 'rotated', rotatedAt: now, successorId })
      .where(and(eq(tokens.id, found.id), eq(tokens.status, 'active')))
      .returning({ id: tokens.id }),
  )
  if (!rotated) {
    const [used] = yield* q(byHash())
    if (used && (yield* isRepeat(tx, used, session.deviceHash, input))) {
      return { outcome: 'repeated', sessionId: session.id }
    }
    return { outcome: 'reused', ended: yield* endById(tx, [session.id], 'reuse', by, now) }
  }
  yield* q(
    tx.db.insert(tokens).values({
      ...{ id: successorId, sessionId: session.id, hash: input.successorHash, status: 'active' },
      ...{ salt: newSalt(), createdAt: now },
    }),
  )
  const idleExpiresAt = Math.min(now + limits.idleMs, session.expiresAt)
  yield* q(
    tx.db
      .update(sessions)
      .set({ lastUsedAt: now, idleExpiresAt, address: origin.address })
      .where(eq(sessions.id, session.id)),
  )
  yield* appendAudit(tx, {
    ...by,
    ...{ time: now, event: 'session_renewed', outcome: 'success', target: `session:${session.id}` },
  })
  return { outcome: 'rotated', sessionId: session.id }
})

/** Why a session that was never ended is over all the same. */
function reasonToEnd(
  session: { idleExpiresAt: number; expiresAt: number },
  userState: string,
  now: number,
): EndReason | null {
  if (userState !== 'active') return 'user disabled'
  return reasonOfTime(session, now)
}

/** Why time ended a session: its own limit, or disuse; null while it lives. */
export function reasonOfTime(
  session: { idleExpiresAt: number; expiresAt: number },
  now: number,
): 'expired' | 'idle' | null {
  if (session.expiresAt <= now) return 'expired'
  return session.idleExpiresAt <= now ? 'idle' : null
}

interface UsedToken {
  rotatedAt: number | null
  successorId: string | null
}

function* isRepeat(
  tx: Tx,
  token: UsedToken,
  deviceHash: string,
  { now, origin }: RotateInput,
): Work<boolean> {
  const { rotatedAt, successorId } = token
  if (rotatedAt === null || successorId === null || now - rotatedAt > repeatWithin) return false
  if (origin.deviceHash !== deviceHash) return false
  const { refreshTokens: tokens } = tx.tables
  const [unused] = yield* q(
    tx.db
      .select({ id: tokens.id })
      .from(tokens)
      .where(and(eq(tokens.id, successorId), eq(tokens.status, 'active'))),
  )
  return unused !== undefined
}
