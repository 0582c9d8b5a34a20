import { and, count, desc, eq, inArray, isNotNull, isNull, lt, ne, or } from 'drizzle-orm'
import type { Store } from '@/db/store'
import type { DeliveryState } from '@/db/tables'
import type { AlertEntry, Channel, DeliveryEntry, EmailFacts, Place, Unseen, WebhookFacts } from './types'

export interface Page<T> {
  rows: T[]
  /** Where the next page begins; null at the end. */
  next: Place | null
}

/** Alerts, the latest first. */
export async function listAlerts(
  store: Store,
  { before, limit, unseen }: { before?: Place | undefined; limit: number; unseen?: boolean | undefined },
): Promise<Page<AlertEntry>> {
  const { alerts } = store.tables
  const older = before
    ? or(lt(alerts.createdAt, before.at), and(eq(alerts.createdAt, before.at), lt(alerts.id, before.id)))
    : undefined
  const rows = await store.db
    .select({
      id: alerts.id,
      findingId: alerts.findingId,
      severity: alerts.severity,
      title: alerts.title,
      body: alerts.body,
      createdAt: alerts.createdAt,
      seenAt: alerts.seenAt,
      seenBy: alerts.seenBy,
    })
    .from(alerts)
    .where(and(older, unseen ? isNull(alerts.seenAt) : undefined))
    .orderBy(desc(alerts.createdAt), desc(alerts.id))
    .limit(limit + 1)
  return paged(rows, limit)
}

/** What nobody has put away yet: how many, and the newest five. */
export async function readUnseen(store: Store): Promise<Unseen> {
  const { alerts } = store.tables
  const [there] = await store.db.select({ count: count() }).from(alerts).where(isNull(alerts.seenAt))
  const latest = await store.db
    .select({
      id: alerts.id,
      findingId: alerts.findingId,
      severity: alerts.severity,
      title: alerts.title,
      createdAt: alerts.createdAt,
    })
    .from(alerts)
    .where(isNull(alerts.seenAt))
    .orderBy(desc(alerts.createdAt), desc(alerts.id))
    .limit(5)
  return { count: Number(there?.count ?? 0), latest }
}

/** Deliveries, the latest first. */
export async function listDeliveries(
  store: Store,
  {
    before,
    limit,
    state,
    channelId,
  }: { before?: Place; limit: number; state?: DeliveryState; channelId?: string },
): Promise<Page<DeliveryEntry>> {
  const { alertDeliveries: deliveries, alertChannels, alerts } = store.tables
  const older = before
    ? or(
        lt(deliveries.createdAt, before.at),
        and(eq(deliveries.createdAt, before.at), lt(deliveries.id, before.id)),
      )
    : undefined
  const rows = await store.db
    .select({
      id: deliveries.id,
      alert: { id: alerts.id, title: alerts.title, severity: alerts.severity },
      channel: { id: alertChannels.id, name: alertChannels.name, kind: alertChannels.kind },
      state: deliveries.state,
      attempts: deliveries.attempts,
      nextAt: deliveries.nextAt,
      error: deliveries.error,
      answer: deliveries.answer,
      tookMs: deliveries.tookMs,
      createdAt: deliveries.createdAt,
      deliveredAt: deliveries.deliveredAt,
    })
    .from(deliveries)
    .innerJoin(alerts, eq(alerts.id, deliveries.alertId))
    .innerJoin(alertChannels, eq(alertChannels.id, deliveries.channelId))
    .where(
      and(
        older,
        state ? eq(deliveries.state, state) : undefined,
        channelId ? eq(deliveries.channelId, channelId) : undefined,
      ),
    )
    .orderBy(desc(deliveries.createdAt), desc(deliveries.id))
    .limit(limit + 1)
  return paged(rows, limit)
}

function paged<T extends { createdAt: number; id: string }>(found: T[], limit: number): Page<T> {
  const rows = found.slice(0, limit)
  const last = rows.at(-1)
  return { rows, next: found.length > limit && last ? { at: last.createdAt, id: last.id } : null }
}

/** Channels by name, with how they fare. No secret is among it. */
export async function listChannels(store: Store): Promise<Channel[]> {
  const { alertChannels, alertDeliveries: deliveries } = store.tables
  const rows = await store.db.select().from(alertChannels).orderBy(alertChannels.name)
  const counts = await store.db
    .select({ channelId: deliveries.channelId, state: deliveries.state, count: count() })
    .from(deliveries)
    .where(inArray(deliveries.state, ['pending', 'dead']))
    .groupBy(deliveries.channelId, deliveries.state)
  const countOf = (id: string, state: DeliveryState) =>
    Number(counts.find((row) => row.channelId === id && row.state === state)?.count ?? 0)
  return Promise.all(
    rows.map(async ({ secretSealed: _sealed, config, kind, ...row }) => {
      const [last] = await store.db
        .select({ at: deliveries.deliveredAt, answer: deliveries.answer, tookMs: deliveries.tookMs })
        .from(deliveries)
        .where(and(eq(deliveries.channelId, row.id), isNotNull(deliveries.deliveredAt)))
        .orderBy(desc(deliveries.deliveredAt))
        .limit(1)
      const [failed] = await store.db
        .select({ error: deliveries.error })
        .from(deliveries)
        .where(
          and(
            eq(deliveries.channelId, row.id),
            ne(deliveries.state, 'delivered'),
            isNotNull(deliveries.error),
          ),
        )
        .orderBy(desc(deliveries.createdAt))
        .limit(1)
      const general = {
        ...row,
        ...{ pending: countOf(row.id, 'pending'), dead: countOf(row.id, 'dead') },
        lastDelivery: last?.at == null ? null : { at: last.at, answer: last.answer, tookMs: last.tookMs },
        lastError: failed?.error ?? null,
      }
      return kind === 'webhook'
        ? { ...general, kind, config: config as unknown as WebhookFacts }
        : { ...general, kind, config: config as unknown as EmailFacts }
    }),
  )
}
