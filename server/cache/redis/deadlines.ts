/** One question that is under way. */
export interface Pending {
  /** performance.now() when it was asked. */
  readonly asked: number
  settled: boolean
  late(): void
}

/**
 * Ends calls that wait for too long: one queue in the order of time and one coarse timer for all of them, as a
 * timer for each would cost more than the call.
 */
export class Deadlines {
  readonly #deadline: number
  readonly #step: number
  #queue: Pending[] = []
  #head = 0
  #timer: NodeJS.Timeout | undefined
  #due = 0
  #closed = false

  constructor(milliseconds: number) {
    this.#step = Math.max(1, Math.min(5, milliseconds / 8))
    this.#deadline = milliseconds - this.#step
  }

  add(call: Pending): void {
    this.#queue.push(call)
    if (this.#timer === undefined && !this.#closed) this.#arm(this.#step)
  }

  /** Calls that are not settled yet; settled ones may be among them until the next sweep. */
  get size(): number {
    return this.#queue.length - this.#head
  }

  /** Ends every call now. */
  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
    const left = this.#queue.slice(this.#head)
    this.#queue = []
    this.#head = 0
    for (const call of left) if (!call.settled) call.late()
  }

  #arm(wait: number): void {
    this.#due = performance.now() + wait
    this.#timer = setTimeout(() => this.#wake(), wait)
  }

  #wake(): void {
    const stalled = performance.now() - this.#due > this.#deadline / 2
    // After a stall of this process the answers may lie in the socket: they are read before anything counts as late.
    if (stalled) this.#arm(this.#step)
    else setImmediate(() => this.#sweep())
  }

  #sweep(): void {
    if (this.#closed) return
    const limit = performance.now() - this.#deadline
    const queue = this.#queue
    let head = this.#head
    while (head < queue.length) {
      const call = queue[head] as Pending
      if (!call.settled) {
        if (call.asked > limit) break
        call.late()
      }
      head++
    }
    this.#drop(head)
    this.#timer = undefined
    if (this.size > 0) this.#arm(this.#step)
  }

  #drop(head: number): void {
    if (head === this.#queue.length) {
      this.#queue = []
      this.#head = 0
    } else if (head > 4_096) {
      this.#queue = this.#queue.slice(head)
      this.#head = 0
    } else this.#head = head
  }
}
