import { and, eq, inArray, isNull, lte } from 'drizzle-orm'
import { q, unit, type Work } from '@/db/unit'
import { appendAudit, type Caller } from '@/server/audit'
import { HoldfastError } from '@/server/errors'

/** Which alerts: those named, or all that were raised until then. */
export type Seen = { ids: string[] } | { until: number }

/** Puts alerts away, for everybody. Answers how many; who comes second changes nothing. */
export const markSeen = unit(
  'alerts.mark-seen',
  function* (tx, { seen, by, now }: { seen: Seen; by: Caller; now: number }): Work<number> {
    const { alerts } = tx.tables
    const which = 'ids' in seen ? inArray(alerts.id, seen.ids) : lte(alerts.createdAt, seen.until)
    const rows = yield* q(
      tx.db
        .update(alerts)
        .set({ seenAt: now, seenBy: by.actor })
        .where(and(which, isNull(alerts.seenAt)))
        .returning({ id: alerts.id }),
    )
    const [first] = rows
    if (!first) return 0
    yield* appendAudit(tx, {
      ...by,
      ...{ time: now, event: 'sys_alert_seen', outcome: 'success' },
      target: rows.length === 1 ? `alert:${first.id}` : null,
      after: { alerts: rows.length },
    })
    return rows.length
  },
)

/** Tries dead letters again, from the first pause on. Answers how many; CONFLICT when their channel is off. */
export const retryDead = unit(
  'alerts.retry-dead',
  function* (tx, { ids, by, now }: { ids: string[]; by: Caller; now: number }): Work<number> {
    const { alertDeliveries, alertChannels } = tx.tables
    const on = tx.db
      .select({ id: alertChannels.id })
      .from(alertChannels)
      .where(eq(alertChannels.enabled, true))
    const rows = yield* q(
      tx.db
        .update(alertDeliveries)
        .set({ state: 'pending', attempts: 0, nextAt: now, leaseOwner: null, leaseUntil: null })
        .where(
          and(
            inArray(alertDeliveries.id, ids),
            eq(alertDeliveries.state, 'dead'),
            inArray(alertDeliveries.channelId, on),
          ),
        )
        .returning({ id: alertDeliveries.id, channelId: alertDeliveries.channelId }),
    )
    const [first] = rows
    if (!first) {
      const message = 'Nothing is tried again: the channel is off, or somebody else was faster.'
      throw new HoldfastError('CONFLICT', { message, remedy: 'Switch the channel on first.' })
    }
    yield* appendAudit(tx, {
      ...by,
      ...{
        time: now,
        event: 'sys_alert_retried',
        outcome: 'success',
        target: `alert-channel:${first.channelId}`,
      },
      after: { deliveries: rows.length },
    })
    return rows.length
  },
)
