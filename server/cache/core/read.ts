import { decode, decodeTogether, decodeUsual, readHead, UNUSUAL } from '../codec'
import { freshValue, heldOf } from '../local/copies'
import type { Copy } from '../local/level'
import type { RedisLevel } from '../redis/types'
import type { MissReason } from '../types'
import type { Levels } from './levels'
import { tagsHold } from './tags'

export type Found =
  | { kind: 'fresh' | 'stale'; value: unknown; from: 'local' | 'redis' | 'fallback' }
  | { kind: 'miss'; reason: MissReason }

const ABSENT: Found = { kind: 'miss', reason: 'absent' }
const UNREADABLE: Found = { kind: 'miss', reason: 'unreadable' }
const INVALIDATED: Found = { kind: 'miss', reason: 'invalidated' }
const EXPIRED: Found = { kind: 'miss', reason: 'expired' }
const UNAVAILABLE: Found = { kind: 'miss', reason: 'unavailable' }

/**
 * What the local level answers on its own; undefined where Redis must be asked. Without a promise where nothing has to
 * be waited for: a local hit is a thousand times quicker than one of Redis.
 */
export function findLocally(
  levels: Levels,
  namespace: string,
  whole: string,
): Promise<Found> | Found | undefined {
  if (!levels.localServes()) return undefined
  const copy = levels.local.get(whole)
  if (!copy) return levels.redis ? undefined : ABSENT
  if (levels.redis && (levels.recent.lostSince(copy.mark) || copy.freshUntil <= levels.clock.now())) {
    return undefined
  }
  return fromCopy(levels, namespace, copy, 'local')
}

/** The value of a key, wherever it stands. Never throws. */
export function find(levels: Levels, namespace: string, whole: string): Promise<Found> | Found {
  const locally = findLocally(levels, namespace, whole)
  if (locally) return locally
  const mark = levels.recent.mark()
  // Only a cache with Redis leaves a question open.
  return (levels.redis as RedisLevel)
    .get(whole)
    .then((answer) => judge(levels, namespace, whole, mark, answer))
}

/** The same for several keys with one question to each node. */
export async function findMany(
  levels: Levels,
  namespace: string,
  wholes: readonly string[],
): Promise<Found[]> {
  const { redis, recent } = levels
  const found = new Array<Promise<Found> | Found | undefined>(wholes.length)
  let asked = wholes
  if (levels.localServes()) {
    for (const [at, whole] of wholes.entries()) found[at] = findLocally(levels, namespace, whole)
    asked = wholes.filter((_, at) => found[at] === undefined)
  }
  let waits = false
  if (redis && asked.length > 0) {
    const mark = recent.mark()
    const answers = await redis.mget(asked)
    // Who keeps copies needs more than the values.
    const values = levels.keepsCopies ? undefined : decodeTogether(answers)
    for (let at = 0, next = 0; at < wholes.length; at++) {
      if (found[at] !== undefined) continue
      const value = values ? values[next] : UNUSUAL
      const answer = answers[next++]
      found[at] =
        value === UNUSUAL
          ? judge(levels, namespace, wholes[at] as string, mark, answer)
          : { kind: 'fresh', value, from: 'redis' }
    }
  }
  for (const each of found) if (each instanceof Promise) waits = true
  return waits ? Promise.all(found as Found[]) : (found as Found[])
}

/** What an answer of Redis is worth; without a promise where nothing more has to be asked. */
function judge(
  levels: Levels,
  namespace: string,
  whole: string,
  mark: number,
  answer: Buffer | null | undefined,
): Found | Promise<Found> {
  const { local, recent, clock, totals } = levels
  if (answer === undefined) {
    totals.fallbacks++
    // One late answer of a Redis that is in use: others may have changed there what this process has a copy of.
    const copy = levels.redis?.state === 'redis' ? undefined : local.get(whole)
    return copy ? fromCopy(levels, namespace, copy, 'fallback') : UNAVAILABLE
  }
  if (answer === null) {
    if (levels.keepsCopies) local.delete(whole)
    return ABSENT
  }
  if (!levels.keepsCopies) {
    const value = decodeUsual(answer)
    if (value !== UNUSUAL) return { kind: 'fresh', value, from: 'redis' }
  }
  const head = readHead(answer)
  if (!head) return UNREADABLE
  const now = clock.now()
  // Without a time for stale values Redis alone judges: clocks of two machines differ.
  const expires = head.staleUntil > head.freshUntil
  if (expires && head.staleUntil <= now) return EXPIRED
  const kind = expires && head.freshUntil <= now ? 'stale' : 'fresh'
  const finish = (decoded: { value: unknown; json?: string } | undefined): Found => {
    if (!decoded) return UNREADABLE
    if (levels.keepsCopies && !recent.changedSince(whole, mark)) {
      const { tags, freshUntil, staleUntil } = head
      // The answer is a part of a larger buffer of the connection.
      const held = heldOf(decoded, () => Buffer.from(answer))
      keepCopy(levels, whole, { held, tags, freshUntil, staleUntil, mark: recent.mark() })
    }
    return { kind, value: decoded.value, from: 'redis' }
  }
  if (head.tags.length > 0) {
    return tagsHold(levels, namespace, head.tags).then(async (hold) =>
      hold ? finish(await decode(answer, head)) : INVALIDATED,
    )
  }
  const decoded = decode(answer, head)
  return decoded instanceof Promise ? decoded.then(finish) : finish(decoded)
}

/** Keeps a copy for as long as the value lives, and no longer than copies do where Redis has the value. */
export function keepCopy(levels: Levels, whole: string, copy: Copy): void {
  const { local, redis, clock, localTtl } = levels
  const until = redis ? Math.min(copy.staleUntil, clock.now() + localTtl) : copy.staleUntil
  local.set(whole, copy, until)
}

function fromCopy(
  levels: Levels,
  namespace: string,
  copy: Copy,
  from: 'local' | 'fallback',
): Promise<Found> | Found {
  if (copy.tags.length > 0) {
    return tagsHold(levels, namespace, copy.tags).then((hold) =>
      hold ? valueOfCopy(levels, copy, from) : INVALIDATED,
    )
  }
  return valueOfCopy(levels, copy, from)
}

function valueOfCopy({ clock }: Levels, copy: Copy, from: 'local' | 'fallback'): Promise<Found> | Found {
  const kind = copy.freshUntil > clock.now() ? 'fresh' : 'stale'
  const finish = (decoded: { value: unknown } | undefined): Found =>
    decoded ? { kind, value: decoded.value, from } : UNREADABLE
  const decoded = freshValue(copy.held)
  return decoded instanceof Promise ? decoded.then(finish) : finish(decoded)
}
