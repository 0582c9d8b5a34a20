import type { Outcome } from '@/components/security/event-words'
import type { Severity } from '@/components/security/severity-words'
import { severityOrder } from '@/components/security/severity-words'
import type { Range, Window } from '@/components/shell/ranges'
import type { RouterInputs } from '@/server/routers/_app'

/** What the address says of the wanted events, its time apart. Lists stand in it with commas between. */
export interface EventsFilter {
  text?: string
  events?: string[]
  actor?: string
  address?: string
  outcomes?: Outcome[]
  severities?: Severity[]
  target?: string
  source?: string
  session?: string
}

export type FilterName = keyof EventsFilter

/** In the order in which they are shown. */
export const FILTER_NAMES = [
  'text',
  'events',
  'actor',
  'address',
  'outcomes',
  'severities',
  'target',
  'source',
  'session',
] as const satisfies readonly FilterName[]

const OUTCOMES: readonly string[] = ['success', 'failure', 'denied']
const NAME = /^[a-z0-9_]{0,100}\*?$/i

/** Reads the filter off an address. Words that no event could have filter nothing. */
export function readFilter(params: Pick<URLSearchParams, 'get'>): EventsFilter {
  const line = (name: string, most = 512) => params.get(name)?.trim().slice(0, most) || undefined
  const list = (name: string, fits: (word: string) => boolean) => {
    const words = (params.get(name) ?? '').split(',').map((word) => word.trim())
    const wanted = [...new Set(words)].filter((word) => word !== '' && fits(word)).slice(0, 100)
    return wanted.length > 0 ? wanted : undefined
  }
  const read = {
    text: line('text', 200),
    events: list('events', (word) => NAME.test(word)),
    actor: line('actor'),
    address: line('address', 64),
    outcomes: list('outcomes', (word) => OUTCOMES.includes(word)) as Outcome[] | undefined,
    severities: list('severities', (word) => (severityOrder as readonly string[]).includes(word)) as
      | Severity[]
      | undefined,
    target: line('target'),
    source: line('source'),
    session: line('session'),
  }
  // What is not asked for has no place in a query's key.
  return Object.fromEntries(Object.entries(read).filter(([, value]) => value !== undefined))
}

/** A change of the filter as one of the address: it leads to the latest events. */
export function writeFilter(change: EventsFilter | { [K in FilterName]?: undefined }): {
  [name: string]: string | null
} {
  const written = Object.entries(change).map(([name, value]) => [
    name,
    value === undefined ? null : (Array.isArray(value) ? value.join(',') : value) || null,
  ])
  return { ...Object.fromEntries(written), before: null, after: null }
}

/** Takes everything away. */
export const NO_FILTER = writeFilter(Object.fromEntries(FILTER_NAMES.map((name) => [name, undefined])))

/**
 * The time that is looked at. A range follows the present: it has no end, and its begin moves in steps, so that
 * what is asked stays the same for a while.
 */
export function spanOf(range: Range, window: Window | null, now: number): { from: number; to?: number } {
  if (window) return window
  const step = stepOf(range)
  return { from: Math.floor((now - range.ms) / step) * step }
}

/** How far the present moves before a following range asks anew. */
export function stepOf({ ms }: Range): number {
  return Math.max(5_000, ms / 96)
}

const pageNumber = (value: string | null) =>
  value !== null && /^[1-9]\d{0,14}$/.test(value) ? Number(value) : undefined

/** Which page of the list an address means; none: the latest, which follows. */
export function pageOf(params: Pick<URLSearchParams, 'get'>): { before?: number; after?: number } {
  const before = pageNumber(params.get('before'))
  const after = pageNumber(params.get('after'))
  return before !== undefined ? { before } : after !== undefined ? { after } : {}
}

export const EVENTS_PAGE = 50
const BUCKETS = 130

export type HistogramBy = Exclude<RouterInputs['security']['events']['histogram']['by'], undefined | 'event'>

export const byOf = (value: string | null): HistogramBy => (value === 'severity' ? 'severity' : 'outcome')

/** The questions of the page, the same on the server and in the browser. */
export function questions(
  params: Pick<URLSearchParams, 'get'>,
  span: { from: number; to?: number },
  by: HistogramBy,
) {
  const wanted = { ...readFilter(params), ...span }
  return {
    wanted,
    list: { ...wanted, ...pageOf(params), limit: EVENTS_PAGE },
    histogram: { ...wanted, by, buckets: BUCKETS },
  }
}

/** The query of an address that exports exactly these events. */
export function exportHref(wanted: EventsFilter & { from: number; to?: number }, format: 'ndjson' | 'csv') {
  const query = new URLSearchParams({ format })
  for (const [name, value] of Object.entries(wanted))
    if (value !== undefined) query.set(name, Array.isArray(value) ? value.join(',') : String(value))
  return `/api/security/events/export?${query}`
}
