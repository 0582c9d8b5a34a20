/**
 * One timer for all that is on its way on a connection: it is set for the first that is due, and anew when it
 * fires, so that a statement which is answered in time costs no timer of its own.
 */
export class Deadline {
  readonly #expire: (now: number) => number
  #timer: NodeJS.Timeout | undefined
  #at = Number.POSITIVE_INFINITY

  /** @param expire deals with what is due, and answers when to look again; Infinity for never. */
  constructor(expire: (now: number) => number) {
    this.#expire = expire
  }

  /** Makes sure to look at `dueAt`, a time of performance.now(). */
  watch(dueAt: number, now: number): void {
    if (dueAt >= this.#at) return
    clearTimeout(this.#timer)
    this.#at = dueAt
    this.#timer = setTimeout(() => this.#look(), Math.max(1, dueAt - now)).unref()
  }

  end(): void {
    clearTimeout(this.#timer)
    this.#at = Number.POSITIVE_INFINITY
  }

  #look(): void {
    const now = performance.now()
    this.#at = Number.POSITIVE_INFINITY
    this.watch(this.#expire(now), now)
  }
}

interface Timed {
  readonly dueAt: number
  refused: boolean
  over: boolean
}

/** Those whose callers are to be refused at `now`, and when the next one will be due. */
export function takeDue<T extends Timed>(flights: readonly T[], now: number): { next: number; expired: T[] } {
  const waiting = flights.filter(({ refused, over }) => !refused && !over)
  const later = waiting.filter(({ dueAt }) => dueAt > now)
  return {
    next: Math.min(Number.POSITIVE_INFINITY, ...later.map(({ dueAt }) => dueAt)),
    expired: waiting.filter(({ dueAt }) => dueAt <= now),
  }
}
