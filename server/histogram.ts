/** Buckets grow by a quarter of a power of two: a quantile read from them is at most 9 % off. */
const STEPS_PER_OCTAVE = 4
/** The first bucket ends at 1 µs, the last at about 17 minutes. */
const SMALLEST_MS = 0.001
export const BUCKETS = 121

/** Counts of a histogram at one moment: plain data, so that two moments can be subtracted. */
export interface HistogramCounts {
  count: number
  /** Sum of all values, in milliseconds. */
  sum: number
  buckets: number[]
}

export interface Quantiles {
  count: number
  /** Milliseconds; null where nothing was measured. */
  mean: number | null
  p50: number | null
  p95: number | null
  p99: number | null
}

/** Counts durations in logarithmic buckets: constant memory, 20 ns a value. */
export class Histogram {
  #count = 0
  #sum = 0
  #buckets = new Array<number>(BUCKETS).fill(0)

  record(milliseconds: number): void {
    this.#count++
    this.#sum += milliseconds
    const at = bucketOf(milliseconds)
    this.#buckets[at] = (this.#buckets[at] as number) + 1
  }

  counts(): HistogramCounts {
    return { count: this.#count, sum: this.#sum, buckets: this.#buckets.slice() }
  }
}

/** What two histograms counted together. */
export function addCounts(a: HistogramCounts, b: HistogramCounts): HistogramCounts {
  return {
    count: a.count + b.count,
    sum: a.sum + b.sum,
    buckets: a.buckets.map((value, index) => value + (b.buckets[index] ?? 0)),
  }
}

/** What was counted between two moments of one histogram. */
export function countedSince(now: HistogramCounts, before: HistogramCounts | undefined): HistogramCounts {
  if (!before) return now
  return {
    count: now.count - before.count,
    sum: now.sum - before.sum,
    buckets: now.buckets.map((value, index) => value - (before.buckets[index] ?? 0)),
  }
}

export function quantiles(counts: HistogramCounts): Quantiles {
  return {
    count: counts.count,
    mean: counts.count === 0 ? null : counts.sum / counts.count,
    p50: quantile(counts, 0.5),
    p95: quantile(counts, 0.95),
    p99: quantile(counts, 0.99),
  }
}

/** The value, in milliseconds, that a share of all counted values doesn't exceed; null when nothing was counted. */
export function quantile(counts: HistogramCounts, share: number): number | null {
  if (counts.count === 0) return null
  const rank = Math.max(1, Math.ceil(counts.count * share))
  let seen = 0
  const index = counts.buckets.findIndex((value) => {
    seen += value
    return seen >= rank
  })
  return middleOf(index < 0 ? counts.buckets.length - 1 : index)
}

/**
 * How many values did not exceed each power of two from 16 µs to about a minute, as Prometheus wants a histogram.
 * The bound is in seconds.
 */
export function cumulated(counts: HistogramCounts): { bound: number; count: number }[] {
  const found: { bound: number; count: number }[] = []
  let count = 0
  for (const [index, value] of counts.buckets.entries()) {
    count += value
    const octave = index / STEPS_PER_OCTAVE
    if (Number.isInteger(octave) && octave >= 4 && octave <= 26) {
      found.push({ bound: (SMALLEST_MS * 2 ** octave) / 1000, count })
    }
  }
  return found
}

function bucketOf(milliseconds: number): number {
  if (!(milliseconds > SMALLEST_MS)) return 0
  return Math.min(BUCKETS - 1, Math.ceil(Math.log2(milliseconds / SMALLEST_MS) * STEPS_PER_OCTAVE))
}

/** The greatest value of a bucket, in milliseconds. */
export function bucketEnd(index: number): number {
  return SMALLEST_MS * 2 ** (index / STEPS_PER_OCTAVE)
}

/** The geometric middle of a bucket. */
function middleOf(index: number): number {
  return SMALLEST_MS * 2 ** ((index - 0.5) / STEPS_PER_OCTAVE)
}
