import type { Log } from '@/server/log'

/**
 * Calls `tick` once a period, never twice at a time. One that fails is logged when the one before did not, and
 * the next one comes all the same.
 */
export class Repeating {
  readonly #log: Log
  readonly #what: string
  readonly #period: number
  readonly #tick: () => Promise<void>
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> = Promise.resolve()
  #started = false
  #stopped = false
  #failed = false

  /** @param what names a failure in the log. */
  constructor({ log, what }: { log: Log; what: string }, period: number, tick: () => Promise<void>) {
    this.#log = log
    this.#what = what
    this.#period = period
    this.#tick = tick
  }

  start(): void {
    if (this.#started) return
    this.#started = true
    this.#turn()
  }

  /** Resolves when no tick runs any more; none begins afterwards. */
  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    await this.#running
  }

  #turn(): void {
    this.#running = this.#tick().then(
      () => {
        this.#failed = false
        this.#wait()
      },
      (error: unknown) => {
        if (!this.#failed) this.#log.warn({ error }, this.#what)
        this.#failed = true
        this.#wait()
      },
    )
  }

  #wait(): void {
    if (this.#stopped) return
    this.#timer = setTimeout(() => this.#turn(), this.#period).unref()
  }
}
