import { waitAfter } from '../failure'
import type { Failure, RunEvent } from '../types'

/** Counts the tries of a run that ended without a step forward. */
export interface Attempts {
  readonly count: number
  hear(event: Extract<RunEvent, { type: 'progress' }>): void
  /** One more that failed; answers the failure with its number and the time of the next try. */
  failed(failure: Failure, now: number): Failure
}

/** `before`: how many failed before this process followed the run. */
export function followAttempts(before = 0): Attempts {
  let count = before
  let phase: string | undefined
  let first = 0
  return {
    get count() {
      return count
    },
    hear(event) {
      // What was only read is read again by the next try; a first progress repeats what an earlier one reached.
      const reached =
        event.phase === 'transfer' ? event.tables.reduce((sum, { written }) => sum + written, 0) : event.done
      if (phase !== event.phase) {
        phase = event.phase
        first = reached
      } else if (reached > first) count = 0
    },
    failed(failure, now) {
      count++
      phase = undefined
      return { ...failure, attempts: count, retryAt: now + waitAfter(count) }
    },
  }
}
