import { and, count, eq } from 'drizzle-orm'
import type { Severity } from '@/db/tables'
import { q, unit, type Work } from '@/db/unit'
import { appendAudit, type Caller } from '@/server/audit'
import { HoldfastError } from '@/server/errors'
import { useGrant } from '@/server/grants'
import type { ChannelRow } from './claim'
import type { TestResult, Use } from './types'

/** Each is asked for what it sends, every second, by every instance. */
const MOST_CHANNELS = 20

interface Written {
  id: string
  name: string
  kind: 'webhook' | 'email'
  config: Record<string, unknown>
  secretSealed: string
  leastSeverity: Severity
  enabled: boolean
}

interface Step extends Use {
  /** The input of the procedure, as the step-up was asked for. */
  input: unknown
  now: number
}

/** Adds a channel. Takes a grant. Throws CONFLICT when its name is taken, or there are too many. */
export const addChannel = unit(
  'alerts.add-channel',
  function* (tx, given: Step & { row: Written }): Work<void> {
    const { alertChannels } = tx.tables
    const { row, by, grantId, input, now } = given
    yield* useGrant(tx, { grantId, by, action: 'security.alerts.addChannel', input, now })
    const [there] = yield* q(tx.db.select({ channels: count() }).from(alertChannels))
    if (Number(there?.channels ?? 0) >= MOST_CHANNELS) {
      const message = `There are ${MOST_CHANNELS} channels already.`
      throw new HoldfastError('CONFLICT', { message, remedy: 'Remove one that is not needed.' })
    }
    const made = yield* q(
      tx.db
        .insert(alertChannels)
        .values({ ...row, createdAt: now, createdBy: by.actor, updatedAt: now })
        .onConflictDoNothing({ target: alertChannels.name })
        .returning({ id: alertChannels.id }),
    )
    if (made.length === 0) throw nameTaken(row.name)
    yield* appendAudit(tx, {
      ...by,
      ...{
        time: now,
        event: 'sys_alert_channel_added',
        outcome: 'success',
        target: `alert-channel:${row.id}`,
      },
      after: facts(row),
    })
  },
)

/** Changes a channel that nobody changed since `seenAt`. Takes a grant. Throws CONFLICT. */
export const changeChannel = unit(
  'alerts.change-channel',
  function* (
    tx,
    given: Step & { row: Written; seenAt: number; action: 'changeChannel' | 'rotateSecret' },
  ): Work<void> {
    const { alertChannels, alertDeliveries } = tx.tables
    const { row, seenAt, action, by, grantId, input, now } = given
    yield* useGrant(tx, { grantId, by, action: `security.alerts.${action}`, input, now })
    const [other] = yield* q(
      tx.db.select({ id: alertChannels.id }).from(alertChannels).where(eq(alertChannels.name, row.name)),
    )
    if (other && other.id !== row.id) throw nameTaken(row.name)
    const [before] = yield* q(tx.db.select().from(alertChannels).where(eq(alertChannels.id, row.id)))
    const { id, kind, ...set } = row
    const changed = yield* q(
      tx.db
        .update(alertChannels)
        .set({
          ...set,
          ...(row.enabled ? { disabledReason: null } : {}),
          // What arrived proves nothing of what it is now.
          testedAt: null,
          updatedAt: Math.max(now, seenAt + 1),
        })
        .where(
          and(eq(alertChannels.id, id), eq(alertChannels.kind, kind), eq(alertChannels.updatedAt, seenAt)),
        )
        .returning({ id: alertChannels.id }),
    )
    if (changed.length === 0 || !before) {
      const message = 'The channel was changed or removed meanwhile.'
      throw new HoldfastError('CONFLICT', { message, remedy: 'Look at it again, then change it.' })
    }
    if (!row.enabled) {
      const waiting = and(eq(alertDeliveries.channelId, id), eq(alertDeliveries.state, 'pending'))
      const dead = { state: 'dead' as const, nextAt: now, leaseOwner: null, leaseUntil: null }
      yield* q(
        tx.db
          .update(alertDeliveries)
          .set({ ...dead, error: 'The channel was switched off.' })
          .where(waiting),
      )
    }
    yield* appendAudit(tx, {
      ...by,
      time: now,
      event: action === 'rotateSecret' ? 'sys_alert_channel_secret_rotated' : 'sys_alert_channel_changed',
      ...{ outcome: 'success', target: `alert-channel:${id}` },
      ...{ before: facts(before), after: facts(row) },
    })
  },
)

/** Removes a channel, with what was and is to be sent to it. Takes a grant. Throws NOT_FOUND. */
export const removeChannel = unit(
  'alerts.remove-channel',
  function* (tx, given: Step & { id: string }): Work<void> {
    const { alertChannels } = tx.tables
    const { id, by, grantId, input, now } = given
    yield* useGrant(tx, { grantId, by, action: 'security.alerts.removeChannel', input, now })
    const [gone] = yield* q(tx.db.delete(alertChannels).where(eq(alertChannels.id, id)).returning())
    if (!gone) throw noChannel()
    yield* appendAudit(tx, {
      ...by,
      ...{ time: now, event: 'sys_alert_channel_removed', outcome: 'success', target: `alert-channel:${id}` },
      before: facts(gone),
    })
  },
)

/** Notes what came of a test, unless the channel was changed meanwhile. */
export const noteTest = unit(
  'alerts.note-test',
  function* (
    tx,
    given: { channel: ChannelRow; result: Omit<TestResult, 'ok'>; by: Caller; now: number },
  ): Work<void> {
    const { alertChannels } = tx.tables
    const { channel, result, by, now } = given
    const { id, name, updatedAt } = channel
    const { answer, error, tookMs } = result
    yield* q(
      tx.db
        .update(alertChannels)
        .set({ testedAt: error === null ? now : null })
        .where(and(eq(alertChannels.id, id), eq(alertChannels.updatedAt, updatedAt))),
    )
    yield* appendAudit(tx, {
      ...by,
      ...{ time: now, event: 'sys_alert_channel_tested', outcome: error === null ? 'success' : 'failure' },
      ...{ target: `alert-channel:${id}`, reason: error, after: { name, answer, tookMs } },
    })
  },
)

/** What the log says of a channel. The sealed part holds every secret, and the address of a webhook. */
function facts({ name, kind, config, leastSeverity, enabled }: Omit<Written, 'secretSealed'>) {
  return { name, kind, leastSeverity, enabled, ...config }
}

export const noChannel = () =>
  new HoldfastError('NOT_FOUND', 'There is no such channel: it was removed, or never made.')

function nameTaken(name: string): HoldfastError {
  return new HoldfastError('CONFLICT', `There is a channel named ${name} already.`)
}
