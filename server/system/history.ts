import type { Sample } from './events'
import { type MetricName, metricNames } from './metrics'
import type { PackedCounts, TimedCounts } from './query-times'

/** Columns of equal length, oldest first: compact to send and ready to draw. */
export interface HistoryColumns {
  at: number[]
  values: Record<MetricName, (number | null)[]>
}

/** Pages ask a little later for what their samples reach back to. */
const LONGER = 60

/** The samples of the last quarter of an hour. */
export class History {
  readonly #capacity: number
  readonly #samples: Sample[] = []
  readonly #times: TimedCounts[] = []

  constructor(capacity = 900) {
    this.#capacity = capacity
  }

  get latest(): Sample | undefined {
    return this.#samples.at(-1)
  }

  add(sample: Sample, times: PackedCounts = []): void {
    this.#samples.push(sample)
    if (this.#samples.length > this.#capacity) this.#samples.shift()
    this.#times.push({ at: sample.at, times })
    if (this.#times.length > this.#capacity + LONGER) this.#times.shift()
  }

  /** How many statements took how long before each sample, oldest first. */
  get times(): readonly TimedCounts[] {
    return this.#times
  }

  /** The newest `count` samples. */
  last(count: number): Sample[] {
    return this.#samples.slice(-count)
  }

  columns(count = this.#capacity): HistoryColumns {
    const samples = this.last(count)
    const column = (name: MetricName) => samples.map(({ values }) => values[name])
    return {
      at: samples.map(({ at }) => at),
      values: Object.fromEntries(metricNames.map((name) => [name, column(name)])) as HistoryColumns['values'],
    }
  }
}
