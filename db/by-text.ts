/**
 * What belongs to a statement, by its text: the last `most` to twice as many. Two generations stand in for a
 * list in order of use: what is asked for moves to the young one, and the old one is dropped whole.
 */
export class ByText<T> {
  #young = new Map<string, T>()
  #old = new Map<string, T>()
  readonly #make: (text: string) => T
  readonly #most: number

  constructor(make: (text: string) => T, most: number) {
    this.#make = make
    this.#most = most
  }

  of(text: string): T {
    const known = this.#young.get(text)
    if (known) return known
    const value = this.#old.get(text) ?? this.#make(text)
    if (this.#young.size >= this.#most) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(text, value)
    return value
  }

  list(): T[] {
    return [...new Map([...this.#old, ...this.#young]).values()]
  }
}
