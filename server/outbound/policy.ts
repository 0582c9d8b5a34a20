import { createHash } from 'node:crypto'
import CachePolicy from 'http-cache-semantics'
import type { Clock } from '@/server/clock'
import type { Call } from './call'
import type { Received } from './exchange'

export type Policy = CachePolicy
export type PolicyClass = typeof CachePolicy

/** A copy with a validator is kept so much longer than it is fresh, to be asked about. */
const ASKED_ABOUT_MS = 24 * 3_600_000
const LONGEST_MS = 30 * 24 * 3_600_000
/** Nothing is guessed from Last-Modified: only what the origin says makes an answer fresh. */
const OPTIONS = { shared: true, cacheHeuristic: 0 }

/** http-cache-semantics (RFC 9111) with our clock. */
export function policyClass(clock: Clock): PolicyClass {
  return class extends CachePolicy {
    now(): number {
      return clock.now()
    }
  }
}

export function hash(...parts: unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex')
}

/**
 * The request as the policy sees it and the cache keeps it. URL and values of headers may be secrets, so it gets
 * their hashes; it compares them for equality alone. What caching itself reads stays plain.
 */
export function judged(call: Call): CachePolicy.HttpRequest {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(call.headers))
    headers[name] = name === 'cache-control' ? value.toLowerCase() : name === 'pragma' ? value : hash(value)
  return { url: hash(call.url.href), method: call.method, headers }
}

/** The answer as the policy sees it: directives have no case (RFC 9111, 5.2), and it knows lower case alone. */
export function judgedAnswer(received: Received): CachePolicy.HttpResponse {
  const headers = { ...received.headers }
  if (headers['cache-control']) headers['cache-control'] = headers['cache-control'].toLowerCase()
  return { status: received.status, headers }
}

export function newPolicy(Policy: PolicyClass, call: Call, received: Received): Policy {
  return new Policy(judged(call), judgedAnswer(received), OPTIONS)
}

/** Milliseconds to keep an answer; 0 when it must not or need not be kept. */
export function keepFor(policy: Policy): number {
  const { resh, rescc } = policy.toObject()
  if (!policy.storable() || varyNames(policy).includes('*')) return 0
  // Cookies are for one caller, and this cache is for all.
  if (resh['set-cookie'] && !rescc.public) return 0
  const validator = resh.etag || resh['last-modified'] ? ASKED_ABOUT_MS : 0
  return Math.min(LONGEST_MS, policy.timeToLive() + validator)
}

/** Lower-case names of the request headers that the answer depends on, in order. */
export function varyNames(policy: Policy): string[] {
  const names = String(policy.toObject().resh.vary ?? '')
    .toLowerCase()
    .split(',')
  return [...new Set(names.map((name) => name.trim()).filter(Boolean))].sort()
}

/**
 * Whether the copy may be used as it is. A stale one never is, though the caller would take it; so must-revalidate,
 * for which http-cache-semantics asks the origin each time, says nothing about a fresh one (RFC 9111, 5.2.2.2).
 */
export function isFresh(Policy: PolicyClass, policy: Policy, call: Call): boolean {
  const { rescc, ...rest } = policy.toObject()
  const { 'must-revalidate': strict, ...others } = rescc
  // Both allow that an answer to an authorized request is kept.
  const eased = strict ? Policy.fromObject({ ...rest, rescc: { ...others, public: '1' } }) : policy
  return !eased.stale() && eased.satisfiesWithoutRevalidation(judged(call))
}

/** Headers that ask whether the copy still holds; none when it has no validator. */
export function conditions(policy: Policy, call: Call): Record<string, string> {
  const headers = policy.revalidationHeaders(judged(call))
  const found: Record<string, string> = {}
  for (const name of ['if-none-match', 'if-modified-since'])
    if (typeof headers[name] === 'string') found[name] = headers[name]
  return found
}

/** Directives that forbid a stale answer whatever happens (RFC 9111, 4.2.4; s-maxage by 5.2.2.10). */
const STRICT = ['must-revalidate', 'proxy-revalidate', 's-maxage', 'no-cache']

/** Whether a copy may stand in for an origin that failed (RFC 5861, 4). */
export function mayStandIn(policy: Policy, call: Call): boolean {
  const { rescc } = policy.toObject()
  const seconds = Number.parseInt(String(rescc['stale-if-error'] ?? ''), 10)
  if (!(seconds > 0) || STRICT.some((name) => rescc[name] !== undefined)) return false
  if (/no-cache|no-store|max-age|min-fresh/.test(call.headers['cache-control']?.toLowerCase() ?? ''))
    return false
  if (/no-cache/i.test(call.headers.pragma ?? '')) return false
  return policy.age() < policy.maxAge() + seconds
}
