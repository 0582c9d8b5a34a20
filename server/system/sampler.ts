import type { Log } from '@/server/log'

/**
 * Calls `tick` once a period, never twice at a time: a tick that takes longer makes the next ones late, not
 * many. A tick that throws is logged and the next one comes all the same.
 */
export class Sampler {
  readonly #log: Log
  readonly #period: number
  readonly #tick: () => Promise<void>
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> | undefined
  #stopped = true

  constructor({ log }: { log: Log }, period: number, tick: () => Promise<void>) {
    this.#log = log
    this.#period = period
    this.#tick = tick
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
    const begun = performance.now()
    this.#running = this.#tick()
      .catch((error: unknown) => this.#log.error({ error }, 'sampling failed'))
      .then(() => {
        this.#running = undefined
        if (this.#stopped) return
        const wait = Math.max(0, this.#period - (performance.now() - begun))
        this.#timer = setTimeout(() => this.#turn(), wait).unref()
      })
  }
}
