import type { Clock } from '@/server/clock'

interface Entry {
  value: Buffer
  expiresAt: number
  bytes: number
}

/** What an entry costs beside key and value: objects and the map's slots, measured on V8. */
const OVERHEAD = 200

/** A level of encoded entries in this process, bounded by bytes; the least recently used go first. */
export class MemoryLevel {
  readonly #clock: Clock
  readonly #maxBytes: number
  /** Oldest use first: a Map keeps the order in which keys were set. */
  readonly #entries = new Map<string, Entry>()
  #bytes = 0
  evictions = 0

  constructor(clock: Clock, maxBytes: number) {
    this.#clock = clock
    this.#maxBytes = maxBytes
  }

  get bytes(): number {
    return this.#bytes
  }

  get size(): number {
    return this.#entries.size
  }

  get(key: string): Buffer | undefined {
    const entry = this.#entries.get(key)
    if (!entry) return undefined
    this.#entries.delete(key)
    if (entry.expiresAt <= this.#clock.now()) {
      this.#bytes -= entry.bytes
      return undefined
    }
    this.#entries.set(key, entry)
    return entry.value
  }

  /** Keeps an entry until `ttl` ms have passed. One that is larger than a quarter of the level isn't kept. */
  set(key: string, value: Buffer, ttl: number): void {
    this.delete(key)
    const bytes = value.length + key.length * 2 + OVERHEAD
    if (bytes > this.#maxBytes / 4) return
    this.#entries.set(key, { value, expiresAt: this.#clock.now() + ttl, bytes })
    this.#bytes += bytes
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.#maxBytes) break
      this.delete(oldest)
      this.evictions++
    }
  }

  delete(key: string): boolean {
    const entry = this.#entries.get(key)
    if (!entry) return false
    this.#entries.delete(key)
    this.#bytes -= entry.bytes
    return true
  }

  clear(): void {
    this.#entries.clear()
    this.#bytes = 0
  }
}
