import { and, count, eq, gt, inArray, isNull } from 'drizzle-orm'
import type { Store } from '@/db/store'

export interface StoreCounts {
  sessions: number
  auditEvents: number
  activeRuns: number
}

/** Counts what the store holds of sessions, audit events and migrations at work. */
export async function countStore(store: Store, now: number): Promise<StoreCounts> {
  const { sessions, auditHead, migrationRuns } = store.tables
  const signedIn = and(isNull(sessions.endedAt), gt(sessions.idleExpiresAt, now), gt(sessions.expiresAt, now))
  const active = inArray(migrationRuns.state, ['running', 'paused', 'cancelling'])
  const [live, head, runs] = await Promise.all([
    store.db.select({ n: count() }).from(sessions).where(signedIn),
    store.db.select({ seq: auditHead.seq }).from(auditHead).where(eq(auditHead.id, 1)),
    store.db.select({ n: count() }).from(migrationRuns).where(active),
  ])
  return {
    sessions: live[0]?.n ?? 0,
    auditEvents: head[0]?.seq ?? 0,
    activeRuns: runs[0]?.n ?? 0,
  }
}
