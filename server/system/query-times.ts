import { BUCKETS, bucketEnd, type HistogramCounts, quantile } from '@/server/histogram'

/**
 * Counts of a histogram's buckets without the empty ones at both ends: the place of the first, then the counts.
 * Empty where nothing was counted.
 */
export type PackedCounts = readonly number[]

/** How many statements took how long, over time. */
export interface QueryTimes {
  /** Milliseconds from one column to the next. */
  step: number
  /** Begins of the steps. */
  at: number[]
  /** Ends of the buckets in milliseconds, each twice the one before; the first is where the lowest begins. */
  bounds: number[]
  /** Statements in each step by bucket, the fastest first; null where nothing was measured. */
  counts: (number[] | null)[]
  /** Of the whole span: statements, and milliseconds that half and 99 % of them did not exceed. */
  statements: number
  p50: number | null
  p99: number | null
}

/** What was measured in a stretch of time that begins at `at`; null where these times were not. */
export interface TimedCounts {
  at: number
  times: PackedCounts | null
}

/** Buckets of a histogram that make one of a picture: as many as lie in a power of two. */
const JOINED = 4

export function packed(buckets: readonly number[]): PackedCounts {
  const first = buckets.findIndex((count) => count > 0)
  if (first < 0) return []
  const last = buckets.findLastIndex((count) => count > 0)
  // Counters that began anew would show less than nothing.
  return [first, ...buckets.slice(first, last + 1).map((count) => Math.max(0, count))]
}

/** The counts of several stretches together; null where none was measured. */
export function together(all: readonly (PackedCounts | null)[]): PackedCounts | null {
  const measured = all.filter((times) => times !== null)
  return measured.length === 0 ? null : packed(summed(measured))
}

/** Brings what was measured onto a grid of equal steps. */
export function queryTimesOf(
  { step, from, to }: { step: number; from: number; to: number },
  measured: readonly TimedCounts[],
): QueryTimes {
  const at = Array.from({ length: Math.ceil((to - from) / step) }, (_, i) => from + i * step)
  const slots = at.map((): PackedCounts[] => [])
  for (const { at: begin, times } of measured) {
    if (times) slots[Math.floor((begin - from) / step)]?.push(times)
  }
  const buckets = summed(slots.flat())
  const whole: HistogramCounts = { count: buckets.reduce((sum, count) => sum + count, 0), sum: 0, buckets }
  const shown = joined(buckets)
  const [low, high] = [shown.findIndex((count) => count > 0), shown.findLastIndex((count) => count > 0)]
  return {
    step,
    at,
    bounds: low < 0 ? [] : Array.from({ length: high - low + 2 }, (_, i) => endOf(low + i - 1)),
    counts: slots.map((all) =>
      all.length === 0 ? null : joined(summed(all)).slice(Math.max(low, 0), high + 1),
    ),
    statements: whole.count,
    p50: quantile(whole, 0.5),
    p99: quantile(whole, 0.99),
  }
}

/** The greatest value of a joined bucket; before the first is nothing. */
const endOf = (place: number) => (place < 0 ? 0 : bucketEnd(place * JOINED))

function summed(all: readonly PackedCounts[]): number[] {
  const sum = new Array<number>(BUCKETS).fill(0)
  for (const [first = 0, ...counts] of all) {
    for (const [i, count] of counts.entries()) sum[first + i] = (sum[first + i] ?? 0) + count
  }
  return sum
}

/** By powers of two. */
function joined(buckets: readonly number[]): number[] {
  const sum: number[] = []
  for (const [i, count] of buckets.entries()) {
    const place = Math.ceil(i / JOINED)
    sum[place] = (sum[place] ?? 0) + count
  }
  return sum
}
