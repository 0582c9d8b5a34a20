import type { Log } from '@/server/log'

/** A connection that was borrowed and didn't come back in time. */
export interface Leak {
  /** Milliseconds since it was borrowed. */
  heldMs: number
  /** Where it was borrowed: frames of the borrower's stack, the nearest first. */
  stack: string[]
}

interface Loan {
  since: number
  trace: { stack?: string }
  told: boolean
}

const FRAMES = 12

/** Who has borrowed connections, and since when. A loan that is too long is told once, with the borrower's stack. */
export class Loans {
  readonly #loans = new Set<Loan>()
  readonly #timeout: number
  readonly #log: Log

  /** @param timeout milliseconds; 0: nothing is ever told. */
  constructor(timeout: number, log: Log) {
    this.#timeout = timeout
    this.#log = log
  }

  /** Notes a loan; the answer ends it. `trace` holds the stack of the call, which is made into text only if needed. */
  begin(trace: { stack?: string }): () => void {
    const loan: Loan = { since: performance.now(), trace, told: false }
    this.#loans.add(loan)
    return () => {
      this.#loans.delete(loan)
    }
  }

  /** Tells new leaks to the log; answers how many there were. */
  report(): number {
    let found = 0
    for (const loan of this.#overdue()) {
      if (loan.told) continue
      loan.told = true
      found++
      const { heldMs, stack } = leakOf(loan)
      this.#log.warn({ heldMs, stack }, 'a database connection was borrowed and not given back')
    }
    return found
  }

  /** Those that are held too long at this moment, the oldest first. */
  leaks(): Leak[] {
    return this.#overdue().map(leakOf)
  }

  #overdue(): Loan[] {
    if (this.#timeout === 0) return []
    const before = performance.now() - this.#timeout
    return [...this.#loans].filter(({ since }) => since <= before)
  }
}

/** The stack of the caller of `below`, captured and not yet made into text. */
export function traceOf(below: (...args: never[]) => unknown): { stack?: string } {
  const trace: { stack?: string } = {}
  Error.captureStackTrace(trace, below)
  return trace
}

function leakOf({ since, trace }: Loan): Leak {
  const frames = (trace.stack ?? '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line.startsWith('at '))
  return { heldMs: Math.round(performance.now() - since), stack: frames.slice(0, FRAMES) }
}
