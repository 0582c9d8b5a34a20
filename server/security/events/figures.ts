import { and, count, eq, gt, isNull } from 'drizzle-orm'
import type { Store } from '@/db/store'
import type { Events } from './types'

export interface SecurityFigures {
  /** Live sessions, and users who have one. */
  sessions: number
  usersSignedIn: number
  /** Events of the last 24 hours, and the failed or denied among them. */
  eventsToday: number
  failuresToday: number
  /** Events ever written. */
  eventsTotal: number
}

const DAY = 86_400_000

/** The figures of the security page, counted now. */
export async function securityFigures(
  { store, events }: { store: Store; events: Pick<Events, 'histogram'> },
  now: number,
): Promise<SecurityFigures> {
  const { sessions, auditHead } = store.tables
  const [live, { buckets }, [head]] = await Promise.all([
    store.db
      .select({ userId: sessions.userId, sessions: count() })
      .from(sessions)
      .where(and(isNull(sessions.endedAt), gt(sessions.idleExpiresAt, now)))
      .groupBy(sessions.userId),
    events.histogram({ from: now - DAY, by: 'outcome', buckets: 24 }),
    store.db.select({ seq: auditHead.seq }).from(auditHead).where(eq(auditHead.id, 1)),
  ])
  const sum = (numbers: number[]) => numbers.reduce((total, number) => total + Number(number), 0)
  return {
    sessions: sum(live.map((row) => row.sessions)),
    usersSignedIn: live.length,
    eventsToday: sum(buckets.flatMap(({ counts }) => counts)),
    failuresToday: sum(buckets.flatMap(({ counts: [, ...others] }) => others)),
    eventsTotal: head?.seq ?? 0,
  }
}
