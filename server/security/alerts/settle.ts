import { and, eq, gt, inArray, sql } from 'drizzle-orm'
import { locked, q, type Tx, unit, type Work } from '@/db/unit'
import { appendAudit, system } from '@/server/audit'

interface Settled {
  channelId: string
  /** Deliveries of one message. */
  ids: string[]
  /** Who sent it: what somebody else took over meanwhile is left to them. */
  owner: string
  now: number
  answer: string | null
  tookMs: number
}

const free = { leaseOwner: null, leaseUntil: null }

const mine = ({ tables }: Tx, { ids, owner }: Pick<Settled, 'ids' | 'owner'>) => {
  const { id, leaseOwner, state } = tables.alertDeliveries
  return and(inArray(id, ids), eq(leaseOwner, owner), eq(state, 'pending'))
}

/** Notes that a receiver took a message. */
export const noteDelivered = unit('alerts.note-delivered', function* (tx, given: Settled): Work<number> {
  const { alertDeliveries } = tx.tables
  const { now, answer, tookMs } = given
  const rows = yield* q(
    tx.db
      .update(alertDeliveries)
      .set({ ...free, state: 'delivered', deliveredAt: now, error: null, answer, tookMs })
      .where(mine(tx, given))
      .returning({ id: alertDeliveries.id }),
  )
  return rows.length
})

/** Notes that a try failed, and when the next one is due. */
export const noteFailed = unit(
  'alerts.note-failed',
  function* (tx, given: Settled & { error: string; nextAt: number }): Work<void> {
    const { alertDeliveries } = tx.tables
    const { error, nextAt, answer, tookMs } = given
    const set = { ...free, error, nextAt, answer, tookMs }
    yield* q(tx.db.update(alertDeliveries).set(set).where(mine(tx, given)))
  },
)

/** Gives back what was taken and not sent: that was no try. */
export const giveBack = unit(
  'alerts.give-back',
  function* (
    tx,
    given: Pick<Settled, 'ids' | 'owner'> & { nextAt: number; error: string | null },
  ): Work<void> {
    const { alertDeliveries } = tx.tables
    const { nextAt, error } = given
    const attempts = sql`${alertDeliveries.attempts} - 1`
    const set = { ...free, nextAt, attempts, ...(error === null ? {} : { error }) }
    yield* q(tx.db.update(alertDeliveries).set(set).where(mine(tx, given)))
  },
)

/** The log is told of a channel's dead letters once in this time. */
const TOLD_MS = 3_600_000

/** Gives deliveries up. They stay, with the error, until somebody tries them again. */
export const noteDead = unit(
  'alerts.note-dead',
  function* (tx, given: Settled & { error: string }): Work<void> {
    const { alertChannels, alertDeliveries } = tx.tables
    const { channelId, now, error, answer, tookMs } = given
    // One at a time for a channel: two that died at once would each tell of themselves.
    yield* q(
      locked(
        tx.db.select({ id: alertChannels.id }).from(alertChannels).where(eq(alertChannels.id, channelId)),
      ),
    )
    const dead = and(eq(alertDeliveries.channelId, channelId), eq(alertDeliveries.state, 'dead'))
    const [told] = yield* q(
      tx.db
        .select({ id: alertDeliveries.id })
        .from(alertDeliveries)
        .where(and(dead, gt(alertDeliveries.nextAt, now - TOLD_MS)))
        .limit(1),
    )
    const rows = yield* q(
      tx.db
        .update(alertDeliveries)
        .set({ ...free, state: 'dead', nextAt: now, error, answer, tookMs })
        .where(mine(tx, given))
        .returning({ id: alertDeliveries.id }),
    )
    if (rows.length === 0 || told) return
    yield* appendAudit(tx, {
      ...system,
      ...{ time: now, event: 'sys_alert_not_delivered', outcome: 'failure', severity: 'medium' },
      ...{ target: `alert-channel:${channelId}`, reason: error },
    })
  },
)

/** Switches a channel off whose receiver wants no more, and gives up what waits for it. */
export const switchOff = unit(
  'alerts.switch-off',
  function* (tx, given: Settled & { error: string }): Work<void> {
    const { alertChannels, alertDeliveries } = tx.tables
    const { channelId, now, error, answer, tookMs } = given
    const [off] = yield* q(
      tx.db
        .update(alertChannels)
        .set({ enabled: false, disabledReason: error, updatedAt: now })
        .where(and(eq(alertChannels.id, channelId), eq(alertChannels.enabled, true)))
        .returning({ name: alertChannels.name }),
    )
    const set = { ...free, state: 'dead' as const, nextAt: now }
    yield* q(
      tx.db
        .update(alertDeliveries)
        .set({ ...set, error, answer, tookMs })
        .where(mine(tx, given)),
    )
    const waiting = and(eq(alertDeliveries.channelId, channelId), eq(alertDeliveries.state, 'pending'))
    yield* q(
      tx.db
        .update(alertDeliveries)
        .set({ ...set, error: 'The channel was switched off.' })
        .where(waiting),
    )
    if (!off) return
    yield* appendAudit(tx, {
      ...system,
      ...{ time: now, event: 'sys_alert_channel_disabled', outcome: 'success', severity: 'medium' },
      ...{ target: `alert-channel:${channelId}`, reason: error, after: { name: off.name } },
    })
  },
)
