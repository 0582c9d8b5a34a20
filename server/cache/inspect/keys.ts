import type { Clock } from '@/server/clock'
import { HoldfastError } from '@/server/errors'
import type { RedisControl } from '../redis/types'
import { factsOf } from './facts'
import { escapeGlob, globBytes, keyBytes, keyText } from './names'
import type { KeyFacts, KeyFolder, KeyPage, KeyQuery } from './types'
import { mastersOf, scan, sizesOf } from './walk'

/** A page ends by the first of these. */
const MILLISECONDS = 250
const KEYS_LOOKED_AT = 5_000
const KEYS_LISTED = 100

/** Steps of SCAN: large only after one that brought nothing to list, so that a page stays below 200 keys. */
const SMALL_STEP = 100
const LARGE_STEP = 500

interface Cursor {
  address: string
  cursor: string
  /** Keys looked at in masters before this one, and in this one. */
  before: number
  here: number
}

/**
 * One page of a folder of the tree, by SCAN over one master after the other. Folders are counted in this page alone.
 * A key may come again on a later page, as SCAN may answer one twice. Throws BAD_INPUT for a cursor that isn't one of
 * ours, or whose node is no primary any more, and for a folder outside of the scope; CACHE_UNAVAILABLE.
 */
export async function readKeys(
  { control, clock, prefix }: { control: RedisControl; clock: Clock; prefix: Buffer },
  query: KeyQuery,
): Promise<KeyPage> {
  const folder = openFolder(query, prefix)
  const glob = Buffer.concat([escapeGlob(folder), globBytes(query.match || '*')])
  const masters = await mastersOf(control)
  const from = query.cursor ? readCursor(query.cursor) : undefined
  if (from && !masters.includes(from.address)) {
    throw badCursor('The node that this list had come to is no primary any more.')
  }
  const sizes = await sizesOf(control, masters)
  const total = [...sizes.values()].reduce((sum, size) => sum + size, 0)

  const listing = new Listing(folder)
  const deadline = performance.now() + MILLISECONDS
  let at: Cursor | null = from ?? start(masters, 0, 0)
  let step = SMALL_STEP
  let looked = 0
  while (at) {
    const found = await scan(control, at, { glob, count: step })
    const size = sizes.get(at.address) ?? 0
    // SCAN doesn't tell how many keys it passed over: about as many as it was asked for.
    const passed = Math.max(found.keys.length, Math.min(step, Math.max(size - at.here, 0)))
    looked += passed
    const listed = listing.add(at.address, found.keys)
    step = listed === 0 && found.cursor !== '0' ? LARGE_STEP : SMALL_STEP
    at =
      found.cursor === '0'
        ? start(masters, masters.indexOf(at.address) + 1, at.before + size)
        : { ...at, cursor: found.cursor, here: at.here + passed }
    if (listing.size >= KEYS_LISTED || looked >= KEYS_LOOKED_AT || performance.now() > deadline) break
  }

  const scanned = at ? Math.min(at.before + at.here, total) : total
  return {
    folders: listing.folders(),
    keys: await listing.facts(control, prefix),
    scanned,
    total,
    cursor: at && writeCursor(at),
    at: clock.now(),
  }
}

/** What one page holds of a folder. */
class Listing {
  readonly #folder: Buffer
  readonly #folders = new Map<string, { prefix: string; name: string; keys: number }>()
  readonly #keys = new Map<string, Map<string, Buffer>>()
  readonly #seen = new Set<string>()
  size = 0

  constructor(folder: Buffer) {
    this.#folder = folder
  }

  /** Answers how many keys of these are listed themselves, not in a folder. */
  add(address: string, keys: Buffer[]): number {
    const before = this.size
    for (const key of keys) {
      const id = key.toString('latin1')
      if (this.#seen.has(id)) continue
      this.#seen.add(id)
      const colon = key.indexOf(':', this.#folder.length)
      if (colon >= 0) this.#count(key.subarray(0, colon + 1))
      else this.#list(address, id, key)
    }
    return this.size - before
  }

  folders(): KeyFolder[] {
    return [...this.#folders.values()].sort((a, b) => compare(a.prefix, b.prefix))
  }

  async facts(control: RedisControl, prefix: Buffer): Promise<KeyFacts[]> {
    const nodes = await Promise.all(
      [...this.#keys].map(([address, keys]) => factsOf(control, { address, prefix }, [...keys.values()])),
    )
    return nodes
      .flat()
      .filter((facts) => facts !== undefined)
      .sort((a, b) => compare(a.key, b.key))
  }

  #count(prefix: Buffer): void {
    const id = prefix.toString('latin1')
    const known = this.#folders.get(id)
    if (known) known.keys++
    else {
      const name = keyText(prefix.subarray(this.#folder.length, -1))
      this.#folders.set(id, { prefix: keyText(prefix), name, keys: 1 })
    }
  }

  #list(address: string, id: string, key: Buffer): void {
    const keys = this.#keys.get(address) ?? new Map<string, Buffer>()
    this.#keys.set(address, keys.set(id, key))
    this.size++
  }
}

function openFolder(query: KeyQuery, prefix: Buffer): Buffer {
  const folder = keyBytes(query.prefix)
  if (query.scope === 'all') return folder
  if (folder.length === 0) return prefix
  if (folder.subarray(0, prefix.length).equals(prefix)) return folder
  throw new HoldfastError('BAD_INPUT', {
    message: `Keys of this cache begin with ${keyText(prefix)}.`,
    remedy: 'Look at all keys to see others.',
  })
}

function start(masters: string[], index: number, before: number): Cursor | null {
  const address = masters[index]
  return address === undefined ? null : { address, cursor: '0', before, here: 0 }
}

function writeCursor({ address, cursor, before, here }: Cursor): string {
  return Buffer.from(JSON.stringify([address, cursor, before, here])).toString('base64url')
}

function readCursor(text: string): Cursor {
  let parts: unknown
  try {
    parts = JSON.parse(Buffer.from(text, 'base64url').toString())
  } catch {
    throw badCursor('This cursor is broken.')
  }
  const [address, cursor, before, here] = Array.isArray(parts) ? parts : []
  const valid =
    typeof address === 'string' &&
    typeof cursor === 'string' &&
    /^\d{1,20}$/.test(cursor) &&
    BigInt(cursor) < 2n ** 64n &&
    Number.isSafeInteger(before) &&
    Number.isSafeInteger(here) &&
    before >= 0 &&
    here >= 0
  if (!valid) throw badCursor('This cursor is broken.')
  return { address, cursor, before, here }
}

function badCursor(message: string): HoldfastError {
  return new HoldfastError('BAD_INPUT', { message, remedy: 'Begin the list anew.' })
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
