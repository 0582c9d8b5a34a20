import {
  type CircuitBreakerPolicy,
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  handleType,
  isBrokenCircuitError,
} from 'cockatiel'
import type { Clock } from '@/server/clock'
import { OutboundFailure } from './failure'
import type { BreakerState, OutboundPool } from './types'

interface Answered {
  status: number
}

/** Answers of a gateway that has nobody behind it: they count like no answer. */
export const isSick = (status: number) => status === 502 || status === 503 || status === 504

const names: Record<CircuitState, BreakerState> = {
  [CircuitState.Closed]: 'closed',
  [CircuitState.Open]: 'open',
  [CircuitState.HalfOpen]: 'half-open',
  [CircuitState.Isolated]: 'open',
}

/** Carries a failure through cockatiel, which counts this class alone. */
class Counted extends Error {}

export interface BreakerDeps {
  clock: Clock
  limits: OutboundPool['breaker']
  changed: (state: BreakerState) => void
}

/** Stops calls to an origin that failed several times in a row; after a pause one call tries it. */
export class Breaker {
  readonly #policy: CircuitBreakerPolicy
  readonly #openMs: number
  #openedAt = 0
  /** UTC milliseconds of the last change. */
  since: number

  constructor({ clock, limits, changed }: BreakerDeps) {
    this.since = clock.now()
    this.#openMs = limits.openMs
    const sick = handleType(Counted).orWhenResult((value) => isSick((value as Answered).status))
    this.#policy = circuitBreaker(sick, {
      halfOpenAfter: limits.openMs,
      breaker: new ConsecutiveBreaker(limits.failures),
    })
    this.#policy.onStateChange((state) => {
      this.since = clock.now()
      // cockatiel measures the pause by Date.now(), whatever the clock is.
      if (state === CircuitState.Open) this.#openedAt = Date.now()
      changed(names[state])
    })
  }

  get state(): BreakerState {
    return names[this.#policy.state]
  }

  /** Milliseconds until a call may be let through; null when one may go now. */
  pause(): number | null {
    if (this.#policy.state === CircuitState.Closed) return null
    if (this.#policy.state === CircuitState.HalfOpen) return Math.min(this.#openMs, 1_000)
    const left = this.#openedAt + this.#openMs - Date.now()
    return left > 0 ? Math.min(left, this.#openMs) : null
  }

  /** Runs one request; `refused` makes the error when the breaker holds it back. */
  async run<T extends Answered>(
    work: () => Promise<T>,
    refused: (pause: number) => OutboundFailure,
  ): Promise<T> {
    const pause = this.pause()
    // cockatiel would let callers wait for the one that tries, without a bound.
    if (pause !== null) throw refused(pause)
    try {
      return await this.#policy.execute(async () => {
        const trying = this.#policy.state !== CircuitState.Closed
        try {
          return await work()
        } catch (error) {
          const known = error instanceof OutboundFailure
          // A try that its caller broke off proves nothing, and cockatiel takes an uncounted error for success.
          if (known ? error.breaks : trying) throw new Counted('counted', { cause: error })
          throw error
        }
      })
    } catch (error) {
      if (error instanceof Counted) throw error.cause
      if (isBrokenCircuitError(error)) throw refused(this.pause() ?? 1)
      throw error
    }
  }
}
