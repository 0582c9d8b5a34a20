import { randomUUID } from 'node:crypto'
import { and, eq, gt, inArray, isNull } from 'drizzle-orm'
import type { Store } from '@/db/store'
import type { UserState } from '@/db/tables'
import { locked, q, type Tx, unit, type Work } from '@/db/unit'
import { appendAudit, type Caller } from '@/server/audit'
import { HoldfastError } from '@/server/errors'
import { endSessionsOf } from '../sessions/session-end'
import { hashOf, newOpaqueToken } from '../tokens/opaque-token'
import type { LinkState } from '../types'

export type LinkKind = 'invite' | 'reset'

/** How long a link works, ms. */
export const linkLife: Record<LinkKind, number> = { invite: 72 * 3_600_000, reset: 24 * 3_600_000 }

/** The state in which a user must be for a link to work. */
const stateFor: Record<LinkKind, UserState> = { invite: 'invited', reset: 'active' }
const kinds: LinkKind[] = ['invite', 'reset']

/** A token for a one-time link, and the SHA-256 of it that the store keeps. */
export function newLinkToken(): { token: string; hash: string } {
  const token = newOpaqueToken()
  return { token, hash: hashOf(token) }
}

/** Behind #: browsers send it to nobody, neither in the request nor as Referer. */
export const linkOf = (url: string, token: string) => `${url}/link#${token}`

interface NewLink {
  userId: string
  kind: LinkKind
  hash: string
  now: number
}

/** Saves a link inside another unit; earlier ones of the user and kind stop working. Answers until when it works. */
export function* saveLink(tx: Tx, { userId, kind, hash, now }: NewLink): Work<number> {
  yield* stopLinks(tx, { userId, kinds: [kind], now })
  const expiresAt = now + linkLife[kind]
  const row = { id: randomUUID(), kind, hash, userId, createdAt: now, expiresAt }
  yield* q(tx.db.insert(tx.tables.oneTimeTokens).values(row))
  return expiresAt
}

/** Makes open links of a user worthless. The user's row is locked by the caller. */
export function* stopLinks(
  tx: Tx,
  { userId, kinds: which = kinds, now }: { userId: string; kinds?: LinkKind[]; now: number },
): Work<void> {
  const { oneTimeTokens: links } = tx.tables
  yield* q(
    tx.db
      .update(links)
      .set({ usedAt: now })
      .where(and(eq(links.userId, userId), inArray(links.kind, which), isNull(links.usedAt))),
  )
}

/** What a link is good for now: 'unknown' also where it is too old, 'used' also where a newer one replaced it. */
export async function linkState({ store }: { store: Store }, token: string, now: number): Promise<LinkState> {
  const { oneTimeTokens: links, users } = store.tables
  const [row] = await store.db
    .select({ kind: links.kind, usedAt: links.usedAt, user: users })
    .from(links)
    .innerJoin(users, eq(users.id, links.userId))
    .where(and(eq(links.hash, hashOf(token)), inArray(links.kind, kinds), gt(links.expiresAt, now)))
  if (!row || row.kind === 'set-up') return { state: 'unknown' }
  const { kind, user } = row
  if (row.usedAt !== null || user.state !== stateFor[kind]) return { state: 'used' }
  return { state: 'usable', kind, email: user.email, name: user.name }
}

interface UseInput {
  tokenHash: string
  /** The name that an invited user prefers. */
  name: string | undefined
  passwordHash: string
  by: Caller
  now: number
}

/**
 * Uses a link up and gives its user the password. Of any number at once one wins; the others get LINK_USED. A
 * reset ends the user's sessions, whose ids are answered.
 */
export const applyLink = unit('link.use', function* (tx, input: UseInput) {
  const { oneTimeTokens: links, users } = tx.tables
  const { tokenHash, passwordHash, by, now } = input
  const [found] = yield* q(tx.db.select().from(links).where(eq(links.hash, tokenHash)))
  if (!found?.userId || found.kind === 'set-up') throw linkUsed()
  const { kind, userId } = found
  const [user] = yield* q(locked(tx.db.select().from(users).where(eq(users.id, userId))))
  if (user?.state !== stateFor[kind]) throw linkUsed()
  const used = yield* q(
    tx.db
      .update(links)
      .set({ usedAt: now })
      .where(and(eq(links.id, found.id), isNull(links.usedAt), gt(links.expiresAt, now)))
      .returning({ id: links.id }),
  )
  if (used.length === 0) throw linkUsed()
  yield* stopLinks(tx, { userId, now })
  const name = kind === 'invite' ? (input.name ?? user.name) : user.name
  yield* q(
    tx.db
      .update(users)
      .set({
        ...{ state: 'active', name, passwordHash, passwordChangedAt: now },
        ...{ mustChangePassword: false, updatedAt: now },
      })
      .where(eq(users.id, userId)),
  )
  const self = { ...by, actorId: userId, actor: user.email }
  const ended = yield* endSessionsOf(tx, { userId }, 'password reset', self, now)
  yield* appendAudit(tx, {
    ...self,
    time: now,
    event: kind === 'invite' ? 'user_created' : 'authn_password_change',
    outcome: 'success',
    target: userId,
    reason: kind === 'invite' ? 'invitation' : 'reset link',
    after: kind === 'invite' ? { email: user.email, name, role: user.role } : null,
  })
  return { user: { userId, email: user.email, passwordHash }, ended }
})

export const linkUsed = () =>
  new HoldfastError('LINK_USED', {
    message: 'This link was used already, or it is too old.',
    remedy: 'Ask an admin for a new one.',
  })
