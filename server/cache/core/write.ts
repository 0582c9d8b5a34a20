import { checkSize, type Encoded, encode, type TagVersions } from '../codec'
import { heldOf } from '../local/copies'
import type { SetOptions } from '../types'
import type { Levels } from './levels'
import { keepCopy } from './read'

/** A value that is ready to be kept. */
export interface Ready extends Pick<Encoded, 'entry' | 'json'> {
  whole: string
  value: unknown
  tags: TagVersions
  freshUntil: number
  staleUntil: number
}

/** Encodes a value for its key. Throws, or rejects with, BAD_INPUT for one that can't be kept. */
export function prepare(
  { clock, totals, maxValueBytes }: Levels,
  whole: string,
  value: unknown,
  { ttl, stale = 0 }: SetOptions,
  tags: TagVersions,
): Ready | Promise<Ready> {
  const writtenAt = clock.now()
  const freshUntil = Math.round(writtenAt + ttl)
  const facts = { writtenAt, freshUntil, staleUntil: Math.round(freshUntil + stale), tags }
  const ready = ({ entry, rawBytes, compressed, json }: Encoded): Ready => {
    checkSize(whole, entry.length, maxValueBytes)
    totals.rawBytes += rawBytes
    totals.storedBytes += entry.length
    if (compressed) totals.compressedValues++
    return { whole, value, entry, json, tags, freshUntil, staleUntil: facts.staleUntil }
  }
  const encoded = encode(value, facts)
  return encoded instanceof Promise ? encoded.then(ready) : ready(encoded)
}

/** Puts one value into both levels. Never throws: what Redis doesn't take stays in memory. */
export function storeOne(levels: Levels, item: Ready): Promise<unknown> | undefined {
  const { redis, clock } = levels
  prepareLocal(levels, item)
  if (!redis) return undefined
  return redis
    .set(item.whole, item.entry, item.staleUntil - clock.now())
    .then((taken) => taken || standIn(levels, item))
}

/** Puts values into both levels. Never throws: what Redis doesn't take stays in memory. */
export async function store(levels: Levels, items: readonly Ready[]): Promise<void> {
  const { redis, clock } = levels
  for (const item of items) prepareLocal(levels, item)
  if (!redis) return
  const now = clock.now()
  const taken = await redis.mset(
    items.map(({ whole: key, entry, staleUntil }) => ({ key, entry, ttl: staleUntil - now })),
  )
  for (const [at, item] of items.entries()) if (!taken[at]) standIn(levels, item)
}

/** Before Redis is asked: news of a later change by somebody else must find the copy and drop it. */
function prepareLocal(levels: Levels, item: Ready): void {
  if (levels.keepsCopies) levels.recent.note(item.whole)
  if (levels.keepsCopies || !levels.redis) keep(levels, item)
}

/** Redis knows nothing of the value, and so tells nobody when another instance deletes it: the copy only stands in. */
function standIn(levels: Levels, item: Ready): void {
  if (levels.keepsCopies) levels.local.doubt(item.whole)
  else keep(levels, item)
}

function keep(levels: Levels, { whole, value, json, entry, tags, freshUntil, staleUntil }: Ready): void {
  const held = heldOf({ value, json }, () => entry)
  keepCopy(levels, whole, { held, tags, freshUntil, staleUntil, mark: levels.recent.mark() })
}
