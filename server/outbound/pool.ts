import { setMaxListeners } from 'node:events'
import { HoldfastError } from '@/server/errors'
import { Caching, type Outcome } from './caching'
import { type Answer, type Call, type CallOptions, parseCall } from './call'
import { openDeadline } from './deadline'
import { closing, deadlineOver } from './failure'
import { countAnswer, countFailure } from './figures'
import { type AnswerCache, KeptAnswers } from './kept'
import type { Origin, OriginDeps } from './origin'
import { Origins } from './origins'
import { policyClass } from './policy'
import { fetchWithRetries } from './retries'
import type { OriginFigures, OutboundPool } from './types'

export interface PoolDeps extends OriginDeps {
  cache?: AnswerCache | undefined
}

/** Origins that a pool knows at a time. */
const MOST_ORIGINS = 128

/** A named pool: its limits hold for each origin that it calls. */
export class HttpPool {
  readonly limits: OutboundPool
  readonly #deps: PoolDeps
  readonly #origins: Origins
  readonly #caching: Caching | undefined
  readonly #closed = new AbortController()
  #closing: Promise<void> | undefined

  constructor(deps: PoolDeps, limits: OutboundPool, mostOrigins = MOST_ORIGINS) {
    this.#deps = deps
    this.limits = limits
    // Every running call listens to it.
    setMaxListeners(0, this.#closed.signal)
    this.#origins = new Origins(deps, limits, mostOrigins)
    if (!limits.cache || !deps.cache) return
    const Policy = policyClass(deps.clock)
    const kept = new KeptAnswers({ cache: deps.cache, log: deps.log, Policy }, limits.name)
    this.#caching = new Caching(kept, Policy)
  }

  /**
   * Sends a call and answers whatever status comes; redirects are not followed. Throws TARGET_UNREACHABLE when no
   * whole answer came, BAD_INPUT for a call that can't be sent, SHUTTING_DOWN, or the reason of the caller's signal.
   */
  async request(url: string | URL, options: CallOptions = {}): Promise<Answer> {
    if (this.#closing) throw closing()
    const call = parseCall(url, options, this.limits)
    call.signal?.throwIfAborted()
    this.#deps.guard?.refuse(call.url)
    const origin = this.#origins.of(call.url)
    origin.calls++
    origin.counters.calls++
    origin.counters.lastCallAt = this.#deps.clock.now()
    const over = () => deadlineOver(origin.host, call.timeout)
    const deadline = openDeadline(call.timeout, [call.signal, this.#closed.signal], over)
    try {
      const outcome = await this.#send(origin, call, deadline.signal, deadline.end)
      countAnswer(origin.counters, outcome)
      return answerOf(outcome, origin.host)
    } catch (error) {
      countFailure(origin.counters, error)
      throw error
    } finally {
      deadline.clear()
      origin.calls--
    }
  }

  async #send(origin: Origin, call: Call, signal: AbortSignal, end: number): Promise<Outcome> {
    const fetch = (extra: Record<string, string>, signal: AbortSignal) =>
      fetchWithRetries(origin, { ...call, headers: { ...call.headers, ...extra } }, signal, end)
    if (this.#caching) return this.#caching.answer(call, signal, fetch)
    return { ...(await fetch({}, signal)), fromCache: null }
  }

  figures(): OriginFigures[] {
    return this.#origins.all().map((origin) => origin.figures())
  }

  /** Takes no more calls, lets running ones end for a moment, and ends every connection. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await Promise.all(this.#origins.all().map((origin) => origin.close()))
    this.#closed.abort(closing())
  }
}

function answerOf(outcome: Outcome, host: string): Answer {
  return {
    ...outcome,
    json<T>(): T {
      try {
        return JSON.parse(this.body.toString('utf8')) as T
      } catch (cause) {
        const message = `${host} answered something that is not JSON.`
        const remedy = 'Check the address; the status tells more.'
        throw new HoldfastError('TARGET_UNREACHABLE', { message, remedy }, { cause })
      }
    },
  }
}
