interface Waiter {
  go(): void
}

/** Lets so many calls go at a time, and so many more wait, first come first served. */
export class Slots {
  readonly #most: number
  readonly #mostWaiting: number
  readonly #waiters = new Set<Waiter>()
  #inUse = 0

  constructor(most: number, mostWaiting: number) {
    this.#most = most
    this.#mostWaiting = mostWaiting
  }

  get inUse(): number {
    return this.#inUse
  }

  get waiting(): number {
    return this.#waiters.size
  }

  /** Resolves when the call may go; it then gives its slot back. Throws `full()`, or the reason of the signal. */
  async take(signal: AbortSignal, full: () => Error): Promise<() => void> {
    signal.throwIfAborted()
    if (this.#inUse < this.#most) this.#inUse++
    else if (this.#waiters.size >= this.#mostWaiting) throw full()
    else await this.#wait(signal)
    return () => this.#give()
  }

  #wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiter = {
        go: () => {
          signal.removeEventListener('abort', leave)
          resolve()
        },
      }
      const leave = () => {
        this.#waiters.delete(waiter)
        reject(signal.reason)
      }
      signal.addEventListener('abort', leave, { once: true })
      this.#waiters.add(waiter)
    })
  }

  /** The slot goes on to the next who waits, without being free in between. */
  #give(): void {
    for (const waiter of this.#waiters) {
      this.#waiters.delete(waiter)
      waiter.go()
      return
    }
    this.#inUse--
  }
}
