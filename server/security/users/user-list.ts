import { and, asc, count, desc, eq, gt, isNotNull, isNull, or, type SQL } from 'drizzle-orm'
import { begins, holds } from '@/db/holds'
import type { Store } from '@/db/store'
import type { FactorKind, UserEntry, UserFound } from '../types'

/** Users whose address or name holds a text; those that begin with it first. */
export function findUsers(
  { db, tables: { users } }: Store,
  text: string,
  limit: number,
): Promise<UserFound[]> {
  const { id, email, name, state } = users
  return db
    .select({ id, email, name, state })
    .from(users)
    .where(or(holds(email, text), holds(name, text)))
    .orderBy(desc(or(begins(email, text), begins(name, text)) as SQL), asc(email))
    .limit(limit)
}

/** All users by address, with what belongs to each, in one query a table however many users there are. */
export async function listUsers({ store }: { store: Store }, now: number): Promise<UserEntry[]> {
  const { users, sessions, totpFactors, passkeys, backupCodes, oneTimeTokens: links } = store.tables
  const [rows, live, totp, keys, codes, invites] = await Promise.all([
    store.db.select().from(users).orderBy(asc(users.email)),
    store.db
      .select({ userId: sessions.userId, n: count() })
      .from(sessions)
      .where(and(isNull(sessions.endedAt), gt(sessions.idleExpiresAt, now)))
      .groupBy(sessions.userId),
    store.db
      .selectDistinct({ userId: totpFactors.userId })
      .from(totpFactors)
      .where(isNotNull(totpFactors.activatedAt)),
    store.db.selectDistinct({ userId: passkeys.userId }).from(passkeys),
    store.db
      .selectDistinct({ userId: backupCodes.userId })
      .from(backupCodes)
      .where(isNull(backupCodes.usedAt)),
    store.db
      .select({ userId: links.userId, expiresAt: links.expiresAt })
      .from(links)
      .where(and(eq(links.kind, 'invite'), isNull(links.usedAt), gt(links.expiresAt, now))),
  ])
  const sessionsOf = new Map(live.map(({ userId, n }) => [userId, Number(n)]))
  const invitedUntil = new Map(invites.map(({ userId, expiresAt }) => [userId, expiresAt]))
  const factors = new Map<string, FactorKind[]>()
  const note = (kind: FactorKind) => (owner: { userId: string }) =>
    factors.set(owner.userId, [...(factors.get(owner.userId) ?? []), kind])
  totp.forEach(note('totp'))
  keys.forEach(note('passkey'))
  codes.forEach(note('backup-code'))
  return rows.map(({ id, email, name, role, state, mustChangePassword, createdAt, lastSignInAt }) => ({
    ...{ id, email, name, role, state, mustChangePassword, createdAt, lastSignInAt },
    factors: factors.get(id) ?? [],
    sessions: sessionsOf.get(id) ?? 0,
    invitedUntil: invitedUntil.get(id) ?? null,
  }))
}
