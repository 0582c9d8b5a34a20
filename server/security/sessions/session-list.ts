import { and, asc, desc, eq, gt, isNull } from 'drizzle-orm'
import type { Store } from '@/db/store'
import type { UserSessionEntry } from '../types'

/** A session as its user sees it in the list. */
export interface SessionEntry extends Omit<UserSessionEntry, 'userId' | 'email'> {
  current: boolean
}

/** The live sessions of a user, the latest used first. */
export async function listSessions(
  { store }: { store: Store },
  { userId, sessionId, now }: { userId: string; sessionId: string; now: number },
): Promise<SessionEntry[]> {
  const rows = await listUserSessions({ store }, { userId, now })
  return rows.map(({ userId: _, email: __, ...entry }) => ({ ...entry, current: entry.id === sessionId }))
}

/** Live sessions of everybody, or of one user, the latest used first. */
export async function listUserSessions(
  { store }: { store: Store },
  { userId, now }: { userId?: string; now: number },
): Promise<UserSessionEntry[]> {
  const { sessions, users } = store.tables
  return store.db
    .select({
      id: sessions.id,
      userId: sessions.userId,
      email: users.email,
      device: sessions.device,
      address: sessions.address,
      methods: sessions.methods,
      createdAt: sessions.createdAt,
      lastUsedAt: sessions.lastUsedAt,
      expiresAt: sessions.idleExpiresAt,
    })
    .from(sessions)
    .innerJoin(users, eq(users.id, sessions.userId))
    .where(
      and(
        isNull(sessions.endedAt),
        gt(sessions.idleExpiresAt, now),
        eq(users.state, 'active'),
        userId === undefined ? undefined : eq(sessions.userId, userId),
      ),
    )
    .orderBy(desc(sessions.lastUsedAt), asc(sessions.id))
}
