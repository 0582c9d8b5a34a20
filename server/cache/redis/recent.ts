/** How long a replica may be behind its primary, in milliseconds: what was written since is not trusted after a failover. */
export const LAG = 60_000
const MAX_RECENT = 100_000

/** Keys that Redis took a change of, the latest of them. */
export class RecentKeys {
  readonly #keys: string[] = []
  readonly #times: number[] = []
  readonly #most: number
  #at = 0
  #lostUntil = Number.NEGATIVE_INFINITY

  constructor(most = MAX_RECENT) {
    this.#most = most
  }

  /** `now`, and all times here: performance.now(). */
  add(key: string, now: number): void {
    if (this.#keys.length === this.#most) this.#lostUntil = this.#times[this.#at] as number
    this.#keys[this.#at] = key
    this.#times[this.#at] = now
    this.#at = (this.#at + 1) % this.#most
  }

  /** Keys changed since a moment; undefined when some of them are not known any more. */
  since(moment: number, belongs: (key: string) => boolean): string[] | undefined {
    if (this.#lostUntil >= moment) return undefined
    const found = new Set<string>()
    for (const [index, key] of this.#keys.entries()) {
      if ((this.#times[index] as number) >= moment && belongs(key)) found.add(key)
    }
    return [...found]
  }
}
