import { and, asc, countDistinct, eq, gt, inArray, isNull, lt, lte, min, or, sql } from 'drizzle-orm'
import type { Store } from '@/db/store'
import type { Tables } from '@/db/tables'
import { lockedIfFree, q, type Tx, unit, type Work } from '@/db/unit'
import type { Carried, EmailFacts } from './types'

export type ChannelRow = Tables['alertChannels']['$inferSelect']

/** A message that this instance sends: nobody else does until the lease ends. */
export interface Claimed {
  id: string
  /** Tries so far, this one among them. */
  attempts: number
  deliveries: string[]
  alerts: Carried[]
}

export interface Claim {
  channel: ChannelRow
  messages: Claimed[]
}

const HOUR_MS = 3_600_000
/** Webhooks that are sent at a time, and alerts that one digest carries at most. */
const MOST = { webhook: 8, email: 500 }

const dueAt = (tables: Tables, now: number) => {
  const { state, nextAt, leaseUntil } = tables.alertDeliveries
  return and(eq(state, 'pending'), lte(nextAt, now), or(isNull(leaseUntil), lt(leaseUntil, now)))
}

/** Channels that have something to be sent now. */
export async function dueChannels({ store }: { store: Store }, now: number): Promise<string[]> {
  const { alertDeliveries, alertChannels } = store.tables
  const rows = await store.db
    .selectDistinct({ id: alertDeliveries.channelId })
    .from(alertDeliveries)
    .innerJoin(alertChannels, eq(alertChannels.id, alertDeliveries.channelId))
    .where(and(dueAt(store.tables, now), eq(alertChannels.enabled, true)))
  return rows.map(({ id }) => id)
}

interface ClaimInput {
  channelId: string
  /** This instance. */
  owner: string
  now: number
  /** When others may send it, should this instance die. */
  until: number
}

/**
 * Takes what is due for a channel, under a lease that no other instance has. Webhooks go one by one; mail goes
 * together, and no more often than the channel says: what is beyond waits for the hour to pass. Null: nothing to send.
 */
export const claim = unit('alerts.claim', function* (tx, input: ClaimInput): Work<Claim | null> {
  const { alertChannels, alertDeliveries } = tx.tables
  const { channelId, owner, now, until } = input
  // Whoever finds it held leaves the channel to the other, or comes again.
  const [channel] = yield* q(
    lockedIfFree(
      tx.db
        .select()
        .from(alertChannels)
        .where(and(eq(alertChannels.id, channelId), eq(alertChannels.enabled, true))),
    ),
  )
  if (!channel) return null
  const due = and(eq(alertDeliveries.channelId, channelId), dueAt(tx.tables, now))
  if (channel.kind === 'email' && (yield* holdBack(tx, channel, due, now))) return null
  const rows = yield* q(
    tx.db
      .select({ id: alertDeliveries.id })
      .from(alertDeliveries)
      .where(due)
      .orderBy(asc(alertDeliveries.nextAt), asc(alertDeliveries.id))
      .limit(MOST[channel.kind]),
  )
  const [first] = rows
  if (!first) return null
  const ids = rows.map(({ id }) => id)
  const fresh = channel.kind === 'email' ? sql`${first.id}` : sql`${alertDeliveries.id}`
  const taken = yield* q(
    tx.db
      .update(alertDeliveries)
      .set({
        leaseOwner: owner,
        leaseUntil: until,
        attempts: sql`${alertDeliveries.attempts} + 1`,
        messageId: sql`coalesce(${alertDeliveries.messageId}, ${fresh})`,
      })
      .where(and(inArray(alertDeliveries.id, ids), due))
      .returning({
        id: alertDeliveries.id,
        alertId: alertDeliveries.alertId,
        attempts: alertDeliveries.attempts,
        messageId: alertDeliveries.messageId,
      }),
  )
  return { channel, messages: yield* messagesOf(tx, taken) }
})

type Due = ReturnType<typeof and>

/** Puts mail off that was never tried, when the channel has sent its share of this hour. Answers whether it did. */
function* holdBack(tx: Tx, channel: ChannelRow, due: Due, now: number): Work<boolean> {
  const { alertDeliveries } = tx.tables
  const { hourly } = channel.config as unknown as EmailFacts
  const [sent] = yield* q(
    tx.db
      .select({ mails: countDistinct(alertDeliveries.messageId), oldest: min(alertDeliveries.deliveredAt) })
      .from(alertDeliveries)
      .where(and(eq(alertDeliveries.channelId, channel.id), gt(alertDeliveries.deliveredAt, now - HOUR_MS))),
  )
  if (Number(sent?.mails ?? 0) < hourly) return false
  const nextAt = Number(sent?.oldest ?? now) + HOUR_MS + 1
  yield* q(
    tx.db
      .update(alertDeliveries)
      .set({ nextAt, error: `${hourly} mails went out within an hour: this one waits and goes with others.` })
      .where(due),
  )
  return true
}

function* messagesOf(
  tx: Tx,
  taken: { id: string; alertId: string; attempts: number; messageId: string | null }[],
): Work<Claimed[]> {
  const { alerts } = tx.tables
  const rows = yield* q(
    tx.db
      .select({
        id: alerts.id,
        key: alerts.key,
        findingId: alerts.findingId,
        severity: alerts.severity,
        title: alerts.title,
        body: alerts.body,
        createdAt: alerts.createdAt,
      })
      .from(alerts)
      .where(
        inArray(
          alerts.id,
          taken.map(({ alertId }) => alertId),
        ),
      ),
  )
  const known = new Map(rows.map((row) => [row.id, row]))
  const messages = new Map<string, Claimed>()
  for (const { id, alertId, attempts, messageId } of taken) {
    const alert = known.get(alertId)
    if (!alert) continue
    const name = messageId ?? id
    const message = messages.get(name) ?? { id: name, attempts, deliveries: [], alerts: [] }
    message.deliveries.push(id)
    message.alerts.push(alert)
    messages.set(name, message)
  }
  return [...messages.values()]
}
