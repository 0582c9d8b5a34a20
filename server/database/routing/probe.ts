import type { Client } from 'pg'
import type { FullConfig } from '../pool/config'
import { openClient } from '../pool/connection-open'
import { type Answer, askServer } from './probe-statement'

/** An answer, and when: `sentAt` and `roundTrip` by performance.now(). */
export interface Seen extends Answer {
  sentAt: number
  roundTrip: number
}

export interface ProbeDeps {
  config: FullConfig
  /** Milliseconds from one answer to the next question. */
  period(): number
  seen(seen: Seen): void
  /** The probe's connection broke. It is made anew at once; what was known of the server may be over. */
  broke(): void
  /** It does not answer, and why. */
  failed(error: unknown): void
  /** How much the server has answered to others: one that answers is slow, not away. */
  answered(): number
}

/** Milliseconds that a server has to answer. */
const DEADLINE = 1_000
const SHORTEST_PAUSE = 50
const LONGEST_PAUSE = 1_000

/**
 * Asks one server, over a connection of its own, again and again: never twice at a time, and with one attempt to
 * connect after the other, at growing distances.
 */
export class Probe {
  readonly #deps: ProbeDeps
  #client: Client | undefined
  #pause = 0
  #closed = false
  #waiting: (() => void)[] = []
  #wake: (() => void) | undefined
  #asking: ((error: unknown) => void) | undefined
  #running: Promise<void> | undefined

  constructor(deps: ProbeDeps) {
    this.#deps = deps
  }

  start(): void {
    this.#running ??= this.#loop()
  }

  /** Resolves when a question that was put after this call has been answered, or has failed. */
  now(): Promise<void> {
    if (this.#closed) return Promise.resolve()
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
      this.#wake?.()
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#wake?.()
    this.#asking?.(new Error('The probe ends.'))
    const client = this.#client
    this.#client = undefined
    if (client) end(client)
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  async #loop(): Promise<void> {
    while (!this.#closed) {
      const waiting = this.#waiting.splice(0)
      await this.#once()
      for (const resolve of waiting) resolve()
      await this.#rest()
    }
  }

  async #once(): Promise<void> {
    const { seen, failed } = this.#deps
    try {
      this.#client ??= await this.#connect()
      const sentAt = performance.now()
      const answer = await this.#ask(this.#client)
      this.#pause = 0
      if (!this.#closed) seen({ ...answer, sentAt, roundTrip: performance.now() - sentAt })
    } catch (error) {
      this.#pause = Math.min(LONGEST_PAUSE, Math.max(SHORTEST_PAUSE, this.#pause * 2))
      const client = this.#client
      this.#client = undefined
      if (client) end(client)
      if (!this.#closed) failed(error)
    }
  }

  async #connect(): Promise<Client> {
    let mine: Client | undefined
    mine = await openClient(this.#deps.config, (error) => {
      if (mine) this.#lost(mine, error)
    })
    if (this.#closed) {
      end(mine)
      throw new Error('The probe ends.')
    }
    return mine
  }

  #lost(client: Client, error: unknown): void {
    if (this.#client !== client) return
    this.#client = undefined
    this.#deps.broke()
    if (this.#asking) this.#asking(error ?? new Error('Connection terminated'))
    else this.#wake?.()
  }

  #ask(client: Client): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const before = this.#deps.answered()
      const stop = () => {
        clearTimeout(timer)
        this.#asking = undefined
      }
      const late = () => {
        // An answer that came while this process was busy is read first.
        setImmediate(() => setImmediate(() => this.#asking && judge()))
      }
      const judge = () => {
        if (this.#deps.answered() > before) timer = setTimeout(late, DEADLINE)
        else this.#asking?.(Object.assign(new Error('No answer in time.'), { code: 'ETIMEDOUT' }))
      }
      let timer = setTimeout(late, DEADLINE)
      this.#asking = (error) => {
        stop()
        reject(error)
      }
      askServer(client).then((answer) => {
        stop()
        resolve(answer)
      }, this.#asking)
    })
  }

  /** Waits for the next turn. Whoever asks for an answer now gets it, but failed attempts keep their distance. */
  async #rest(): Promise<void> {
    if (this.#closed) return
    if (this.#pause > 0) await this.#sleep(SHORTEST_PAUSE)
    if (this.#waiting.length > 0) return
    const jitter = 0.75 + Math.random() / 2
    await this.#sleep(this.#pause > 0 ? (this.#pause - SHORTEST_PAUSE) * jitter : this.#deps.period(), true)
  }

  #sleep(milliseconds: number, wakes = false): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer)
        this.#wake = undefined
        resolve()
      }
      const timer = setTimeout(done, milliseconds).unref()
      // Its end wakes it in any case.
      this.#wake = () => {
        if (wakes || this.#closed) done()
      }
    })
  }
}

function end(client: Client): void {
  const { connection } = client as unknown as { connection: { stream: { destroy(): void } } }
  connection.stream.destroy()
}
