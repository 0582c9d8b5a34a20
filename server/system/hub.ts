import { randomBytes } from 'node:crypto'

/** Events that are kept for resuming; a subscriber that is further behind starts anew. */
const CAPACITY = 4_096

export interface Subscription {
  /** Id of the last event that the subscriber has; absent: it has none. */
  after?: string | undefined
  /** Ends the subscription. */
  signal: AbortSignal
}

export interface Delivered<E> {
  id: string
  event: E
}

/**
 * Hands every event to every subscriber. A subscriber is a position in one shared ring, so a slow one costs
 * no memory: it catches up, or, overtaken, gets `reset`. Ids count up and name the process that gave them.
 */
export class Hub<E> {
  readonly #boot = randomBytes(6).toString('hex')
  readonly #ring: E[] = []
  readonly #wakers = new Set<() => void>()
  readonly #reset: E
  #next = 1
  #subscribers = 0

  /** @param reset what a subscriber gets that could not be served without a gap */
  constructor(reset: E) {
    this.#reset = reset
  }

  /** Id of the newest event: who knows what it told can resume after it. */
  get lastId(): string {
    return this.#id(this.#next - 1)
  }

  get subscribers(): number {
    return this.#subscribers
  }

  publish(event: E): void {
    this.#ring[this.#next % CAPACITY] = event
    this.#next++
    for (const wake of [...this.#wakers]) wake()
  }

  /** Yields events until the signal aborts: from after the given id, or else from the latest one on. */
  async *subscribe({ after, signal }: Subscription): AsyncGenerator<Delivered<E>, void, void> {
    let wake = () => {}
    const wakeUp = () => wake()
    signal.addEventListener('abort', wakeUp)
    this.#wakers.add(wakeUp)
    this.#subscribers++
    try {
      let at = this.#positionAfter(after)
      if (at === undefined) {
        at = Math.max(1, this.#next - 1)
        if (after !== undefined) yield { id: this.#id(at - 1), event: this.#reset }
      }
      while (!signal.aborted) {
        if (at < this.#oldest()) {
          at = this.#next - 1
          yield { id: this.#id(at - 1), event: this.#reset }
        } else if (at < this.#next) {
          yield { id: this.#id(at), event: this.#ring[at % CAPACITY] as E }
          at++
        } else {
          await new Promise<void>((resolve) => {
            wake = resolve
          })
        }
      }
    } finally {
      this.#subscribers--
      this.#wakers.delete(wakeUp)
      signal.removeEventListener('abort', wakeUp)
    }
  }

  #id(sequence: number): string {
    return `${this.#boot}-${sequence}`
  }

  #oldest(): number {
    return Math.max(1, this.#next - CAPACITY)
  }

  /** Where to go on after an id; undefined when the id is missing, another process's, or too old. */
  #positionAfter(id: string | undefined): number | undefined {
    const [boot, sequence] = id?.split('-') ?? []
    const position = Number(sequence) + 1
    if (boot !== this.#boot || !Number.isInteger(position)) return undefined
    return position >= this.#oldest() && position <= this.#next ? position : undefined
  }
}
