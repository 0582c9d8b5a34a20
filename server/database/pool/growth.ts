import type { Log } from '@/server/log'
import type { DatabaseMetrics } from '../metrics'
import type { Connection } from './connection'

/** What a pool tells its growth, and learns from it. */
export interface GrowthDeps {
  log: Log
  metrics: DatabaseMetrics
  /** Connects; rejects with the reason. */
  open(): Promise<Connection>
  /** Connections that callers wait for or that are missing from the minimum. */
  wanted(): number
  /** Connections that may still be opened, not counting those being opened. */
  room(): number
  opened(connection: Connection): void
  failed(error: unknown): void
}

const SHORTEST_PAUSE = 50
const LONGEST_PAUSE = 1_000

/** Opens connections as they are wanted; after a failure one at a time with growing pauses, against storms. */
export class Growth {
  opening = 0
  /** Why the last attempt failed; undefined when it did not. */
  lastFailure: unknown
  readonly #deps: GrowthDeps
  #pause = 0
  #nextAt = 0
  #ended = false

  constructor(deps: GrowthDeps) {
    this.#deps = deps
  }

  /** Opens what is wanted, or `more`, while there is room. */
  grow(more = 0): void {
    const wanted = Math.max(this.#deps.wanted(), more)
    while (!this.#ended && this.opening < wanted && this.opening < this.#deps.room() && this.#mayTry()) {
      this.opening++
      void this.#open()
    }
  }

  /** Forgets earlier failures: the server is known to answer again. */
  freshen(): void {
    this.lastFailure = undefined
    this.#pause = 0
    this.grow()
  }

  end(): void {
    this.#ended = true
  }

  #mayTry(): boolean {
    return this.#pause === 0 || (this.opening === 0 && Date.now() >= this.#nextAt)
  }

  async #open(): Promise<void> {
    const { log, metrics, open, opened, failed } = this.#deps
    let connection: Connection
    try {
      connection = await open()
    } catch (error) {
      this.opening--
      metrics.connectionFailures++
      if (this.lastFailure === undefined) log.warn({ error }, 'a database connection could not be made')
      this.lastFailure = error
      failed(error)
      this.#pause = Math.min(LONGEST_PAUSE, Math.max(SHORTEST_PAUSE, this.#pause * 2))
      this.#nextAt = Date.now() + this.#pause * (0.5 + Math.random() / 2)
      setTimeout(() => this.grow(), this.#pause + 1).unref()
      return
    }
    this.opening--
    this.lastFailure = undefined
    this.#pause = 0
    metrics.connectionsOpened++
    opened(connection)
    this.grow()
  }
}
