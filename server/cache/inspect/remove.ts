import { isUtf8 } from 'node:buffer'
import type { Clock } from '@/server/clock'
import { HoldfastError, isHoldfastError } from '@/server/errors'
import type { RedisControl } from '../redis/types'
import { ask, numberOf, type Word } from './asking'
import { isOurs } from './facts'
import { escapeGlob, globBytes, keyBytes, keyText } from './names'
import type { ClearTarget, KeyScope, MatchCount } from './types'
import { allSure, askForKeys, mastersOf, sizesOf, walkAll } from './walk'

export interface RemoveDeps {
  control: RedisControl
  prefix: Buffer
  /** Told of keys of ours, without the prefix, that were deleted or changed; null for all of them. */
  forget: (keys: readonly string[] | null) => Promise<void>
}

/** Keys that one question deletes. */
const CHUNK = 500
const EXAMPLES = 20
/** Matching keys that are told apart; SCAN may answer one twice, above this it would be counted twice. */
const DISTINCT = 2_000_000

/** Counts the keys that a pattern matches by a walk over all masters. Throws BAD_INPUT, CACHE_UNAVAILABLE. */
export async function countMatches(
  { control, clock, prefix }: { control: RedisControl; clock: Clock; prefix: Buffer },
  pattern: { scope: KeyScope; pattern: string },
): Promise<MatchCount> {
  const seen = new Set<string>()
  const examples: string[] = []
  let matched = 0
  await walkAll(control, globOf(pattern, prefix), async (_, keys) => {
    for (const key of keys) {
      const id = key.toString('latin1')
      if (seen.has(id)) continue
      if (seen.size < DISTINCT) seen.add(id)
      matched++
      if (examples.length < EXAMPLES) examples.push(keyText(key))
    }
  })
  const sizes = await sizesOf(control, await mastersOf(control))
  const scanned = [...sizes.values()].reduce((sum, size) => sum + size, 0)
  return { matched, scanned: Math.max(scanned, matched), examples: examples.sort(), at: clock.now() }
}

/** Deletes what a pattern matches; answers how many keys that were. Throws BAD_INPUT, CACHE_UNAVAILABLE. */
export async function removeMatches(
  deps: RemoveDeps,
  pattern: { scope: KeyScope; pattern: string },
): Promise<number> {
  return await removeGlob(deps, globOf(pattern, deps.prefix))
}

/** Deletes single keys; answers how many were there. Throws CACHE_UNAVAILABLE. */
export async function removeKeys(deps: RemoveDeps, keys: readonly string[]): Promise<number> {
  const byMaster = new Map<string, Buffer[]>()
  for (const text of new Set(keys)) {
    const key = keyBytes(text)
    const address = await deps.control.masterOf(key)
    byMaster.set(address, [...(byMaster.get(address) ?? []), key])
  }
  const tally = { deleted: 0 }
  const asked = await Promise.allSettled(
    [...byMaster].map(([address, own]) => unlink(deps, address, own, tally)),
  )
  const failed = asked.find((answer) => answer.status === 'rejected')
  if (failed) throw withCount(failed.reason, tally.deleted)
  return tally.deleted
}

/**
 * Deletes all of ours, one namespace, or everything on every master (in the database of this cache, where a server
 * has several). Answers how many keys that were. Throws CACHE_UNAVAILABLE.
 */
export async function clear(deps: RemoveDeps, what: ClearTarget): Promise<number> {
  const { prefix } = deps
  const within =
    what.scope === 'namespace' ? Buffer.concat([prefix, Buffer.from(`${what.namespace}:`)]) : prefix
  const glob = what.scope === 'all' ? Buffer.from('*') : Buffer.concat([escapeGlob(within), Buffer.from('*')])
  try {
    return await removeGlob({ ...deps, forget: async () => undefined }, glob)
  } finally {
    // Even after a failure: what was deleted by then must not be answered from memory.
    await deps.forget(null)
  }
}

/** Gives a key `ttl` milliseconds to live; null: for ever. Throws NOT_FOUND, BAD_INPUT, CACHE_UNAVAILABLE. */
export async function expire(deps: RemoveDeps, text: string, ttl: number | null): Promise<void> {
  if (ttl !== null && !(Number.isSafeInteger(ttl) && ttl > 0)) {
    throw new HoldfastError('BAD_INPUT', 'A key lives for a whole number of milliseconds above zero.')
  }
  const key = keyBytes(text)
  const address = await deps.control.masterOf(key)
  const change: Word[] = ttl === null ? ['PERSIST', key] : ['PEXPIRE', key, ttl]
  const [changed] = allSure(await askForKeys(deps.control, address, [change]), String(change[0]))
  if (numberOf(changed) !== 1) {
    const there = numberOf(await ask(deps.control, address, 'EXISTS', key)) === 1
    // PERSIST also answers 0 for a key that lives for ever already.
    if (!there || ttl !== null) throw new HoldfastError('NOT_FOUND', 'This key has gone.')
  }
  await forgetOurs(deps, [key])
}

async function removeGlob(deps: RemoveDeps, glob: Buffer): Promise<number> {
  const tally = { deleted: 0 }
  try {
    await walkAll(deps.control, glob, (address, keys) => unlink(deps, address, keys, tally))
  } catch (error) {
    throw withCount(error, tally.deleted)
  }
  return tally.deleted
}

/** One UNLINK a key: no command reaches over slots, and a pipeline takes them all at once. Counts also up to a failure. */
async function unlink(
  deps: RemoveDeps,
  address: string,
  keys: Buffer[],
  tally: { deleted: number },
): Promise<void> {
  for (let from = 0; from < keys.length; from += CHUNK) {
    const chunk = keys.slice(from, from + CHUNK)
    try {
      const commands = chunk.map((key): Word[] => ['UNLINK', key])
      const answers = await askForKeys(deps.control, address, commands)
      for (const answer of answers) tally.deleted += numberOf(answer) ?? 0
      allSure(answers, 'UNLINK')
    } finally {
      // Also when the answer was lost: the keys may be gone.
      await forgetOurs(deps, chunk)
    }
  }
}

/** The failure, with what had been deleted before it. */
function withCount(error: unknown, deleted: number): unknown {
  if (deleted === 0 || !isHoldfastError(error)) return error
  const { code, message, remedy } = error
  const told = `${message} At least ${deleted} ${deleted === 1 ? 'key was' : 'keys were'} deleted by then.`
  return new HoldfastError(
    code,
    { message: told, ...(remedy ? { remedy } : {}), details: { deleted } },
    { cause: error },
  )
}

async function forgetOurs({ prefix, forget }: RemoveDeps, keys: Buffer[]): Promise<void> {
  const ours = keys
    .filter((key) => isOurs(key, prefix) && isUtf8(key))
    .map((key) => key.toString('utf8', prefix.length))
  if (ours.length > 0) await forget(ours)
}

function globOf({ scope, pattern }: { scope: KeyScope; pattern: string }, prefix: Buffer): Buffer {
  if (pattern === '') throw new HoldfastError('BAD_INPUT', 'Enter a pattern; * stands for everything.')
  const glob = globBytes(pattern)
  return scope === 'all' ? glob : Buffer.concat([escapeGlob(prefix), glob])
}
