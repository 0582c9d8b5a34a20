/** Why a turn was not given. */
export type NoTurn = 'full' | 'late' | 'closed'

interface Waiting {
  give(end: () => void): void
  refuse(why: NoTurn): void
}

/** One at a time, in the order in which they came; the queue is bounded, and so is the wait. */
export class Turns {
  readonly #most: number
  readonly #patienceMs: number
  readonly #refused: (why: NoTurn) => Error
  readonly #queue = new Set<Waiting>()
  #taken = false
  #closed = false
  #idle: (() => void) | undefined

  constructor(refused: (why: NoTurn) => Error, limits: { most: number; patienceMs: number }) {
    this.#refused = refused
    this.#most = limits.most
    this.#patienceMs = limits.patienceMs
  }

  get waiting(): number {
    return this.#queue.size
  }

  get taken(): boolean {
    return this.#taken
  }

  /** Waits for a turn and answers what ends it; calling that again does nothing. */
  async take(): Promise<() => void> {
    if (this.#closed) throw this.#refused('closed')
    if (!this.#taken) return this.#begin()
    if (this.#queue.size >= this.#most) throw this.#refused('full')
    return new Promise((resolve, reject) => {
      const waiting: Waiting = {
        give(end) {
          clearTimeout(patience)
          resolve(end)
        },
        refuse: (why) => {
          clearTimeout(patience)
          this.#queue.delete(waiting)
          reject(this.#refused(why))
        },
      }
      const patience = setTimeout(() => waiting.refuse('late'), this.#patienceMs)
      this.#queue.add(waiting)
    })
  }

  /** Refuses who waits and who comes; resolves when the running turn has ended, or after `graceMs`. */
  async close(graceMs: number): Promise<void> {
    this.#closed = true
    for (const waiting of [...this.#queue]) waiting.refuse('closed')
    if (!this.#taken) return
    await new Promise<void>((resolve) => {
      const grace = setTimeout(resolve, graceMs)
      this.#idle = () => {
        clearTimeout(grace)
        resolve()
      }
    })
  }

  #begin(): () => void {
    this.#taken = true
    let over = false
    return () => {
      if (over) return
      over = true
      this.#next()
    }
  }

  #next(): void {
    const [next] = this.#queue
    if (next) {
      this.#queue.delete(next)
      next.give(this.#begin())
      return
    }
    this.#taken = false
    this.#idle?.()
  }
}
