import type { Store } from '@/db/store'
import type { AuditOutcome, Severity } from '@/db/tables'
import { unit } from '@/db/unit'
import { type AuditEvent, appendAuditBatch, type Caller } from '@/server/audit'
import type { Clock } from '@/server/clock'
import { HoldfastError } from '@/server/errors'
import type { SessionInfo } from '../types'
import { withoutTokens } from './clean'
import type { ReportableEvent } from './vocabulary'

/** An event as another application tells it. */
export interface ReportedEvent {
  /** When it happened there, UTC milliseconds; absent: now. */
  time?: number
  event: ReportableEvent
  /** Whom it was about, by the name that the application knows: an e-mail address, a user's id. */
  actor: string
  outcome: AuditOutcome
  target?: string
  reason?: string
  /** The client's address. */
  address?: string
  userAgent?: string
  /** The application's own session. */
  sessionId?: string
  severity?: Severity
  before?: Record<string, unknown>
  after?: Record<string, unknown>
}

export interface Report {
  /** The application. An API key speaks for the one that it is named after. */
  source: string
  events: ReportedEvent[]
}

export interface Reported {
  /** How many events the log took, and where they stand in it. */
  accepted: number
  first: number
  last: number
}

/** Clocks differ; queues of senders wait for a console that is away. */
const aheadMs = 5 * 60_000
const behindMs = 7 * 86_400_000

/** Takes what other applications report into the log, under their own names. */
export type Ingest = (report: Report, asked: { session: SessionInfo; by: Caller }) => Promise<Reported>

/**
 * Opens the ingest of events. All events of a report are taken or none. The row's time is when the console took
 * it, so that the log stays in the order of its chain; when it happened stands in `after` as `reportedTime`.
 * Throws FORBIDDEN when an API key speaks for another source, BAD_INPUT for times that cannot be.
 */
export function openIngest({ store, clock }: { store: Store; clock: Clock }): Ingest {
  return async ({ source, events }, { session, by }) => {
    refuseStranger(source, session)
    const now = clock.now()
    refuseWrongTimes(events, now)
    const rows = events.map((event) => rowOf(event, { source, by, now }))
    return store.run(takeReport, { rows })
  }
}

const takeReport = unit('events.report', function* (tx, { rows }: { rows: AuditEvent[] }) {
  const { first, last } = yield* appendAuditBatch(tx, rows)
  // Reported failures are what was asked for, too.
  if (tx.change) tx.change.made = true
  return { accepted: rows.length, first, last }
})

/** `console` is how the console's own events are found. */
function refuseStranger(source: string, session: SessionInfo): void {
  if (source.toLowerCase() === 'console') {
    throw new HoldfastError('FORBIDDEN', 'Nobody but the console itself reports as console.')
  }
  if (session.kind === 'api-key' && session.name !== source) {
    throw new HoldfastError('FORBIDDEN', {
      message: `This API key reports as ${session.name}, not as ${source}.`,
      remedy: `Send "source": ${JSON.stringify(session.name)}, or make a key with the name of the other source.`,
    })
  }
}

function refuseWrongTimes(events: readonly ReportedEvent[], now: number): void {
  const issues = events.flatMap(({ time }, at) => {
    if (time === undefined) return []
    const wrong =
      time > now + aheadMs ? 'is ahead of now' : time < now - behindMs ? 'is older than 7 days' : null
    return wrong ? [{ path: `events.${at}.time`, message: wrong }] : []
  })
  const [first] = issues
  if (!first) return
  throw new HoldfastError('BAD_INPUT', {
    message: `${first.path} ${first.message}.`,
    remedy: 'Send UTC milliseconds of the last 7 days, by a clock that is right; leave out what is older.',
    details: { issues },
  })
}

/** No field of it can be taken for the console's own: users are named, never meant by their id. */
function rowOf(
  event: ReportedEvent,
  { source, by, now }: { source: string; by: Caller; now: number },
): AuditEvent {
  const { time, sessionId, before, after, severity } = event
  const plain = (text: string | undefined) => (text === undefined ? null : withoutTokens(text))
  return {
    ...{ time: now, event: event.event, outcome: event.outcome, severity, source },
    ...{ actorId: null, actor: withoutTokens(event.actor), requestId: by.requestId },
    ...{ target: plain(event.target), reason: plain(event.reason), address: event.address ?? null },
    userAgent: plain(event.userAgent),
    sessionId: sessionId === undefined ? null : `${source}:${withoutTokens(sessionId)}`,
    before: before ? (withoutTokens(before) as Record<string, unknown>) : null,
    after: {
      ...(after && (withoutTokens(after) as Record<string, unknown>)),
      ...{ reportedTime: time ?? now, reportedBy: by.sessionId },
    },
  }
}
