import type { RedisControl } from '../redis/types'
import { forbiddenCommand, numberOf, sure, textOf, type Word } from './asking'
import { keyText } from './names'
import type { KeyFacts } from './types'
import { askForKeys } from './walk'

const TYPES = ['string', 'hash', 'list', 'set', 'zset', 'stream'] as const

/** Keys of one node that are asked about in one go. */
const CHUNK = 200

/**
 * What a list tells of keys, in their order; undefined for those that have gone. Redis' memory is counted from
 * `samples` elements of each. Throws CACHE_UNAVAILABLE when the node doesn't answer or TYPE is forbidden.
 */
export async function factsOf(
  control: RedisControl,
  { address, prefix }: { address: string; prefix: Buffer },
  keys: Buffer[],
): Promise<(KeyFacts | undefined)[]> {
  const facts: (KeyFacts | undefined)[] = []
  for (let from = 0; from < keys.length; from += CHUNK) {
    const chunk = keys.slice(from, from + CHUNK)
    const commands = chunk.flatMap((key): Word[][] => [
      ['TYPE', key],
      ['PTTL', key],
      ['MEMORY', 'USAGE', key, 'SAMPLES', 5],
    ])
    const answers = await askForKeys(control, address, commands)
    for (const [index, key] of chunk.entries()) {
      const [type, ttl, bytes] = answers.slice(index * 3, index * 3 + 3)
      facts.push(readFacts({ key, prefix, type, ttl, bytes }))
    }
  }
  return facts
}

interface Answers {
  key: Buffer
  prefix: Buffer
  type: unknown
  ttl: unknown
  bytes: unknown
}

/** Undefined when the key has gone; `other` for one that the user may not look at. */
export function readFacts({ key, prefix, type, ttl, bytes }: Answers): KeyFacts | undefined {
  if (forbiddenCommand(type)) sure(type, 'TYPE')
  const kind = textOf(type)
  if (kind === 'none') return undefined
  const left = numberOf(ttl)
  if (left === -2) return undefined
  return {
    key: keyText(key),
    name: nameOf(key, prefix),
    type: TYPES.find((known) => known === kind) ?? 'other',
    ttl: left !== null && left >= 0 ? left : null,
    bytes: numberOf(bytes),
  }
}

/** Whether a key belongs to this cache. */
export function isOurs(key: Buffer, prefix: Buffer): boolean {
  return key.length > prefix.length && key.subarray(0, prefix.length).equals(prefix)
}

/** The namespace of a key of ours: up to the first colon behind the prefix; null without one. */
export function namespaceOf(key: Buffer, prefix: Buffer): string | null {
  const colon = key.indexOf(':', prefix.length)
  return colon < 0 ? null : keyText(key.subarray(prefix.length, colon))
}

function nameOf(key: Buffer, prefix: Buffer): string {
  if (!isOurs(key, prefix)) return keyText(key)
  const colon = key.indexOf(':', prefix.length)
  return keyText(key.subarray(colon < 0 ? prefix.length : colon + 1))
}
