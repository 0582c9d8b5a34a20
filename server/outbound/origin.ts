import { rootCertificates } from 'node:tls'
import { Pool } from 'undici'
import type { Clock } from '@/server/clock'
import { quantiles } from '@/server/histogram'
import type { Log } from '@/server/log'
import { endsWithin } from '@/server/patience'
import { type Trace, traced } from '@/server/trace'
import { Breaker, isSick } from './breaker'
import { RetryBudget } from './budget'
import type { Call } from './call'
import { exchange, type Received } from './exchange'
import { breakerOpen, closing, OutboundFailure, queueFull } from './failure'
import { newCounters, noteError } from './figures'
import type { Guard } from './guard'
import { Slots } from './slots'
import type { OriginFigures, OutboundPool } from './types'

export interface OriginDeps {
  clock: Clock
  log: Log
  trace?: Trace | undefined
  /** Authorities in PEM that are trusted beside the usual ones. */
  ca?: string | undefined
  /** Judges every address before it is connected to. */
  guard?: Guard | undefined
}

/** Milliseconds that running calls have to end when their origin is closed. */
const PATIENCE = 1_500

/** One origin of a pool: its connections, breaker, budget and counters. */
export class Origin {
  readonly name: string
  readonly host: string
  readonly limits: OutboundPool
  readonly breaker: Breaker
  readonly budget: RetryBudget
  readonly counters = newCounters()
  /** Calls that are on their way; an origin with some is not closed for another. */
  calls = 0
  readonly #deps: OriginDeps
  readonly #pool: Pool
  readonly #slots: Slots

  constructor(deps: OriginDeps, limits: OutboundPool, url: URL) {
    this.#deps = deps
    this.name = url.origin
    this.host = url.host
    this.limits = limits
    this.budget = new RetryBudget(limits.retryBudget)
    this.#slots = new Slots(limits.connections, limits.maxWaiting)
    this.#pool = new Pool(url.origin, {
      connections: limits.connections,
      pipelining: 1,
      keepAliveTimeout: limits.keepAlive,
      keepAliveMaxTimeout: limits.keepAlive,
      connect: {
        timeout: limits.connectTimeout,
        ...(deps.ca ? { ca: [...rootCertificates, deps.ca] } : {}),
        ...(deps.guard ? { lookup: deps.guard.lookup } : {}),
      },
    })
    this.breaker = new Breaker({
      clock: deps.clock,
      limits: limits.breaker,
      changed: (state) =>
        deps.log[state === 'open' ? 'warn' : 'info'](
          { pool: limits.name, origin: this.name, state },
          'The breaker of an origin changed',
        ),
    })
  }

  /** Sends the call once. Throws OutboundFailure, or the reason of the signal. */
  async ask(call: Call, signal: AbortSignal): Promise<Received> {
    try {
      return await this.#ask(call, signal)
    } catch (error) {
      if (error instanceof OutboundFailure && error.kind !== 'refused') this.#note(error.message)
      throw error
    }
  }

  async #ask(call: Call, signal: AbortSignal): Promise<Received> {
    const refused = (pause: number) => breakerOpen(this.host, pause)
    // Before a slot is waited for, too: an open breaker refuses at once.
    const held = this.breaker.pause()
    if (held !== null) throw refused(held)
    const give = await this.#slots.take(signal, () => queueFull(this.host))
    try {
      return await this.breaker.run(async () => {
        const begun = performance.now()
        const received = await this.#exchange(call, signal)
        this.counters.latency.record(performance.now() - begun)
        if (isSick(received.status)) this.#note(`${this.host} answered ${received.status}.`)
        return received
      }, refused)
    } finally {
      give()
    }
  }

  /** Neither path nor query is told: those of a webhook are its secret. */
  #exchange(call: Call, signal: AbortSignal): Promise<Received> {
    const { hostname, protocol, port } = call.url
    const attributes = {
      'http.request.method': call.method,
      'url.scheme': protocol.slice(0, -1),
      'server.address': hostname,
      'server.port': Number(port) || (protocol === 'https:' ? 443 : 80),
    }
    return traced(this.#deps.trace, { name: call.method, kind: 'client', attributes }, async (span) => {
      const headers = { ...span?.headers(), ...call.headers }
      const received = await exchange(this.#pool, this.limits, { ...call, headers }, signal)
      span?.set({ 'http.response.status_code': received.status })
      return received
    })
  }

  #note(message: string): void {
    noteError(this.counters, this.#deps.clock, message)
  }

  figures(): OriginFigures {
    const { latency, answers, failures, ...counted } = this.counters
    return {
      pool: this.limits.name,
      origin: this.name,
      ...counted,
      answers: { ...answers },
      failures: { ...failures },
      breaker: this.breaker.state,
      breakerSince: this.breaker.since,
      connections: {
        open: this.#pool.stats.connected,
        inUse: this.#slots.inUse,
        waiting: this.#slots.waiting,
      },
      latency: quantiles(latency.counts()),
    }
  }

  /** Ends the connections; running calls get a moment to end themselves. */
  async close(): Promise<void> {
    if (!(await endsWithin(PATIENCE, this.#pool.close()))) await this.#pool.destroy(closing())
  }
}
