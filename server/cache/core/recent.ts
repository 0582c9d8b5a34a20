/** Milliseconds for which a change is remembered: longer than any reply of Redis is waited for. */
const KEPT = 2_000

/**
 * What changed of late. A reply of Redis that was under way when its key changed may hold the former value, whichever
 * of the two this process heard of first: it is given to its caller and not kept.
 */
export class Recent {
  readonly #now: () => number
  #turn = 0
  #all = 0
  #changes = new Map<string, number>()
  #older = new Map<string, number>()
  #begun: number

  constructor(now: () => number) {
    this.#now = now
    this.#begun = now()
  }

  /** A mark for {@link changedSince}, taken before Redis is asked. */
  mark(): number {
    return this.#turn
  }

  note(key: string): void {
    if (this.#now() - this.#begun > KEPT) {
      this.#older = this.#changes
      this.#changes = new Map()
      this.#begun = this.#now()
    }
    this.#changes.set(key, ++this.#turn)
  }

  /** Anything may have changed. */
  noteAll(): void {
    this.#all = ++this.#turn
  }

  /** Whether news was lost after `mark`. */
  lostSince(mark: number): boolean {
    return this.#all > mark
  }

  changedSince(key: string, mark: number): boolean {
    if (mark === this.#turn) return false
    if (this.#all > mark) return true
    return (this.#changes.get(key) ?? this.#older.get(key) ?? 0) > mark
  }
}
