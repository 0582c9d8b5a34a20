import { and, eq, gte, inArray, isNull, lt, max, min, or, type SQL, sql, sum } from 'drizzle-orm'
import type { Store } from '@/db/store'
import { severities } from '@/server/audit/severity'
import { type Columns, outcomes, startOf } from './chunks/columns'
import { isBehindPruning, rollOn } from './chunks/roll'
import { type Rolled, readRolled } from './chunks/roll-units'
import type { Shelf, View } from './chunks/shelf'
import { type Range, walk } from './chunks/walk'
import { type EventFilter, ownSource } from './filter'
import { DAY, type Grid, gridOf, HOUR, histogramOf, type Span, Tally } from './steps'
import type { EventHistogram, HistogramBy, HistogramRequest } from './types'

export interface HistogramDeps {
  store: Store
  shelf: Shelf
  now: () => number
}

/** A roll-up that goes on meanwhile makes what was read useless: so often it is read again. */
const ATTEMPTS = 4

/**
 * Events over time. What was rolled up answers filters on time, name, outcome, severity and source in steps of an
 * hour and more; columns answer all others, and what is not rolled up yet. Nothing is counted twice.
 */
export async function histogram(
  deps: HistogramDeps,
  { by, buckets, ...filter }: HistogramRequest,
): Promise<EventHistogram> {
  const grid = gridOf(await spanOf(deps, filter), buckets)
  if (grid.stepMs >= HOUR && isCounted(filter)) {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const tally = await counted(deps, filter, by, grid)
      if (tally) return histogramOf(tally, by)
    }
  }
  const tally = new Tally(grid)
  await count(deps.shelf, await deps.shelf.look(), tally, by, filter, {})
  return histogramOf(tally, by)
}

/** What is asked for; where an end is open, as far as there are events. */
async function spanOf({ store, now }: HistogramDeps, { from, to }: EventFilter): Promise<Span> {
  const { auditEvents: at } = store.tables
  const [ends] = await store.db.select({ first: min(at.time), last: max(at.time) }).from(at)
  const end = to ?? Math.max(now(), Number(ends?.last ?? 0) + 1)
  const begin = from ?? Math.min(Number(ends?.first ?? end), end)
  return { from: begin, to: Math.max(end, begin) }
}

/** Whether counts by the hour know everything that a filter asks. */
function isCounted({ from, to, events, outcomes, severities, source, ...others }: EventFilter): boolean {
  const inner = innerOf({ from, to })
  const whole = inner.from === undefined || inner.to === undefined || inner.from < inner.to
  return whole && Object.values(others).every((value) => value === undefined || value === '')
}

/** The whole hours of a span. */
function innerOf({ from, to }: Partial<Span>): Partial<Span> {
  return {
    from: from === undefined ? undefined : Math.ceil(from / HOUR) * HOUR,
    to: to === undefined ? undefined : Math.floor(to / HOUR) * HOUR,
  }
}

async function counted(
  { store, shelf }: HistogramDeps,
  filter: EventFilter,
  by: HistogramBy,
  grid: Grid,
): Promise<Tally | undefined> {
  while (await isBehindPruning(store)) await rollOn(store)
  const rolled = await readRolled(store)
  const view = await shelf.look()
  const inner = innerOf(filter)
  const rows = await readCounts(store, filter, by, grid, inner)
  if (!same(rolled, await readRolled(store))) return undefined
  const tally = new Tally(grid)
  for (const { name, bucket, events } of rows)
    tally.add(name, grid.from + Number(bucket) * grid.stepMs, Number(events))
  const end = startOf(rolled.chunks)
  const { from, to } = filter
  if (from !== undefined && from !== inner.from)
    await count(shelf, view, tally, by, { ...filter, to: inner.from }, { before: end + 1 })
  if (to !== undefined && to !== inner.to)
    await count(shelf, view, tally, by, { ...filter, from: inner.to }, { before: end + 1 })
  await count(shelf, view, tally, by, filter, { after: end })
  return tally
}

const same = (a: Rolled, b: Rolled) => a.chunks === b.chunks && a.pruned === b.pruned

function readCounts(
  { db, tables: { eventCounts: at } }: Store,
  filter: EventFilter,
  by: HistogramBy,
  { from, stepMs }: Grid,
  inner: Partial<Span>,
) {
  // Written out: what is grouped by must be the same text, and two parameters are not.
  const bucket = sql<number>`(${at.at} - ${sql.raw(String(from))}) / ${sql.raw(String(stepMs))}`
  const name = { outcome: at.outcome, severity: at.severity, event: at.event }[by]
  const { outcomes, severities, events, source } = filter
  const within = (step: number, begin?: number, end?: number) =>
    and(
      eq(at.step, step),
      begin === undefined ? undefined : gte(at.at, begin),
      end === undefined ? undefined : lt(at.at, end),
    )
  const days = stepMs % DAY === 0
  return db
    .select({ name: sql<string>`${name}`, bucket, events: sum(at.events) })
    .from(at)
    .where(
      and(
        days ? or(...wholeDays(inner, within)) : within(HOUR, inner.from, inner.to),
        outcomes?.length ? inArray(at.outcome, outcomes) : undefined,
        severities?.length ? inArray(at.severity, severities) : undefined,
        events?.length ? or(...events.map((event) => isName(at.event, event))) : undefined,
        source === undefined
          ? undefined
          : or(eq(at.source, source), source === ownSource ? isNull(at.source) : undefined),
      ),
    )
    .groupBy(name, bucket)
}

/** Days where a day lies in the span as a whole, hours at its ends. */
function wholeDays(
  { from, to }: Partial<Span>,
  within: (step: number, begin?: number, end?: number) => SQL | undefined,
): (SQL | undefined)[] {
  const first = from === undefined ? undefined : Math.ceil(from / DAY) * DAY
  const last = to === undefined ? undefined : Math.floor(to / DAY) * DAY
  if (first !== undefined && last !== undefined && first >= last) return [within(HOUR, from, to)]
  return [
    within(DAY, first, last),
    first === undefined ? undefined : within(HOUR, from, first),
    last === undefined ? undefined : within(HOUR, last, to),
  ]
}

function isName(column: Store['tables']['eventCounts']['event'], name: string): SQL {
  if (!name.endsWith('*')) return eq(column, name)
  const beginning = name.slice(0, -1)
  return sql`substr(${column}, 1, ${sql.raw(String(beginning.length))}) = ${beginning}`
}

async function count(
  shelf: Shelf,
  view: View,
  tally: Tally,
  by: HistogramBy,
  filter: EventFilter,
  range: Range,
): Promise<void> {
  const { from, stepMs } = tally.grid
  await walk(shelf, view, filter, range, (columns, places) => {
    const { codes, names } = seriesIn(columns, by)
    const rows: (Float64Array | undefined)[] = []
    for (const place of places) {
      const code = codes[place] as number
      const row = rows[code] ?? tally.row(names[code] ?? '')
      rows[code] = row
      const bucket = Math.floor(((columns.times[place] as number) - from) / stepMs)
      if (bucket >= 0 && bucket < row.length) row[bucket] = (row[bucket] as number) + 1
    }
    return false
  })
}

function seriesIn(columns: Columns, by: HistogramBy) {
  if (by === 'outcome') return { codes: columns.outcomes, names: outcomes }
  if (by === 'severity') return { codes: columns.severities, names: severities }
  return { codes: columns.texts.event.codes, names: columns.texts.event.values }
}
