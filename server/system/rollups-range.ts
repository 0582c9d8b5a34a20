import { type Merge, type MetricName, metricNames, metrics } from './metrics'
import { combine, finest, floorTo, levels, type Rollup } from './rollups'

/** A span of time in so many points at most. */
export interface SpanQuery {
  /** UTC milliseconds; `to` is not in it. */
  from: number
  to: number
  points: number
}

export interface RangeQuery extends SpanQuery {
  /** All without. */
  metrics?: readonly MetricName[]
}

/** Columns of equal length, oldest first, over the whole of the range; null where nothing was measured. */
export interface RangeColumns {
  /** Milliseconds from one point to the next. */
  step: number
  /** Begins of the steps. */
  at: number[]
  /** Of the asked metrics alone. */
  mean: Record<MetricName, (number | null)[]>
  max: Record<MetricName, (number | null)[]>
}

/** A range with the way out of an empty one. */
export interface Range extends RangeColumns {
  /** Where it holds no reading: when the first was taken of all that is kept, UTC milliseconds. Otherwise null. */
  since: number | null
}

/** What is drawn and what is read for it. */
export interface Grid {
  step: number
  from: number
  to: number
  /** Step of the stored rows. */
  of: number
}

const MINUTES = [1, 2, 5, 10, 15, 20, 30, 60, 120, 180, 240, 360, 720, 1440]

/** Chooses the shortest step that fits `points` and is still stored for the whole range. */
export function gridOf(query: SpanQuery, now: number): Grid {
  const minute = finest.step
  const least = query.from < now - finest.keep ? 10 * minute : minute
  const grid = gridBy(
    MINUTES.map((n) => n * minute).filter((step) => step >= least),
    query,
  )
  return { ...grid, of: levels.findLast((level) => grid.step % level.step === 0)?.step ?? minute }
}

/** The first of some steps, from short to long, by which a span has no more than `points`. */
export function gridBy(steps: readonly number[], { from, to, points }: SpanQuery): Omit<Grid, 'of'> {
  const count = (step: number) => Math.ceil((to - floorTo(from, step)) / step)
  const step = steps.find((each) => count(each) <= points) ?? coarse(points, count)
  const begin = floorTo(from, step)
  return { step, from: begin, to: begin + count(step) * step }
}

function coarse(points: number, count: (step: number) => number): number {
  const day = 24 * 60 * finest.step
  let days = 2
  while (count(days * day) > points) days++
  return days * day
}

/** Brings rows of several instances onto the grid. Rows may be of shorter steps than the grid's. */
export function columnsOf(
  grid: Grid,
  rows: readonly Rollup[],
  asked: readonly MetricName[] = metricNames,
): RangeColumns {
  const at = Array.from({ length: (grid.to - grid.from) / grid.step }, (_, i) => grid.from + i * grid.step)
  const slots: Rollup[][][] = at.map(() => [])
  for (const group of simultaneous(rows, grid.of)) {
    slots[Math.floor(((group[0]?.at ?? 0) - grid.from) / grid.step)]?.push(group)
  }
  const mean = {} as RangeColumns['mean']
  const max = {} as RangeColumns['max']
  for (const name of asked) {
    const cells = slots.map((groups) => overTime(groups.map((group) => merged(group, name))))
    mean[name] = cells.map((cell) => cell?.mean ?? null)
    max[name] = cells.map((cell) => cell?.max ?? null)
  }
  return { step: grid.step, at, mean, max }
}

/** The first sample of the first row in which one of the metrics was measured; null without such a row. */
export function firstReading(
  rows: readonly Rollup[],
  asked: readonly MetricName[] = metricNames,
): number | null {
  const measured = rows.filter(({ names, count }) => asked.some((name) => count[names.indexOf(name)]))
  return measured.length === 0 ? null : Math.min(...measured.map(({ firstAt }) => firstAt))
}

/** Rows of the same step of time, one an instance. */
function simultaneous(rows: readonly Rollup[], step: number): Rollup[][] {
  const groups = new Map<number, Map<string, Rollup[]>>()
  for (const row of rows) {
    const at = floorTo(row.at, step)
    const group = groups.get(at) ?? new Map<string, Rollup[]>()
    groups.set(at, group)
    group.set(row.instance, [...(group.get(row.instance) ?? []), row])
  }
  return [...groups.values()].map((group) =>
    [...group.values()].map((parts) => (parts.length === 1 ? (parts[0] as Rollup) : combine(parts, step))),
  )
}

interface Cell {
  mean: number
  max: number
  /** Milliseconds that it stands for. */
  weight: number
}

interface Part extends Cell {
  count: number
  from: number
  to: number
}

/** What all instances together had of a metric in one step. */
function merged(group: readonly Rollup[], name: MetricName): Cell | null {
  const parts = group.flatMap((row): Part[] => {
    const i = row.names.indexOf(name)
    const [mean, max, count] = [row.mean[i], row.max[i], row.count[i]]
    if (mean == null || max == null || !count) return []
    // A sample stands for the second before it.
    const [from, to] = [row.firstAt - 1_000, row.lastAt]
    return [{ mean, max, count, from, to, weight: to - from }]
  })
  const [first] = parts
  if (!first || parts.length === 1) return first ?? null
  const weight = covered(parts)
  return { ...how[metrics[name].merge](parts, weight), weight }
}

const how: Record<Merge, (parts: Part[], weight: number) => Omit<Cell, 'weight'>> = {
  // An instance that was there for half of the time counts half.
  sum: (parts, weight) => ({
    mean: total(parts, (part) => part.mean * part.weight) / weight,
    max: highest(
      parts,
      (part) => part.max + total(parts, (other) => (other !== part && overlap(part, other) ? other.max : 0)),
    ),
  }),
  mean: (parts) => ({
    mean: total(parts, (part) => part.mean * part.count) / total(parts, (part) => part.count),
    max: highest(parts, (part) => part.max),
  }),
  max: (parts) => ({
    mean: highest(parts, (part) => part.mean),
    max: highest(parts, (part) => part.max),
  }),
  last: (parts) => {
    const { mean, max } = parts.reduce((latest, part) => (part.to > latest.to ? part : latest))
    return { mean, max }
  },
}

const total = (parts: Part[], of: (part: Part) => number) => parts.reduce((sum, part) => sum + of(part), 0)
const highest = (parts: Part[], of: (part: Part) => number) => Math.max(...parts.map(of))
const overlap = (a: Part, b: Part) => a.from < b.to && b.from < a.to

/** Milliseconds in which at least one part was there. */
function covered(parts: Part[]): number {
  let sum = 0
  let end = Number.NEGATIVE_INFINITY
  for (const { from, to } of [...parts].sort((a, b) => a.from - b.from)) {
    if (to <= end) continue
    sum += to - Math.max(from, end)
    end = to
  }
  return sum
}

function overTime(cells: (Cell | null)[]): Omit<Cell, 'weight'> | null {
  const there = cells.filter((cell) => cell !== null)
  if (there.length === 0) return null
  const weight = there.reduce((sum, cell) => sum + cell.weight, 0)
  return {
    mean: there.reduce((sum, cell) => sum + cell.mean * cell.weight, 0) / weight,
    max: Math.max(...there.map((cell) => cell.max)),
  }
}
