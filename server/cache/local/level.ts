import type { Clock } from '@/server/clock'
import type { TagVersions } from '../codec'

/** A value as this process holds it. Callers never get what is held itself, so that none can change it for others. */
export type Held =
  | { kind: 'primitive'; value: string | number | boolean | null }
  /** Plain data of this level's own, small enough to be copied for each caller. `bytes` of its JSON. */
  | { kind: 'data'; value: object; bytes: number }
  | { kind: 'json'; json: string }
  | { kind: 'entry'; entry: Buffer }

export interface Copy {
  held: Held
  tags: TagVersions
  freshUntil: number
  staleUntil: number
  /** When it was made, as Recent counts: what is older than a loss of news is only used while Redis is away. */
  mark: number
}

interface Slot extends Copy {
  /** When it leaves the level, whatever the value says. */
  until: number
  bytes: number
  namespace: string
  /** Read since it was last looked at for what could go. */
  used: boolean
}

/** What a copy costs beside key and value: objects and the map's slots, measured on V8. */
const OVERHEAD = 240

/** Before every mark. */
const IN_DOUBT = -1

export interface NamespaceUse {
  entries: number
  bytes: number
}

/**
 * Values in this process, bounded by bytes. What was not read for longest goes first, by second chance (CLOCK, Corbató
 * 1968): a read marks its value, which costs less than moving it to the end. Keys are `namespace:key`.
 */
export class LocalLevel {
  readonly #clock: Clock
  /** A Map keeps the order in which keys were set: the hand goes round from its beginning. */
  readonly #slots = new Map<string, Slot>()
  readonly #uses = new Map<string, NamespaceUse>()
  readonly configured: number
  #bound: number
  #bytes = 0
  evictions = 0
  pressureEvictions = 0

  constructor(clock: Clock, maxBytes: number) {
    this.#clock = clock
    this.configured = maxBytes
    this.#bound = maxBytes
  }

  get bytes(): number {
    return this.#bytes
  }

  get bound(): number {
    return this.#bound
  }

  get size(): number {
    return this.#slots.size
  }

  /** By namespace. */
  use(namespace: string): NamespaceUse {
    return this.#uses.get(namespace) ?? { entries: 0, bytes: 0 }
  }

  get(key: string): Copy | undefined {
    const slot = this.#slots.get(key)
    if (!slot) return undefined
    if (slot.until <= this.#clock.now()) {
      this.#remove(key, slot)
      return undefined
    }
    slot.used = true
    return slot
  }

  /** Keeps a copy until `until`, UTC ms. One that is larger than a quarter of the level isn't kept. */
  set(key: string, copy: Copy, until: number): void {
    this.delete(key)
    const bytes = sizeOf(copy.held) + key.length * 2 + OVERHEAD
    if (bytes > this.#bound / 4) return
    const namespace = key.slice(0, key.indexOf(':'))
    const { held, tags, freshUntil, staleUntil, mark } = copy
    this.#slots.set(key, { held, tags, freshUntil, staleUntil, mark, until, bytes, namespace, used: false })
    this.#count(namespace, 1, bytes)
    if (this.#bytes > this.#bound) this.evictions += this.#shrinkTo(this.#bound)
  }

  /** From now on the copy is only used while Redis is away. */
  doubt(key: string): void {
    const slot = this.#slots.get(key)
    if (slot) slot.mark = IN_DOUBT
  }

  delete(key: string): boolean {
    const slot = this.#slots.get(key)
    if (slot) this.#remove(key, slot)
    return slot !== undefined
  }

  /** Empties the level, or one namespace of it. Answers how many values went. */
  clear(namespace: string | null = null): number {
    const before = this.#slots.size
    if (namespace === null) {
      this.#slots.clear()
      this.#uses.clear()
      this.#bytes = 0
    } else {
      for (const [key, slot] of this.#slots) if (slot.namespace === namespace) this.#remove(key, slot)
    }
    return before - this.#slots.size
  }

  /** Sets another bound, at most the configured one. What is over it goes at once. */
  limit(bytes: number): void {
    this.#bound = Math.min(this.configured, Math.max(0, Math.floor(bytes)))
    if (this.#bytes > this.#bound) this.pressureEvictions += this.#shrinkTo(this.#bound)
  }

  #shrinkTo(bytes: number): number {
    let gone = 0
    const now = this.#clock.now()
    for (const [key, slot] of this.#slots) {
      if (this.#bytes <= bytes) break
      if (slot.used && slot.until > now) {
        // Behind the others, where this loop comes by again if need be.
        slot.used = false
        this.#slots.delete(key)
        this.#slots.set(key, slot)
        continue
      }
      this.#remove(key, slot)
      gone++
    }
    return gone
  }

  #remove(key: string, { namespace, bytes }: Slot): void {
    this.#slots.delete(key)
    this.#count(namespace, -1, -bytes)
  }

  #count(namespace: string, entries: number, bytes: number): void {
    this.#bytes += bytes
    const use = this.#uses.get(namespace)
    if (!use) this.#uses.set(namespace, { entries, bytes })
    else {
      use.entries += entries
      use.bytes += bytes
    }
  }
}

function sizeOf(held: Held): number {
  // Strings take two bytes a character where one of them needs it; that is assumed of all.
  if (held.kind === 'json') return held.json.length * 2
  // Fields and strings of their own take about four times their JSON, measured on V8.
  if (held.kind === 'data') return held.bytes * 4
  if (held.kind === 'entry') return held.entry.length
  return typeof held.value === 'string' ? held.value.length * 2 : 8
}
