import { and, asc, eq, gt, is, lt, lte, sql } from 'drizzle-orm'
import { PgTable } from 'drizzle-orm/pg-core'
import { locked, q, type Tx, unit, type Work } from '@/db/unit'
import { HoldfastError } from '@/server/errors'
import { useGrant } from '@/server/grants'
import { appendAudit, type Caller } from './append'
import { keepEdge } from './edge'
import { type Edge, edgeInEvent, PRUNED } from './landmarks'

/** Key in `meta` of how long events are kept. */
const RETENTION = 'audit retention'
const LEASE = 'audit retention'

/** Who asks for something that takes a step-up; without `action` it is the console itself. */
export interface Asked {
  by: Caller
  grantId: string | null
  now: number
}

/** What a checkpoint signs. */
export type SignedPlace = Edge

/** Days that events are kept; null: all of them. */
export function* readRetention(tx: Pick<Tx, 'db' | 'tables'>): Work<number | null> {
  const { meta } = tx.tables
  const [row] = yield* q(tx.db.select({ value: meta.value }).from(meta).where(eq(meta.key, RETENTION)))
  return row ? (JSON.parse(row.value) as { days: number | null }).days : null
}

export const retention = unit('audit.retention', (tx, _: null) => readRetention(tx))

export const setRetention = unit(
  'audit.setRetention',
  function* (tx, { days, by, grantId, now }: Asked & { days: number | null }) {
    yield* useGrant(tx, { grantId, by, action: 'security.audit.setRetention', input: { days }, now })
    const before = yield* readRetention(tx)
    const { meta } = tx.tables
    const value = JSON.stringify({ days })
    yield* q(
      tx.db
        .insert(meta)
        .values({ key: RETENTION, value })
        .onConflictDoUpdate({ target: meta.key, set: { value } }),
    )
    yield* appendAudit(tx, {
      ...{ ...by, time: now, event: 'sys_audit_retention_changed', outcome: 'success' },
      ...{ before: { days: before }, after: { days } },
    })
    return { days }
  },
)

/** Whether this instance prunes now: it is the turn of one of them, once in `everyMs`. */
export const takeTurn = unit(
  'audit.takeTurn',
  function* (tx, { owner, now, everyMs }: { owner: string; now: number; everyMs: number }) {
    const { leases } = tx.tables
    const until = now + everyMs
    const taken = yield* q(
      tx.db
        .insert(leases)
        .values({ name: LEASE, owner, until })
        .onConflictDoUpdate({ target: leases.name, set: { owner, until }, setWhere: lt(leases.until, now) })
        .returning({ name: leases.name }),
    )
    return taken.length > 0
  },
)

export interface Begun {
  /** Events that go, up to this one. Nothing is dropped where there are none. */
  events: number
  upTo: number
}

/**
 * Begins to drop all events from before `before`: keeps the new edge and says so in the log, for the event that tells of
 * it must be there first. Throws CONFLICT without a checkpoint that still fits the log.
 */
export const beginPruning = unit(
  'audit.beginPruning',
  function* (
    tx,
    {
      asked,
      before,
      days,
      checkpoint,
    }: { asked: Asked & { manual: boolean }; before: number; days: number; checkpoint: SignedPlace | null },
  ): Work<Begun> {
    const { auditEvents: events, auditHead } = tx.tables
    const { by, grantId, now, manual } = asked
    if (manual) yield* useGrant(tx, { grantId, by, action: 'security.audit.prune', input: { days }, now })
    const kept = { seq: events.seq, epoch: events.epoch, hash: events.hash }
    // The first one to stay, by time: whatever a clock did, only a prefix goes.
    const [stays] = yield* q(
      tx.db
        .select({ seq: events.seq })
        .from(events)
        .where(gt(events.time, before))
        .orderBy(asc(events.seq))
        .limit(1),
    )
    // Locked after the search: everybody who writes waits for it.
    const [head] = yield* q(locked(tx.db.select().from(auditHead).where(eq(auditHead.id, 1))))
    const [first] = yield* q(tx.db.select(kept).from(events).orderBy(asc(events.seq)).limit(1))
    if (!head || !first) return { events: 0, upTo: 0 }
    const upTo = Math.min(stays ? stays.seq - 1 : head.seq - 1, head.seq - 1, checkpoint?.seq ?? head.seq)
    if (upTo < first.seq) return { events: 0, upTo: 0 }
    yield* refuseUnsigned(tx, checkpoint)
    const [edge] = yield* q(tx.db.select(kept).from(events).where(eq(events.seq, upTo)))
    if (!edge) throw broken(upTo)
    yield* keepEdge(tx, { ...edge, by: by.actor, at: now })
    const gone = upTo - first.seq + 1
    yield* appendAudit(tx, {
      ...{ ...by, time: now, event: PRUNED, outcome: 'success', target: `event:${upTo}` },
      reason: `older than ${days} days`,
      after: { ...edgeInEvent(edge), events: gone, from: first.seq },
    })
    return { events: gone, upTo }
  },
)

function* refuseUnsigned(tx: Tx, checkpoint: SignedPlace | null): Work<void> {
  const { auditEvents: events } = tx.tables
  const found = checkpoint
    ? yield* q(
        tx.db
          .select({ seq: events.seq })
          .from(events)
          .where(and(eq(events.seq, checkpoint.seq), eq(events.hash, checkpoint.hash))),
      )
    : []
  if (found.length > 0) return
  throw new HoldfastError('CONFLICT', {
    message: checkpoint
      ? `The audit log does not fit its newest checkpoint, which signs event ${checkpoint.seq}.`
      : 'The audit log has no checkpoint yet.',
    remedy: checkpoint ? 'Verify the log first: nothing was dropped.' : 'Try again in a moment.',
  })
}

const broken = (seq: number) =>
  new HoldfastError('CONFLICT', {
    message: `Event ${seq} of the audit log is missing.`,
    remedy: 'Verify the log first: nothing was dropped.',
  })

/**
 * Drops the next events of a prefix that is marked as dropped. On PostgreSQL the owner's function does it, which asks
 * for the checkpoint once more. Answers how many rows went.
 */
export const pruneBatch = unit(
  'audit.pruneBatch',
  function* (tx, { upTo, most, checkpoint }: { upTo: number; most: number; checkpoint: SignedPlace }) {
    const { auditEvents: events } = tx.tables
    const [first] = yield* q(
      tx.db
        .select({ seq: events.seq })
        .from(events)
        .where(lte(events.seq, upTo))
        .orderBy(asc(events.seq))
        .limit(1),
    )
    if (!first) return 0
    const { seq, hash } = checkpoint
    if (onPostgres(tx)) {
      const { rows } = yield* q(
        tx.db.execute(sql`select public.holdfast_prune_audit(${upTo}, ${seq}, ${hash}, ${most}) as dropped`),
      )
      return Number((rows[0] as { dropped: number }).dropped)
    }
    const gone = yield* q(
      tx.db
        .delete(events)
        .where(lte(events.seq, Math.min(upTo, first.seq + most - 1)))
        .returning({ seq: events.seq }),
    )
    return gone.length
  },
)

const onPostgres = ({ tables }: Tx): boolean => is(tables.auditEvents, PgTable)
