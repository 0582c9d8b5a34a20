import { and, asc, eq, gt, inArray, isNull, ne } from 'drizzle-orm'
import { q, type Tx, unit, type Work } from '@/db/unit'
import { appendAudit, type Caller } from '@/server/audit'
import { hasFactor } from './methods'

/** Why a session ended. */
export type EndReason =
  | 'signed out'
  | 'ended'
  | 'idle'
  | 'expired'
  | 'replaced'
  | 'reuse'
  | 'user disabled'
  | 'password changed'
  | 'password reset'
  | 'factor enrolled'
  | 'factor reset'

interface EndInput {
  /** Whose sessions; a session of somebody else is left alone. */
  userId: string
  /** One session, or all but one. */
  which: { only: string } | { allBut: string }
  reason: EndReason
  by: Caller
  now: number
}

/** Ends one session of a user or all others. Answers the ids that ended. */
export const endSessions = unit('session.end', function* (tx, input: EndInput) {
  const { sessions } = tx.tables
  const { which, userId, now } = input
  const chosen = 'only' in which ? eq(sessions.id, which.only) : ne(sessions.id, which.allBut)
  const found = yield* q(
    tx.db
      .select({ id: sessions.id })
      .from(sessions)
      .where(
        and(chosen, eq(sessions.userId, userId), isNull(sessions.endedAt), gt(sessions.idleExpiresAt, now)),
      )
      .orderBy(asc(sessions.id)),
  )
  return yield* endById(
    tx,
    found.map((session) => session.id),
    input.reason,
    input.by,
    now,
  )
})

const endEvents = {
  'signed out': 'authn_logout',
  ended: 'session_ended',
  idle: 'session_expired',
  expired: 'session_expired',
  replaced: 'session_ended',
  reuse: 'authn_token_reuse',
  'user disabled': 'session_ended',
  'password changed': 'session_ended',
  'password reset': 'session_ended',
  'factor enrolled': 'session_ended',
  'factor reset': 'session_ended',
} as const satisfies Record<EndReason, string>

interface Whose {
  userId: string
  /** A session that stays. */
  except?: string
  /** Only those that were opened without a second factor. */
  weaker?: boolean
}

/** Ends live sessions of a user inside another unit. Answers the ids that ended: tell {@link SessionEvents} of them. */
export function* endSessionsOf(
  tx: Tx,
  { userId, except, weaker = false }: Whose,
  reason: EndReason,
  by: Caller,
  now: number,
): Work<string[]> {
  const { sessions } = tx.tables
  const live = yield* q(
    tx.db
      .select({ id: sessions.id, methods: sessions.methods })
      .from(sessions)
      .where(and(eq(sessions.userId, userId), isNull(sessions.endedAt)))
      .orderBy(asc(sessions.id)),
  )
  const ids = live
    .filter(({ id, methods }) => id !== except && !(weaker && hasFactor(methods)))
    .map((session) => session.id)
  return yield* endById(tx, ids, reason, by, now)
}

/** Ends sessions and revokes their refresh tokens; each end is an event of its own. Answers those that were live. */
export function* endById(tx: Tx, ids: string[], reason: EndReason, by: Caller, now: number): Work<string[]> {
  if (ids.length === 0) return []
  const { sessions, refreshTokens: tokens } = tx.tables
  const ended = yield* q(
    tx.db
      .update(sessions)
      .set({ endedAt: now, endedReason: reason })
      .where(and(inArray(sessions.id, ids), isNull(sessions.endedAt)))
      .returning({ id: sessions.id, device: sessions.device }),
  )
  yield* q(tx.db.update(tokens).set({ status: 'revoked' }).where(inArray(tokens.sessionId, ids)))
  for (const { id, device } of ended) {
    yield* appendAudit(tx, {
      ...by,
      time: now,
      event: endEvents[reason],
      outcome: reason === 'reuse' ? 'denied' : 'success',
      reason,
      target: `session:${id}`,
      before: { device },
    })
  }
  return ended.map((session) => session.id)
}
