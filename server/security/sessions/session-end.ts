import { and, asc, eq, gt, inArray, isNull, ne } from 'drizzle-orm'
import type { Store } from '@/db/store'
import type { Tables } from '@/db/tables'
import { q, type Tx, unit, type Work } from '@/db/unit'
import { appendAudit, type Caller } from '@/server/audit'
import type { Clock } from '@/server/clock'
import { HoldfastError } from '@/server/errors'
import { hasFactor } from '../factors/methods'
import type { SessionWatch } from '../types'

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
  | 'threat'
  | 'restored'

interface EndInput {
  /** Whose sessions; a session of somebody else is left alone. Absent for an admin, who names one of anybody, and for `everybody`. */
  userId?: string
  which: { only: string } | { allBut: string } | 'all' | 'everybody'
  reason: EndReason
  by: Caller
  now: number
}

/** Ends one session, all others, or all of a user, or everybody's. Answers the ids that ended. */
const endSessions = unit('session.end', function* (tx, input: EndInput) {
  const { sessions } = tx.tables
  const { which, userId, now } = input
  const named = which === 'everybody' || (which !== 'all' && 'only' in which)
  if (userId === undefined && !named) throw new Error('Whose sessions?')
  const found = yield* q(
    tx.db
      .select({ id: sessions.id })
      .from(sessions)
      .where(
        and(
          typeof which === 'string' ? undefined : chosen(sessions.id, which),
          userId === undefined ? undefined : eq(sessions.userId, userId),
          isNull(sessions.endedAt),
          gt(sessions.idleExpiresAt, now),
        ),
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

/** Ends sessions and tells those who serve them. Answers how many ended. */
export async function endAndTell(
  { store, clock, watch }: { store: Store; clock: Clock; watch: Pick<SessionWatch, 'ended'> },
  of: Omit<EndInput, 'now'>,
): Promise<number> {
  const ended = await store.run(endSessions, { ...of, now: clock.now() })
  watch.ended(ended)
  return ended.length
}

/** What somebody gets whose session is no more. */
export const sessionEnded = () =>
  new HoldfastError('SESSION_ENDED', { message: 'Your session has ended.', remedy: 'Sign in again.' })

/** What somebody gets who ends a session that is no more. */
export const endedAlready = () => new HoldfastError('NOT_FOUND', 'This session has ended already.')

function chosen(id: Tables['sessions']['id'], which: { only: string } | { allBut: string }) {
  return 'only' in which ? eq(id, which.only) : ne(id, which.allBut)
}

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
  threat: 'session_ended',
  restored: 'session_ended',
} as const satisfies Record<EndReason, string>

interface Whose {
  userId: string
  /** A session that stays. */
  except?: string
  /** Only those that were opened without a second factor. */
  weaker?: boolean
}

/** Ends live sessions of a user inside another unit. Answers the ids that ended: tell {@link SessionWatch} of them. */
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
