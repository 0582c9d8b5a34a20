import { isIPv6 } from 'node:net'
import { eq } from 'drizzle-orm'
import { q, type Tx, unit, type Work } from '@/db/unit'
import { HoldfastError } from '@/server/errors'
import type { Vault } from '@/server/vault'

export interface AttemptLimits {
  /** Attempts in one window; the last of them begins a block, unless it succeeds. */
  most: number
  windowMs: number
  /** The longest block. The first takes a minute, and each that follows twice as long. */
  blockMs: number
}

export type Claim =
  /** `lockedUntil`: the attempt is the last one before a block that lasts until then; forgetting lifts it. */
  { allowed: true; lockedUntil: number | null } | { allowed: false; retryAfterMs: number }

const firstBlockMs = 60_000

/**
 * Counts an attempt before its proof is checked, so that of any number at once no more than `most` get through.
 * A refused one counts nothing. Claim several keys of one unit in the same order everywhere: each row is locked.
 */
export function* claimAttempt(
  tx: Tx,
  { key, limits, now }: { key: string; limits: AttemptLimits; now: number },
): Work<Claim> {
  const { attemptCounters: counters } = tx.tables
  // The update changes nothing: it locks the row, also against one who forgets it at the same time.
  const [counter] = yield* q(
    tx.db
      .insert(counters)
      .values({ key, attempts: 0, windowStart: now, level: 0, updatedAt: now })
      .onConflictDoUpdate({ target: counters.key, set: { key } })
      .returning(),
  )
  if (!counter) throw new Error('An attempt could not be counted.')
  const { blockedUntil } = counter
  if (blockedUntil !== null && blockedUntil > now) {
    return { allowed: false, retryAfterMs: blockedUntil - now }
  }
  const fresh = blockedUntil !== null || counter.windowStart + limits.windowMs <= now
  const attempts = fresh ? 1 : counter.attempts + 1
  const level = calm(counter, limits, now) ? 0 : counter.level
  const last = attempts >= limits.most
  const lockedUntil = last ? now + Math.min(firstBlockMs * 2 ** level, limits.blockMs) : null
  const values = {
    attempts,
    windowStart: fresh ? now : counter.windowStart,
    level: last ? Math.min(level + 1, 30) : level,
    blockedUntil: lockedUntil,
    updatedAt: now,
  }
  yield* q(tx.db.update(counters).set(values).where(eq(counters.key, key)))
  return { allowed: true, lockedUntil }
}

/** Claims an attempt that cannot go on without. Answers until when its key is locked if it fails. Throws TOO_MANY_REQUESTS. */
export function* requireAttempt(
  tx: Tx,
  attempt: { key: string; limits: AttemptLimits; now: number },
): Work<number | null> {
  const claim = yield* claimAttempt(tx, attempt)
  if (!claim.allowed) throw tooMany(claim.retryAfterMs)
  return claim.lockedUntil
}

/** The same as a unit of its own. */
export const claimOne = unit('attempts.claim', requireAttempt)

/** What guesses at a signed-in user's password count under, whatever it is asked for. */
export const passwordKey = (userId: string) => `password|${userId}`

/** What the wrong codes of a user's app count under. */
export const factorKey = (userId: string) => `factor|${userId}`

/** Whether the last block is so long over that the next one is short again. */
function calm(
  { blockedUntil, updatedAt }: { blockedUntil: number | null; updatedAt: number },
  { windowMs, blockMs }: AttemptLimits,
  now: number,
): boolean {
  return now - Math.max(blockedUntil ?? 0, updatedAt) >= Math.max(windowMs, blockMs)
}

/** Forgets counters after a success, with the blocks that they began. Keys in the order in which they are claimed. */
export function* forgetAttempts(tx: Tx, keys: string[]): Work<void> {
  const { attemptCounters: counters } = tx.tables
  for (const key of keys) yield* q(tx.db.delete(counters).where(eq(counters.key, key)))
}

/** What somebody gets who must wait, whether the account exists or not. */
const tooMany = (retryAfterMs: number) =>
  new HoldfastError('TOO_MANY_REQUESTS', {
    message: 'There were too many attempts.',
    remedy: 'Wait, then try again.',
    retryAfterMs,
  })

/** What the attempts of one sign-in count under. */
export interface AttemptKeys {
  /** The account from one address, or from one IPv6 network. */
  pair: string
  /** The account from everywhere. */
  account: string
}

/** Keys that name nobody: an e-mail address is known again by its HMAC alone. `email` is plain (lower case). */
export function attemptKeys(
  { vault }: { vault: Vault },
  { email, address }: { email: string; address: string | null },
): AttemptKeys {
  const account = vault.mac('attempts', email).toString('base64url')
  return { pair: `pair|${account}|${networkOf(address ?? 'unknown')}`, account: `account|${account}` }
}

/** An IPv4 address as it is; of an IPv6 address its /64, since one client has all of it. */
export function networkOf(address: string): string {
  if (!isIPv6(address)) return address
  const [head = [], tail = []] = address.split('::').map((part) => (part === '' ? [] : part.split(':')))
  const dotted = tail.at(-1)?.includes('.') ? 1 : 0
  const zeros = Array<string>(Math.max(0, 8 - head.length - tail.length - dotted)).fill('0')
  const groups = [...head, ...zeros, ...tail]
  const network = groups.slice(0, 4).map((group) => (Number.parseInt(group, 16) || 0).toString(16))
  return `${network.join(':')}::/64`
}
