/**
 * Which write of a key began last. A large value takes a while to encode: a later write or delete of its key, done
 * meanwhile, must not be undone by it.
 */
export class Turns {
  readonly #last = new Map<string, symbol>()

  /** A write that is done at once, or a delete: what is still being encoded comes too late. */
  overtake(key: string): void {
    if (this.#last.size > 0) this.#last.delete(key)
  }

  /** What is being made; undefined when its key was written or deleted in the meantime. Throws what it throws. */
  async wait<T>(key: string, making: Promise<T>): Promise<T | undefined> {
    const turn = Symbol()
    this.#last.set(key, turn)
    let made: T
    try {
      made = await making
    } catch (error) {
      if (this.#last.get(key) === turn) this.#last.delete(key)
      throw error
    }
    if (this.#last.get(key) !== turn) return undefined
    this.#last.delete(key)
    return made
  }
}
