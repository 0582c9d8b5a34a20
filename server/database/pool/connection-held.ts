import type { Job, Wire } from './pipeline-query'

/** Milliseconds that a statement is held back at most, for others to leave with it. */
const HOLD_MS = 2

export interface Held {
  job: Job
  /** When its caller is refused, as a time of performance.now(); Infinity for never. */
  dueAt: number
}

/**
 * Statements held back until what is on its way has been answered: then all that came meanwhile leave in one write,
 * and both sides wake once for many statements. After HOLD_MS they leave all the same.
 */
export class HeldBack {
  readonly #held: Held[] = []
  readonly #due: () => void
  #timer: NodeJS.Timeout | undefined

  /** @param due called when they have waited long enough. */
  constructor(due: () => void) {
    this.#due = due
  }

  get size(): number {
    return this.#held.length
  }

  add(held: Held): void {
    this.#held.push(held)
    this.#timer ??= setTimeout(this.#due, HOLD_MS)
  }

  take(): Held[] {
    clearTimeout(this.#timer)
    this.#timer = undefined
    return this.#held.splice(0)
  }
}

/** Lets all statements of one turn of the event loop leave in one write. */
export class Cork {
  readonly #stream: Wire['stream']
  #corked = false

  constructor(stream: Wire['stream']) {
    this.#stream = stream
  }

  close(): void {
    if (this.#corked) return
    this.#corked = true
    this.#stream.cork()
    process.nextTick(() => {
      this.#corked = false
      this.#stream.uncork()
    })
  }
}
