import type { AuditOutcome, Severity } from '@/db/tables'
import type { AuditRow } from '@/server/audit'
import type { EventFilter } from './filter'

/** An audit event as lists show it. */
export interface EventEntry {
  seq: number
  time: number
  event: string
  actor: string
  target: string | null
  outcome: AuditOutcome
  severity: Severity
  reason: string | null
  address: string | null
  source: string | null
}

export interface PageRequest extends EventFilter {
  /** Events with a lower seq, the latest of them. */
  before?: number
  /** Events with a higher seq, the earliest of them. */
  after?: number
  limit: number
}

/** Events, the latest first. */
export interface EventPage {
  events: EventEntry[]
  /** Give it as `before` for the next, older page; null at the end. */
  next: number | null
  /** Give it as `after` for the page of newer events; null where there are none yet. */
  previous: number | null
}

export interface Neighbours {
  /** Directly before, the latest first. */
  before: EventEntry[]
  /** Directly after, the earliest first. */
  after: EventEntry[]
}

/** An event with everything that the log holds of it, and what else its actor, session and address did. */
export interface EventDetail extends Omit<AuditRow, 'outcome' | 'severity'> {
  outcome: AuditOutcome
  severity: Severity
  neighbours: { actor: Neighbours; session: Neighbours | null; address: Neighbours | null }
}

export type HistogramBy = 'outcome' | 'severity' | 'event'

export interface HistogramRequest extends EventFilter {
  by: HistogramBy
  /** The most buckets that are wanted. */
  buckets: number
}

/** Events over time. */
export interface EventHistogram {
  /** UTC milliseconds: begin of the first bucket, and the end of the last. */
  from: number
  to: number
  stepMs: number
  /** What each of a bucket's counts counts. */
  series: string[]
  buckets: { at: number; counts: number[] }[]
  total: number
}

/** What a filter can be made of. */
export interface EventFacets {
  events: string[]
  /** Sources beside the console itself. */
  sources: string[]
  /** Actors of the latest events whose names hold the text, the most active first. */
  actors: string[]
}

/** The events of the audit log, for people who look for something in them. */
export interface Events {
  list(request: PageRequest): Promise<EventPage>
  /** NOT_FOUND */
  one(seq: number): Promise<EventDetail>
  histogram(request: HistogramRequest): Promise<EventHistogram>
  facets(request: { actor: string }): Promise<EventFacets>
  /** Rolls up what is due, until nothing is or `signal` says stop. Called over and over after `start`. */
  roll(signal?: AbortSignal): Promise<void>
  start(): void
  close(): Promise<void>
}
