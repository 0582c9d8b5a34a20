import { createHash } from 'node:crypto'
import { toTagged } from '../codec/tagged'
import type { CacheSpace, SetOptions } from '../types'
import type { Computing } from './computing'
import type { Counts } from './counts'
import { checkKey, checkTimes, lockKey } from './keys'
import type { Levels } from './levels'
import { type Found, find, findMany } from './read'
import { invalidateTags, tagVersions } from './tags'
import { Turns } from './turns'
import { prepare, store, storeOne } from './write'

/** One local hit in so many is timed: reading the clock twice costs as much as the hit. */
const TIMED = 16
/** Longest arguments of a wrapped function that stand in its key as they are. */
const LONGEST_ARGUMENTS = 120

/** Opens one namespace over the levels of its cache. */
export function openSpace(
  levels: Levels,
  computing: Computing,
  namespace: string,
  counts: Counts,
): CacheSpace {
  const turns = new Turns()
  const wholeOf = (key: string) => `${namespace}:${key}`
  let asked = 0

  function count(found: Found, staleCounts: boolean): void {
    if (found.kind === 'miss') counts.misses[found.reason]++
    else if (found.kind === 'stale' && !staleCounts) counts.misses.expired++
    else {
      counts.hits++
      if (found.from !== 'redis') counts.localHits++
      if (found.kind === 'stale') counts.staleHits++
    }
  }

  function take<T>(found: Found): T | undefined {
    count(found, false)
    return found.kind === 'fresh' ? (found.value as T) : undefined
  }

  function get<T>(key: string): Promise<T | undefined> {
    if (asked++ % TIMED !== 0) {
      const found = find(levels, namespace, wholeOf(key))
      return found instanceof Promise ? found.then<T | undefined>(take) : Promise.resolve(take<T>(found))
    }
    return timedGet(key)
  }

  async function timedGet<T>(key: string): Promise<T | undefined> {
    const begun = performance.now()
    const found = await find(levels, namespace, wholeOf(key))
    if (found.kind !== 'miss' && found.from === 'local') {
      levels.totals.localTime.record(performance.now() - begun)
    }
    return take(found)
  }

  async function set(key: string, value: unknown, options: SetOptions): Promise<void> {
    if (options.tags) return mset([{ key, value }], options)
    checkTimes(options)
    checkKey(key)
    const whole = wholeOf(key)
    const ready = prepare(levels, whole, value, options, [])
    counts.sets++
    const item = ready instanceof Promise ? await turns.wait(whole, ready) : ready
    if (!item) return
    turns.overtake(whole)
    computing.overtake(whole)
    await storeOne(levels, item)
  }

  async function mset(items: readonly { key: string; value: unknown }[], options: SetOptions): Promise<void> {
    checkTimes(options)
    for (const { key } of items) checkKey(key)
    for (const tag of options.tags ?? []) checkKey(tag, 'tag')
    const tags = options.tags ? await tagVersions(levels, namespace, options.tags) : []
    const made = items.map(({ key, value }) => {
      const whole = wholeOf(key)
      const item = prepare(levels, whole, value, options, tags)
      return item instanceof Promise ? turns.wait(whole, item) : item
    })
    const ready = (await Promise.all(made)).filter((item) => item !== undefined)
    counts.sets += items.length
    for (const { whole } of ready) {
      computing.overtake(whole)
      turns.overtake(whole)
    }
    await store(levels, ready)
  }

  async function getOrSet<T>(key: string, options: SetOptions, compute: () => Promise<T>): Promise<T> {
    checkKey(key)
    checkTimes(options)
    for (const tag of options.tags ?? []) checkKey(tag, 'tag')
    const whole = wholeOf(key)
    const found = await find(levels, namespace, whole)
    count(found, true)
    if (found.kind === 'fresh') return found.value as T
    const computation = { namespace, whole, options, compute, counts }
    if (found.kind === 'stale') {
      computing.refresh(computation)
      return found.value as T
    }
    return (await computing.run(computation)) as T
  }

  return {
    get,
    async mget<T>(keys: readonly string[]) {
      const found = await findMany(levels, namespace, keys.map(wholeOf))
      return found.map<T | undefined>(take)
    },
    set,
    mset,
    async delete(...keys) {
      const wholes = keys.map(wholeOf)
      counts.deletes += wholes.length
      for (const whole of wholes) {
        levels.recent.note(whole)
        levels.local.delete(whole)
        computing.overtake(whole)
        turns.overtake(whole)
      }
      await levels.redis?.delete(wholes.flatMap((whole) => [whole, lockKey(levels.prefix, whole)]))
    },
    async invalidate(...tags) {
      for (const tag of tags) checkKey(tag, 'tag')
      await invalidateTags(levels, namespace, tags)
    },
    getOrSet,
    wrap:
      (name, options, work) =>
      (...args) =>
        getOrSet(`${name}(${argumentsKey(args)})`, options, () => work(...args)),
  }
}

/** The same arguments make the same key, whatever order the fields of an object have. */
function argumentsKey(args: readonly unknown[]): string {
  const text = JSON.stringify(args.map(toTagged), (_, value) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  ).slice(1, -1)
  return text.length <= LONGEST_ARGUMENTS && !text.includes('\u007f')
    ? text
    : createHash('sha256').update(text).digest('base64url')
}
