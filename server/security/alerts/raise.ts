import { randomUUID } from 'node:crypto'
import { eq } from 'drizzle-orm'
import type { Severity } from '@/db/tables'
import { q, type Tx, type Work } from '@/db/unit'
import { atLeast } from '@/server/audit/severity'

export interface NewAlert {
  /** What it is about: of one key there is one alert, however many instances raise it. */
  key: string
  findingId: string | null
  severity: Severity
  /** What happened, in one line. */
  title: string
  /** Why it is told, and what to do; plain text, may have lines. */
  body: string
  now: number
}

const LONGEST = { key: 300, title: 200, body: 4_000 }

/**
 * Raises an alert inside the unit that opens its finding, so that both commit or neither does: in the console, and to
 * every channel that is on and takes alerts of its severity. One that was raised already changes nothing.
 */
export function* raiseAlert(tx: Tx, { findingId, severity, now, ...alert }: NewAlert): Work<void> {
  const { alerts, alertChannels, alertDeliveries } = tx.tables
  const id = randomUUID()
  const key = plain(alert.key, LONGEST.key)
  const title = plain(alert.title, LONGEST.title)
  const body = lines(alert.body, LONGEST.body)
  const raised = yield* q(
    tx.db
      .insert(alerts)
      .values({ id, key, findingId, severity, title, body, createdAt: now })
      .onConflictDoNothing({ target: alerts.key })
      .returning({ id: alerts.id }),
  )
  if (raised.length === 0) return
  const channels = yield* q(
    tx.db
      .select({ id: alertChannels.id, leastSeverity: alertChannels.leastSeverity })
      .from(alertChannels)
      .where(eq(alertChannels.enabled, true)),
  )
  const deliveries = channels
    .filter(({ leastSeverity }) => atLeast(severity, leastSeverity))
    .map((channel) => ({
      ...{ id: randomUUID(), alertId: id, channelId: channel.id },
      ...{ state: 'pending' as const, attempts: 0, nextAt: now, createdAt: now },
    }))
  if (deliveries.length > 0) yield* q(tx.db.insert(alertDeliveries).values(deliveries))
}

/** One line, as a mail's subject and every database take it. Cut first: a cut can leave half a character. */
const plain = (text: string, most: number) =>
  text.slice(0, most).replace(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]+/gu, ' ')

const lines = (text: string, most: number) =>
  text
    .slice(0, most)
    .split(/\r\n|\r|\n/)
    .map((line) => plain(line, most))
    .join('\n')
