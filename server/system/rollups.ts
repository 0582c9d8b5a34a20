import type { MetricName } from './metrics'

export interface RangeQuery {
  /** UTC milliseconds; `to` is not in it. */
  from: number
  to: number
  /** Points at most. */
  points: number
  /** All without. */
  metrics?: readonly MetricName[]
}

/** Columns of equal length, oldest first, over the whole of the range; null where nothing was measured. */
export interface RangeColumns {
  /** Milliseconds from one point to the next. */
  step: number
  at: number[]
  /** Of the asked metrics alone. */
  mean: Record<MetricName, (number | null)[]>
  max: Record<MetricName, (number | null)[]>
}
