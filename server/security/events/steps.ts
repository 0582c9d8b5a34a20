import { severities } from '@/server/audit/severity'
import type { EventHistogram, HistogramBy } from './types'

const MINUTE = 60_000
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR

/** Widths of buckets that a reader can name. */
const STEPS = [
  ...[1, 5, 15, 30].map((seconds) => seconds * 1_000),
  ...[1, 5, 15, 30].map((minutes) => minutes * MINUTE),
  ...[1, 3, 6, 12].map((hours) => hours * HOUR),
  ...[1, 2, 7, 14, 28, 91, 364].map((days) => days * DAY),
]

export interface Span {
  from: number
  to: number
}

/** Buckets of one width that cover a span, aligned to multiples of the width. */
export interface Grid extends Span {
  stepMs: number
}

/** The narrowest buckets of which at most `most` cover the span. */
export function gridOf({ from, to }: Span, most: number): Grid {
  const aligned = (stepMs: number): Grid => ({
    from: Math.floor(from / stepMs) * stepMs,
    to: Math.max(Math.ceil(to / stepMs), Math.floor(from / stepMs) + 1) * stepMs,
    stepMs,
  })
  const fits = (grid: Grid) => (grid.to - grid.from) / grid.stepMs <= most
  const step = STEPS.find((stepMs) => fits(aligned(stepMs)))
  if (step !== undefined) return aligned(step)
  let wide = 2 * 364 * DAY
  while (!fits(aligned(wide)) && wide < Number.MAX_SAFE_INTEGER / 4) wide *= 2
  return aligned(wide)
}

const fixed: Record<HistogramBy, string[] | null> = {
  outcome: ['success', 'failure', 'denied'],
  severity: [...severities],
  event: null,
}
/** Events beyond so many names are counted together. */
const MOST_SERIES = 12
export const otherEvents = 'other'

/** Counts of one grid, by what is counted. */
export class Tally {
  readonly grid: Grid
  readonly counts = new Map<string, Float64Array>()

  constructor(grid: Grid) {
    this.grid = grid
  }

  /** Counts events of one moment. Those outside of the grid count for nothing. */
  add(name: string, time: number, events: number): void {
    const { from, stepMs } = this.grid
    const row = this.row(name)
    const bucket = Math.floor((time - from) / stepMs)
    if (bucket >= 0 && bucket < row.length) row[bucket] = (row[bucket] as number) + events
  }

  row(name: string): Float64Array {
    const known = this.counts.get(name)
    if (known) return known
    const { from, to, stepMs } = this.grid
    const row = new Float64Array(Math.round((to - from) / stepMs))
    this.counts.set(name, row)
    return row
  }
}

/** The histogram of what was counted. Names of events are those with the most, the others together. */
export function histogramOf({ grid, counts }: Tally, by: HistogramBy): EventHistogram {
  const sums = [...counts].map(([name, row]) => ({ name, row, sum: row.reduce((sum, n) => sum + n, 0) }))
  const present = sums
    .filter(({ sum }) => sum > 0)
    .sort((a, b) => b.sum - a.sum || (a.name < b.name ? -1 : 1))
  const series = fixed[by] ?? mostOf(present.map(({ name }) => name))
  const rows = series.map(() => new Float64Array(Math.round((grid.to - grid.from) / grid.stepMs)))
  for (const { name, row } of present) {
    const sum = rows[series.includes(name) ? series.indexOf(name) : series.indexOf(otherEvents)]
    if (sum) for (let at = 0; at < row.length; at++) sum[at] = (sum[at] as number) + (row[at] as number)
  }
  const buckets = Array.from(
    rows[0] ?? new Float64Array(Math.round((grid.to - grid.from) / grid.stepMs)),
    (_, at) => ({
      at: grid.from + at * grid.stepMs,
      counts: rows.map((row) => row[at] as number),
    }),
  )
  return { ...grid, series, buckets, total: present.reduce((total, { sum }) => total + sum, 0) }
}

const mostOf = (names: string[]) =>
  names.length <= MOST_SERIES ? names : [...names.slice(0, MOST_SERIES - 1), otherEvents]
