import { and, eq, gte, inArray, isNull, like, lt, or, type SQL } from 'drizzle-orm'
import type { AuditOutcome, Severity, Tables } from '@/db/tables'
import type { AuditRow } from '@/server/audit'
import { severityOf } from '@/server/audit'
import { liesIn, parseSought } from './network'

/** Which events are meant. What is absent excludes nothing; an empty list is as good as absent. */
export interface EventFilter {
  /** UTC milliseconds, inclusive. */
  from?: number
  /** UTC milliseconds, exclusive. */
  to?: number
  /** Names; one that ends in * stands for all that begin so. */
  events?: string[]
  /** The whole name of the actor; upper and lower case are the same. */
  actor?: string
  /** An address, or a network in CIDR form. */
  address?: string
  outcomes?: AuditOutcome[]
  severities?: Severity[]
  /** The whole target. */
  target?: string
  /** The application that reported the event; `console` for the console's own. */
  source?: string
  /** The session in which it happened. */
  session?: string
  /** Words that must all stand somewhere in the event; upper and lower case are the same. */
  text?: string
}

/** What a filter looks at. */
export type Filtered = Pick<
  AuditRow,
  | 'time'
  | 'event'
  | 'actor'
  | 'target'
  | 'outcome'
  | 'reason'
  | 'address'
  | 'userAgent'
  | 'sessionId'
  | 'severity'
  | 'source'
>

/** The source under which the console's own events are found. */
export const ownSource = 'console'

/** The words of a free text, in lower case. */
export function wordsOf(text: string | undefined): string[] {
  return [...new Set((text ?? '').toLowerCase().split(/[\s\p{Cc}]+/u))].filter((word) => word !== '')
}

/** Whether a name is meant by one of the names and prefixes. */
export function isNamed(event: string, names: readonly string[]): boolean {
  return names.some((name) => (name.endsWith('*') ? event.startsWith(name.slice(0, -1)) : event === name))
}

/** The weight of an event; those of before release 0.6.0 tell it by name and outcome alone. */
export function weightOf(row: Pick<AuditRow, 'event' | 'outcome' | 'severity'>): Severity {
  return row.severity ?? severityOf(row.event, row.outcome as AuditOutcome)
}

/** Decides, event by event, whether a filter means it. This is what every list, figure and export agrees with. */
export function matcherOf(filter: EventFilter): (row: Filtered) => boolean {
  const { from, to, events, outcomes, severities, target, source, session } = filter
  const tests: ((row: Filtered) => boolean)[] = []
  if (from !== undefined) tests.push((row) => row.time >= from)
  if (to !== undefined) tests.push((row) => row.time < to)
  if (outcomes?.length) tests.push((row) => (outcomes as string[]).includes(row.outcome))
  if (severities?.length) tests.push((row) => severities.includes(weightOf(row)))
  if (events?.length) tests.push((row) => isNamed(row.event, events))
  if (target !== undefined) tests.push((row) => row.target === target)
  if (source !== undefined) tests.push((row) => (row.source ?? ownSource) === source)
  if (session !== undefined) tests.push((row) => row.sessionId === session)
  const actor = filter.actor?.toLowerCase()
  if (actor !== undefined) tests.push((row) => row.actor.toLowerCase() === actor)
  if (filter.address !== undefined) {
    const sought = parseSought(filter.address)
    tests.push((row) => sought !== null && row.address !== null && liesIn(sought, row.address))
  }
  for (const word of wordsOf(filter.text))
    tests.push((row) => textsOf(row).some((text) => text?.toLowerCase().includes(word)))
  return (row) => tests.every((test) => test(row))
}

/** Where the words of a free text are looked for. */
const textsOf = (row: Filtered) => [
  row.event,
  row.actor,
  row.target,
  row.reason,
  row.address,
  row.userAgent,
  row.source,
]

/**
 * What the store can decide of a filter: every event that it means, and perhaps some more. Upper and lower case,
 * networks and words are left to {@link matcherOf}: no two databases agree on them.
 */
export function roughly({ auditEvents: at }: Tables, filter: EventFilter): SQL | undefined {
  const { from, to, events, outcomes, severities, target, source, session } = filter
  return and(
    from === undefined ? undefined : gte(at.time, from),
    to === undefined ? undefined : lt(at.time, to),
    events?.length ? or(...events.map((name) => nameIs(at.event, name))) : undefined,
    outcomes?.length ? inArray(at.outcome, outcomes) : undefined,
    severities?.length ? or(inArray(at.severity, severities), isNull(at.severity)) : undefined,
    target === undefined ? undefined : eq(at.target, target),
    session === undefined ? undefined : eq(at.sessionId, session),
    source === undefined
      ? undefined
      : source === ownSource
        ? or(isNull(at.source), eq(at.source, source))
        : eq(at.source, source),
  )
}

/** SQLite's LIKE takes upper and lower case for the same, and _ stands for any character: the matcher is exact. */
function nameIs(column: Tables['auditEvents']['event'], name: string): SQL {
  return name.endsWith('*')
    ? like(column, `${name.slice(0, -1).replaceAll(/[%_\\]/g, '_')}%`)
    : eq(column, name)
}
