/** Retries that may be made at once after a quiet time. */
const SAVED = 10

/** A token bucket: every call brings a share of a retry, every retry takes a whole one. */
export class RetryBudget {
  readonly #share: number
  #tokens: number

  constructor(share: number) {
    this.#share = share
    this.#tokens = share > 0 ? SAVED : 0
  }

  earn(): void {
    this.#tokens = Math.min(SAVED, this.#tokens + this.#share)
  }

  /** Whether a retry may be made; it is then paid. */
  spend(): boolean {
    // Shares such as 0.2 don't add up to a whole one exactly.
    if (this.#tokens < 1 - 1e-9) return false
    this.#tokens -= 1
    return true
  }
}
