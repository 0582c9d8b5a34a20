import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks'

/** Milliseconds between two looks of the monitor. */
const RESOLUTION = 10

/**
 * How late this process is of late, in milliseconds: on a machine that has too much to do every answer seems
 * slow, and no statement is to blame. Read about once a second.
 */
export class Noise {
  /** The lateness that 95 % of looks stayed below; falls slowly. */
  ms = 0
  readonly #monitor: IntervalHistogram = monitorEventLoopDelay({ resolution: RESOLUTION })

  constructor() {
    this.#monitor.enable()
  }

  read(): void {
    const late = this.#monitor.percentile(95) / 1e6 - RESOLUTION
    this.ms = Math.max(0, late, this.ms * 0.8)
    this.#monitor.reset()
  }

  end(): void {
    this.#monitor.disable()
  }
}
