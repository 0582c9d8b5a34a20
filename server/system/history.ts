import type { Sample } from './events'
import { type MetricName, metricNames } from './metrics'

/** Columns of equal length, oldest first: compact to send and ready to draw. */
export interface HistoryColumns {
  at: number[]
  values: Record<MetricName, (number | null)[]>
}

/** The samples of the last quarter of an hour. */
export class History {
  readonly #capacity: number
  readonly #samples: Sample[] = []

  constructor(capacity = 900) {
    this.#capacity = capacity
  }

  get latest(): Sample | undefined {
    return this.#samples.at(-1)
  }

  add(sample: Sample): void {
    this.#samples.push(sample)
    if (this.#samples.length > this.#capacity) this.#samples.shift()
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
