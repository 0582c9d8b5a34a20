import type { Call } from './call'
import { pause } from './deadline'
import type { Received } from './exchange'
import { OutboundFailure } from './failure'
import type { Origin } from './origin'

export interface Fetched extends Received {
  attempts: number
}

const BASE_MS = 100
const LONGEST_MS = 5_000
const AGAIN = new Set([429, 502, 503, 504])

/**
 * Asks the origin, again where that may help: calls that may be sent twice, within the retries, the budget and the
 * deadline (`end`, by performance.now()). Waits between tries are exponential with full jitter
 * (aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter). Answers or throws what came last.
 */
export async function fetchWithRetries(
  origin: Origin,
  call: Call,
  signal: AbortSignal,
  end: number,
): Promise<Fetched> {
  origin.budget.earn()
  for (let attempt = 1; ; attempt++) {
    const last = await origin.ask(call, signal).catch(failed)
    const wait = 'status' in last ? waitAfter(last, attempt) : last.again ? backoff(attempt) : null
    if (wait !== null && mayRetry(origin, call, attempt, performance.now() + wait < end)) {
      await pause(wait, signal)
      continue
    }
    if ('status' in last) return { ...last, attempts: attempt }
    throw last
  }
}

function failed(error: unknown): OutboundFailure {
  if (error instanceof OutboundFailure) return error
  throw error
}

/** Milliseconds until an answered request may be sent again; null when it needs not. */
function waitAfter(answer: Received, attempt: number): number | null {
  if (!AGAIN.has(answer.status)) return null
  return Math.max(backoff(attempt), retryAfter(answer.headers['retry-after']))
}

function mayRetry(origin: Origin, call: Call, attempt: number, inTime: boolean): boolean {
  if (!call.idempotent || attempt > origin.limits.retries || !inTime) return false
  if (origin.breaker.pause() !== null) return false
  if (origin.budget.spend()) {
    origin.counters.retries++
    return true
  }
  origin.counters.retriesDenied++
  return false
}

function backoff(attempt: number): number {
  return Math.random() * Math.min(LONGEST_MS, BASE_MS * 2 ** (attempt - 1))
}

/** Milliseconds that Retry-After asks for: seconds, or a date (RFC 9110, 10.2.3). */
function retryAfter(value: string | undefined): number {
  if (!value) return 0
  if (/^\d+$/.test(value)) return Number(value) * 1_000
  const date = Date.parse(value)
  return Number.isNaN(date) ? 0 : Math.max(0, date - Date.now())
}
