/** Keys that are remembered one by one; with more, all of ours are deleted. */
export const MAX_PENDING = 100_000

/** What tells of keys so that a later process deletes them, too. */
export interface KeyJournal {
  added(key: string): void
  overflowed(): void
}

/** Keys whose last change Redis did not surely take. They are not read there until they were deleted. */
export class PendingKeys {
  readonly #orders = new Map<string, number>()
  readonly #journal: KeyJournal | undefined
  readonly #emptied: () => void

  constructor({ journal, emptied }: { journal?: KeyJournal | undefined; emptied: () => void }) {
    this.#journal = journal
    this.#emptied = emptied
  }

  get size(): number {
    return this.#orders.size
  }

  has(key: string): boolean {
    return this.#orders.size > 0 && this.#orders.has(key)
  }

  /** `order` of the change that failed. False when there is no room: then everything must be deleted. */
  add(key: string, order: number): boolean {
    if (this.#orders.size >= MAX_PENDING && !this.#orders.has(key)) {
      this.#journal?.overflowed()
      return false
    }
    if (!this.#orders.has(key)) this.#journal?.added(key)
    this.#orders.set(key, order)
    return true
  }

  /** A change sent after the failed one was taken, a deletion among them: Redis holds what it should. */
  taken(key: string, order: number): void {
    const failed = this.#orders.get(key)
    if (failed !== undefined && failed < order) this.#remove(key)
  }

  keys(belongs: (key: string) => boolean = () => true): string[] {
    return [...this.#orders.keys()].filter(belongs)
  }

  #remove(key: string): void {
    this.#orders.delete(key)
    if (this.#orders.size === 0) this.#emptied()
  }
}
