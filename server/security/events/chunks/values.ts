import { ownSource } from '../filter'
import { bytesOf, type Sought } from '../network'
import type { Columns } from './columns'

/** Bits a value and hashes a value: about one of fifty chunks is opened in vain. */
const BITS = 8
const HASHES = 5

/** A Bloom filter (Bloom, 1970) whose hashes are made of two (Kirsch and Mitzenmacher, 2006). */
export function bloomOf(keys: ReadonlySet<string>): Uint8Array {
  const filter = new Uint8Array(Math.ceil((Math.max(1, keys.size) * BITS) / 8))
  for (const key of keys) {
    for (const bit of bitsOf(key, filter.length * 8)) {
      filter[bit >> 3] = (filter[bit >> 3] as number) | (1 << (bit & 7))
    }
  }
  return filter
}

/** False where none of these values was put in; true where one may have been. */
export function mayHold(filter: Uint8Array, keys: readonly string[]): boolean {
  return keys.some((key) =>
    bitsOf(key, filter.length * 8).every((bit) => ((filter[bit >> 3] as number) >> (bit & 7)) & 1),
  )
}

function bitsOf(key: string, bits: number): number[] {
  const [first, second] = [hashOf(key, 0x811c9dc5), hashOf(key, 0x9747b28c) | 1]
  return times.map((time) => ((first + Math.imul(time, second)) >>> 0) % bits)
}

const times = Array.from({ length: HASHES }, (_, time) => time)

/** FNV-1a (Fowler, Noll, Vo) over the units of a text, with a last mix. */
function hashOf(text: string, seed: number): number {
  let hash = seed
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
  return (hash ^ (hash >>> 13)) >>> 0
}

export const keys = {
  event: (event: string) => `e:${event}`,
  actor: (actor: string) => `a:${actor.toLowerCase()}`,
  target: (target: string) => `t:${target}`,
  source: (source: string | null) => `s:${source ?? ownSource}`,
  session: (session: string) => `i:${session}`,
  /** Two values of one event: each alone may be in every chunk, while both together are rare. */
  both: (one: string, event: string) => `${one} ${event}`,
}

/** Networks by which an address is found beside itself. */
const prefixes: Record<number, number[]> = { 4: [32, 24, 16], 16: [128, 64, 48, 32] }

/** The key of the narrowest kept network around what is sought; null where that is too wide. */
export function networkKey({ bytes, bits }: Sought): string | null {
  const kept = prefixes[bytes.length]?.find((prefix) => prefix <= bits)
  return kept === undefined ? null : networkOf(bytes, kept)
}

const networkOf = (bytes: readonly number[], bits: number) => `n${bits}:${bytes.slice(0, bits / 8).join('.')}`

/** Everything in a chunk that is looked for whole. */
export function keysOf({ texts, events }: Columns): Set<string> {
  const found = new Set<string>()
  for (const event of texts.event.values) if (event !== null) found.add(keys.event(event))
  for (const actor of texts.actor.values) if (actor !== null) found.add(keys.actor(actor))
  for (const target of texts.target.values) if (target !== null) found.add(keys.target(target))
  for (const source of texts.source.values) found.add(keys.source(source))
  for (const session of texts.sessionId.values) if (session !== null) found.add(keys.session(session))
  for (const address of texts.address.values) {
    const bytes = address === null ? null : bytesOf(address)
    if (bytes) for (const bits of prefixes[bytes.length] ?? []) found.add(networkOf(bytes, bits))
  }
  const { event, actor, address } = texts
  const names = event.values.map((name) => name ?? '')
  const actors = actor.values.map((name) => keys.actor(name ?? ''))
  const hosts = address.values.map((host) => (host === null ? null : hostKey(host)))
  for (let place = 0; place < events; place++) {
    const name = names[event.codes[place] as number] as string
    found.add(keys.both(actors[actor.codes[place] as number] as string, name))
    const host = hosts[address.codes[place] as number]
    if (host) found.add(keys.both(host, name))
  }
  return found
}

function hostKey(address: string): string | null {
  const bytes = bytesOf(address)
  return bytes && networkKey({ bytes, bits: bytes.length * 8 })
}
