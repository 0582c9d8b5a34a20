export interface RepeatingDeps {
  /** Milliseconds. */
  period: number
  /** From one beginning to the next, so that a long tick makes the next ones late, not many; or the rest after each. */
  pace: 'begin-to-begin' | 'rest'
  tick: () => Promise<void>
  /** Told of a tick that failed; `again` when the one before did, too. The next one comes all the same. */
  failed: (error: unknown, again: boolean) => void
}

/** Calls `tick` once a period, never twice at a time. */
export class Repeating {
  readonly #deps: RepeatingDeps
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> | undefined
  #stopped = true
  #failing = false

  constructor(deps: RepeatingDeps) {
    this.#deps = deps
  }

  start(): void {
    if (!this.#stopped) return
    this.#stopped = false
    this.#turn()
  }

  /** Resolves when no tick runs any more; none begins afterwards. */
  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    await this.#running
  }

  #turn(): void {
    const { period, pace, tick } = this.#deps
    const begun = performance.now()
    this.#running = tick()
      .then(
        () => {
          this.#failing = false
        },
        (error: unknown) => this.#fail(error),
      )
      .then(() => {
        this.#running = undefined
        if (this.#stopped) return
        const took = pace === 'rest' ? 0 : performance.now() - begun
        this.#timer = setTimeout(() => this.#turn(), Math.max(0, period - took)).unref()
      })
  }

  #fail(error: unknown): void {
    this.#deps.failed(error, this.#failing)
    this.#failing = true
  }
}
