import { and, count, desc, eq, gt, isNull, lt } from 'drizzle-orm'
import type { Store } from '@/db/store'
import type { AuditOutcome } from '@/db/tables'

/** An audit event as the page shows it. */
export interface EventEntry {
  seq: number
  time: number
  event: string
  actor: string
  target: string | null
  outcome: AuditOutcome
  reason: string | null
  address: string | null
}

export interface EventPage {
  events: EventEntry[]
  /** Give it as `before` for the next, older page; null at the end. */
  next: number | null
}

/** Audit events, the latest first, by keyset: events that arrive meanwhile move nothing. */
export async function recentEvents(
  { store }: { store: Store },
  { before, limit }: { before?: number; limit: number },
): Promise<EventPage> {
  const { auditEvents: at } = store.tables
  const { seq, time, event, actor, target, outcome, reason, address } = at
  const rows = await store.db
    .select({ seq, time, event, actor, target, outcome, reason, address })
    .from(at)
    .where(before === undefined ? undefined : lt(at.seq, before))
    .orderBy(desc(at.seq))
    .limit(limit + 1)
  const events = rows.slice(0, limit)
  return { events, next: rows.length > limit ? (events.at(-1)?.seq ?? null) : null }
}

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

const day = 86_400_000

/** The figures of the security page, counted now. */
export async function securityFigures({ store }: { store: Store }, now: number): Promise<SecurityFigures> {
  const { sessions, auditEvents: events, auditHead } = store.tables
  const [live, recent, [head]] = await Promise.all([
    store.db
      .select({ userId: sessions.userId, sessions: count() })
      .from(sessions)
      .where(and(isNull(sessions.endedAt), gt(sessions.idleExpiresAt, now)))
      .groupBy(sessions.userId),
    store.db
      .select({ outcome: events.outcome, events: count() })
      .from(events)
      .where(gt(events.time, now - day))
      .groupBy(events.outcome),
    store.db.select({ seq: auditHead.seq }).from(auditHead).where(eq(auditHead.id, 1)),
  ])
  const sum = (numbers: number[]) => numbers.reduce((total, number) => total + Number(number), 0)
  return {
    sessions: sum(live.map((row) => row.sessions)),
    usersSignedIn: live.length,
    eventsToday: sum(recent.map((row) => row.events)),
    failuresToday: sum(recent.filter((row) => row.outcome !== 'success').map((row) => row.events)),
    eventsTotal: head?.seq ?? 0,
  }
}
