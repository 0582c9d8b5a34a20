import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { and, asc, desc, eq, gt, isNull } from 'drizzle-orm'
import type { Store } from '@/db/store'
import type { Role } from '@/db/tables'
import { locked, q, type Tx, unit, type Work } from '@/db/unit'
import { appendAudit, type Caller } from '@/server/audit'
import { type EndReason, endById } from './session-end'

/** What the store knows of a live session and its user. */
export interface SessionFacts {
  sessionId: string
  userId: string
  email: string
  name: string
  role: Role
  /** How it was signed in, after RFC 8176: pwd, otp, hwk … */
  methods: string[]
  /** When it ends at the latest if it stays unused, UTC ms. */
  expiresAt: number
}

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

/** An answer may get lost: within this time the same device may ask for it again. */
export const repeatWithin = 10_000

/** A refresh token: 256 bits of chance, or derived from its predecessor. Only its SHA-256 is stored. */
export const newRefreshToken = () => randomBytes(32).toString('base64url')
export const hashOf = (token: string) => createHash('sha256').update(token).digest('base64url')
const newSalt = () => randomBytes(16).toString('base64url')

interface OpenInput {
  userId: string
  /** The hash that the password was compared with: a change meanwhile makes the sign-in void. */
  passwordHash: string
  refreshHash: string
  methods: string[]
  origin: SessionOrigin
  limits: SessionLimits
  by: Caller
  now: number
}

/**
 * Opens a session for a user whose proof was checked. Answers null when the user was disabled or the password
 * changed meanwhile; otherwise the session and the ids of those that had to end for it.
 */
export const openSession = unit('session.open', function* (tx, input: OpenInput) {
  const { users, sessions, refreshTokens } = tx.tables
  const { now, limits, origin } = input
  const [user] = yield* q(locked(tx.db.select().from(users).where(eq(users.id, input.userId))))
  if (user?.state !== 'active' || user.passwordHash !== input.passwordHash) return null
  const replaced = yield* endBeyond(tx, input)
  const expiresAt = now + limits.absoluteMs
  const idleExpiresAt = Math.min(now + limits.idleMs, expiresAt)
  const id = randomUUID()
  yield* q(
    tx.db.insert(sessions).values({
      ...{ id, userId: user.id, methods: input.methods, ...origin },
      ...{ createdAt: now, lastUsedAt: now, idleExpiresAt, expiresAt },
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
    actorId: user.id,
    actor: user.email,
    sessionId: id,
    time: now,
    event: 'authn_login_success',
    outcome: 'success',
    target: user.id,
    after: { methods: input.methods, device: origin.device },
  })
  const session = infoOf(user, { id, methods: input.methods, idleExpiresAt })
  return { session, replaced }
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
  | { outcome: 'rotated' | 'repeated'; session: SessionFacts }
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
      return { outcome: 'repeated', session: infoOf(user, session) }
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
    time: now,
    event: 'session_renewed',
    outcome: 'success',
    target: `session:${session.id}`,
  })
  return { outcome: 'rotated', session: infoOf(user, { ...session, idleExpiresAt }) }
})

function reasonToEnd(
  session: { idleExpiresAt: number; expiresAt: number },
  userState: string,
  now: number,
): EndReason | null {
  if (userState !== 'active') return 'user disabled'
  if (session.expiresAt <= now) return 'expired'
  if (session.idleExpiresAt <= now) return 'idle'
  return null
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

/** The live session of an id, read fresh: an ended one, or one of a disabled user, counts at once. */
export async function findSession(
  { store }: { store: Store },
  { sessionId, userId, now }: { sessionId: string; userId: string; now: number },
): Promise<SessionFacts | null> {
  const { sessions, users } = store.tables
  const [row] = await store.db
    .select({ session: sessions, user: users })
    .from(sessions)
    .innerJoin(users, eq(users.id, sessions.userId))
    .where(
      and(
        eq(sessions.id, sessionId),
        eq(sessions.userId, userId),
        isNull(sessions.endedAt),
        gt(sessions.idleExpiresAt, now),
        eq(users.state, 'active'),
      ),
    )
  return row ? infoOf(row.user, row.session) : null
}

/** Whose session a refresh token belongs to, whatever became of either. */
export async function findByRefreshToken(
  { store }: { store: Store },
  hash: string,
): Promise<{ userId: string; sessionId: string } | null> {
  const { sessions, refreshTokens: tokens } = store.tables
  const [row] = await store.db
    .select({ userId: sessions.userId, sessionId: sessions.id })
    .from(tokens)
    .innerJoin(sessions, eq(sessions.id, tokens.sessionId))
    .where(eq(tokens.hash, hash))
  return row ?? null
}

/** A session as its user sees it in the list. */
export interface SessionEntry {
  id: string
  device: string
  address: string
  methods: string[]
  createdAt: number
  lastUsedAt: number
  expiresAt: number
  current: boolean
}

/** The live sessions of a user, the latest used first. */
export async function listSessions(
  { store }: { store: Store },
  { userId, sessionId, now }: { userId: string; sessionId: string; now: number },
): Promise<SessionEntry[]> {
  const { sessions } = store.tables
  const rows = await store.db
    .select()
    .from(sessions)
    .where(and(eq(sessions.userId, userId), isNull(sessions.endedAt), gt(sessions.idleExpiresAt, now)))
    .orderBy(desc(sessions.lastUsedAt), asc(sessions.id))
  return rows.map(({ id, device, address, methods, createdAt, lastUsedAt, idleExpiresAt }) => ({
    ...{ id, device, address, methods, createdAt, lastUsedAt },
    expiresAt: idleExpiresAt,
    current: id === sessionId,
  }))
}

function infoOf(
  user: { id: string; email: string; name: string; role: Role },
  session: { id: string; methods: string[]; idleExpiresAt: number },
): SessionFacts {
  const { id: userId, email, name, role } = user
  const { id: sessionId, methods, idleExpiresAt: expiresAt } = session
  return { sessionId, userId, email, name, role, methods, expiresAt }
}
