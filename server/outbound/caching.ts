import { randomUUID } from 'node:crypto'
import { type Call, isSafe } from './call'
import { OutboundFailure } from './failure'
import { type Flight, Flights } from './flights'
import type { Kept, KeptAnswers } from './kept'
import {
  conditions,
  hash,
  isFresh,
  judged,
  judgedAnswer,
  keepFor,
  mayStandIn,
  newPolicy,
  type Policy,
  type PolicyClass,
} from './policy'
import type { Fetched } from './retries'

export interface Outcome extends Fetched {
  fromCache: 'hit' | 'revalidated' | null
}

/** Sends the call over the network, with these headers besides its own. */
type Fetch = (extra: Record<string, string>, signal: AbortSignal) => Promise<Fetched>

/** Headers that make the answer a part of a resource, or dependent on what the caller holds already. */
const OWN_TERMS = [
  'range',
  'if-match',
  'if-none-match',
  'if-modified-since',
  'if-unmodified-since',
  'if-range',
]
const BROKEN = new Set([500, 502, 503, 504])

/** Answers GET from copies where Cache-Control allows it (RFC 9111, as a shared cache). */
export class Caching {
  readonly #kept: KeptAnswers
  readonly #Policy: PolicyClass
  readonly #flights = new Flights<Outcome>()

  constructor(kept: KeptAnswers, Policy: PolicyClass) {
    this.#kept = kept
    this.#Policy = Policy
  }

  async answer(call: Call, signal: AbortSignal, fetch: Fetch): Promise<Outcome> {
    if (!mayAsk(call)) return this.#plain(call, signal, fetch)
    const urlKey = this.#kept.key(call.url)
    // Who wants the origin's own word is not content with a fetch that began before.
    const alone = wantsOrigin(call) ? randomUUID() : ''
    const key = hash(urlKey, Object.entries(call.headers).sort(), alone)
    const shared = await this.#flights.join(key, urlKey, signal, (flight, shared) =>
      this.#look(call, flight, (extra) => fetch(extra, shared)),
    )
    if (!shared) return { ...(await fetch({}, signal)), fromCache: null }
    const { value, joined } = shared
    if (!joined) return value
    // A caller may change its body: the others have theirs.
    const own = { ...value, headers: { ...value.headers }, body: Buffer.from(value.body) }
    return { ...own, attempts: 0, fromCache: 'hit' }
  }

  async #plain(call: Call, signal: AbortSignal, fetch: Fetch): Promise<Outcome> {
    if (isSafe(call.method)) return { ...(await fetch({}, signal)), fromCache: null }
    const urls = [call.url]
    try {
      const fetched = await fetch({}, signal)
      if (fetched.status >= 400 && fetched.status < 500) urls.length = 0
      else urls.push(...named(call.url, fetched))
      return { ...fetched, fromCache: null }
    } finally {
      // Also without an answer: the origin may have done it (RFC 9111, 4.4, asks for less).
      if (urls.length > 0) await this.#invalidate(urls)
    }
  }

  async #invalidate(urls: readonly URL[]): Promise<void> {
    for (const url of urls) this.#flights.overtake(this.#kept.key(url))
    await this.#kept.forget(urls)
  }

  async #look(
    call: Call,
    flight: Flight,
    fetch: (extra: Record<string, string>) => Promise<Fetched>,
  ): Promise<{ value: Outcome; shareable: boolean }> {
    const kept = await this.#kept.find(call)
    if (!kept) return this.#fresh(call, flight, await fetch({}))
    if (isFresh(this.#Policy, kept.policy, call)) return { value: copyOf(kept, 0), shareable: true }
    const asked = conditions(kept.policy, call)
    let fetched: Fetched
    try {
      fetched = await fetch(asked)
    } catch (error) {
      if (error instanceof OutboundFailure && mayStandIn(kept.policy, call))
        return { value: copyOf(kept, 0), shareable: true }
      throw error
    }
    if (BROKEN.has(fetched.status) && mayStandIn(kept.policy, call))
      return { value: copyOf(kept, fetched.attempts), shareable: true }
    if (fetched.status !== 304) return this.#fresh(call, flight, fetched)
    const { policy, matches } = kept.policy.revalidatedPolicy(judged(call), judgedAnswer(fetched))
    // A 304 for a copy that is not this one: the origin is asked again, without conditions.
    if (!matches) {
      const again = await fetch({})
      return this.#fresh(call, flight, { ...again, attempts: again.attempts + fetched.attempts })
    }
    return this.#revalidated(call, flight, { policy, body: kept.body }, fetched.attempts)
  }

  async #revalidated(call: Call, flight: Flight, kept: Kept, attempts: number) {
    const value: Outcome = { ...copyOf(kept, attempts), fromCache: 'revalidated' }
    return { value, shareable: await this.#keep(call, flight, kept.policy, value) }
  }

  async #fresh(call: Call, flight: Flight, fetched: Fetched) {
    const policy = newPolicy(this.#Policy, call, fetched)
    const value: Outcome = { ...fetched, fromCache: null }
    return { value, shareable: await this.#keep(call, flight, policy, value) }
  }

  /** What an unsafe call overtook is good for those who asked before it, but not kept. */
  async #keep(call: Call, flight: Flight, policy: Policy, value: Outcome): Promise<boolean> {
    if (!flight.mayKeep) return keepFor(policy) > 0 && isFresh(this.#Policy, policy, call)
    const kept = await this.#kept.keep(call, policy, value)
    // Overtaken while it was being kept.
    if (!flight.mayKeep) await this.#kept.forget([call.url])
    // What is only kept to be asked about is not fresh for a second caller.
    return kept && isFresh(this.#Policy, policy, call)
  }
}

function mayAsk(call: Call): boolean {
  if (call.method !== 'GET' || call.body !== undefined) return false
  if (OWN_TERMS.some((name) => name in call.headers)) return false
  return !/no-store/i.test(call.headers['cache-control'] ?? '')
}

function wantsOrigin(call: Call): boolean {
  return (
    /no-cache|max-age/i.test(call.headers['cache-control'] ?? '') ||
    /no-cache/i.test(call.headers.pragma ?? '')
  )
}

function copyOf({ policy, body }: Kept, attempts: number): Outcome {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(policy.responseHeaders()))
    if (typeof value === 'string') headers[name] = value
  return { status: policy.toObject().st, headers, body, attempts, fromCache: 'hit' }
}

/** Other resources of the same origin that an answer to an unsafe call names as changed. */
function named(url: URL, fetched: Fetched): URL[] {
  const names = [fetched.headers.location, fetched.headers['content-location']]
  return names.flatMap((name) => {
    if (!name || !URL.canParse(name, url)) return []
    const other = new URL(name, url)
    other.hash = ''
    return other.origin === url.origin ? [other] : []
  })
}
