import type { Sample } from './events'
import type { MetricName } from './metrics'
import { type PackedCounts, together } from './query-times'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

/**
 * Steps that are stored and how long. Minutes show an incident of yesterday as it went. Ten minutes are as fine
 * as a chart of some days has room for, hours as one of a month, and reading that takes 720 rows an instance.
 */
export const levels = [
  { step: MINUTE_MS, keep: 2 * DAY_MS },
  { step: 10 * MINUTE_MS, keep: 30 * DAY_MS },
  { step: HOUR_MS, keep: 30 * DAY_MS },
] as const

export const finest = levels[0]

/** What was measured in one step, by one instance or several; columns in the order of `names`. */
export interface Rollup {
  instance: string
  /** Milliseconds. */
  step: number
  /** Begin of the step. */
  at: number
  samples: number
  /** The first sample of it and the last. */
  firstAt: number
  lastAt: number
  names: readonly MetricName[]
  /** Null where `count` is 0. */
  mean: (number | null)[]
  max: (number | null)[]
  /** Samples that had a value. */
  count: number[]
  /** Statements by the time they took; null where that was not measured. */
  times: PackedCounts | null
}

/** Adds samples up to one step; an addition costs less than a microsecond a metric. */
export class Accumulator {
  readonly at: number
  readonly #names: readonly MetricName[]
  readonly #sum: Float64Array
  readonly #max: Float64Array
  readonly #count: Uint32Array
  #samples = 0
  #firstAt = 0
  #lastAt = 0
  #times: PackedCounts | null = null

  constructor(at: number, names: readonly MetricName[]) {
    this.at = at
    this.#names = names
    this.#sum = new Float64Array(names.length)
    this.#max = new Float64Array(names.length).fill(Number.NEGATIVE_INFINITY)
    this.#count = new Uint32Array(names.length)
  }

  add({ at, values }: Sample, times: PackedCounts | null = null): void {
    if (times) this.#times = together([this.#times, times])
    if (this.#samples++ === 0) this.#firstAt = at
    this.#lastAt = at
    for (let i = 0; i < this.#names.length; i++) {
      const value = values[this.#names[i] as MetricName]
      if (value === null || !Number.isFinite(value)) continue
      this.#sum[i] = (this.#sum[i] as number) + value
      this.#count[i] = (this.#count[i] as number) + 1
      if (value > (this.#max[i] as number)) this.#max[i] = value
    }
  }

  rollup(instance: string, step: number): Rollup {
    const count = Array.from(this.#count)
    return {
      ...{ instance, step, at: this.at, names: this.#names, count },
      ...{ samples: this.#samples, firstAt: this.#firstAt, lastAt: this.#lastAt, times: this.#times },
      mean: count.map((n, i) => (n === 0 ? null : (this.#sum[i] as number) / n)),
      max: count.map((n, i) => (n === 0 ? null : (this.#max[i] as number))),
    }
  }
}

/** One longer step of the same instance, out of the steps in it. */
export function combine(parts: readonly Rollup[], step: number): Rollup {
  const [first] = parts
  if (!first) throw new RangeError('There is nothing to combine.')
  const columns = first.names.map((_, i) => combineColumn(parts, i))
  return {
    instance: first.instance,
    step,
    at: floorTo(first.at, step),
    samples: parts.reduce((sum, { samples }) => sum + samples, 0),
    firstAt: Math.min(...parts.map(({ firstAt }) => firstAt)),
    lastAt: Math.max(...parts.map(({ lastAt }) => lastAt)),
    names: first.names,
    mean: columns.map(({ mean }) => mean),
    max: columns.map(({ max }) => max),
    count: columns.map(({ count }) => count),
    times: together(parts.map(({ times }) => times)),
  }
}

function combineColumn(parts: readonly Rollup[], i: number) {
  let count = 0
  let sum = 0
  let max = Number.NEGATIVE_INFINITY
  for (const part of parts) {
    const n = part.count[i] ?? 0
    if (n === 0) continue
    count += n
    sum += n * (part.mean[i] ?? 0)
    max = Math.max(max, part.max[i] ?? 0)
  }
  return count === 0 ? { count, mean: null, max: null } : { count, mean: sum / count, max }
}

export const floorTo = (at: number, step: number) => Math.floor(at / step) * step
