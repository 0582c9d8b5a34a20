import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { type Encoded, encode } from '../codec'
import { freshValue, heldOf } from '../local/copies'
import type { SetOptions } from '../types'
import type { Counts } from './counts'
import { lockKey } from './keys'
import type { Levels } from './levels'
import { find } from './read'
import { tagVersions } from './tags'
import { prepare, storeOne } from './write'

/** How long a lock outlives its holder: others compute then. It is renewed while the holder works. */
const LOCK_LIFE = 10_000
/** The pauses of who waits for another instance's value, in milliseconds: growing to the last. */
const PAUSES = [5, 10, 20, 40, 50]

/** One computation of this process that others wait for. */
interface Flight {
  result: Promise<() => unknown>
  /** The key was changed since it began: what comes out of it is given to who waits, and not kept. */
  overtaken: boolean
}

export interface Asked {
  namespace: string
  whole: string
  options: SetOptions
  compute: () => Promise<unknown>
  counts: Counts
}

/** Computations that are under way: one for each key, over all instances as far as Redis answers. */
export class Computing {
  readonly #levels: Levels
  readonly #flights = new Map<string, Flight>()

  constructor(levels: Levels) {
    this.#levels = levels
  }

  /** A computation of this key, the present one if there is one. Everybody gets a value of their own. */
  async run(asked: Asked): Promise<unknown> {
    const present = this.#flights.get(asked.whole)
    if (present) {
      asked.counts.shared++
      return (await present.result)()
    }
    return (await this.#begin(asked).result)()
  }

  /** Begins one that nobody waits for, unless one is under way. */
  refresh(asked: Asked): void {
    if (this.#flights.has(asked.whole)) return
    this.#begin(asked).result.catch((error: unknown) =>
      this.#levels.log.warn({ error, key: asked.whole }, 'a stale value was served: the new one failed'),
    )
  }

  /** The key was changed, here or by another instance. */
  overtake(whole: string): void {
    const flight = this.#flights.get(whole)
    if (flight) flight.overtaken = true
  }

  overtakeAll(): void {
    for (const flight of this.#flights.values()) flight.overtaken = true
  }

  #begin(asked: Asked): Flight {
    const flight: Flight = { result: Promise.resolve(() => undefined), overtaken: false }
    this.#flights.set(asked.whole, flight)
    flight.result = this.#work(asked, flight).finally(() => this.#flights.delete(asked.whole))
    return flight
  }

  async #work(asked: Asked, flight: Flight): Promise<() => unknown> {
    const { redis, prefix } = this.#levels
    if (!redis) return this.#compute(asked, async () => !flight.overtaken)
    const lock = lockKey(prefix, asked.whole)
    const token = randomUUID()
    for (let turn = 0; ; turn++) {
      const ours = await redis.lock(lock, token, LOCK_LIFE)
      // Without an answer each process computes for itself.
      if (ours === undefined) return this.#compute(asked, async () => !flight.overtaken)
      if (ours) return this.#holding(asked, flight, lock, token)
      await delay(PAUSES[Math.min(turn, PAUSES.length - 1)])
      const found = await find(this.#levels, asked.namespace, asked.whole)
      if (found.kind === 'fresh') {
        asked.counts.shared++
        return sharing(found.value)
      }
    }
  }

  async #holding(asked: Asked, flight: Flight, lock: string, token: string): Promise<() => unknown> {
    const { redis } = this.#levels
    const held = async () => (await redis?.get(lock))?.toString('latin1') === token
    const renewal = setInterval(async () => {
      if (await held()) await redis?.set(lock, Buffer.from(token), LOCK_LIFE)
    }, LOCK_LIFE / 3).unref()
    try {
      // Another holder may have had it until just now.
      const found = await find(this.#levels, asked.namespace, asked.whole)
      if (found.kind === 'fresh') return sharing(found.value)
      // A delete takes the lock away with the value: what was computed before it must not come after it.
      return await this.#compute(asked, async () => !flight.overtaken && (await held()))
    } finally {
      clearInterval(renewal)
      await redis?.unlock(lock, token)
    }
  }

  async #compute(asked: Asked, mayKeep: () => Promise<boolean>): Promise<() => unknown> {
    const { namespace, whole, options, compute, counts } = asked
    // Before it computes: what a tag stood for may change meanwhile.
    const tags = await tagVersions(this.#levels, namespace, options.tags ?? [])
    const value = await compute()
    counts.computed++
    const ready = await prepare(this.#levels, whole, value, options, tags)
    if (await mayKeep()) {
      counts.sets++
      await storeOne(this.#levels, ready)
    }
    return owner(value, ready)
  }
}

/** What another instance computed, for all who wait here. */
async function sharing(value: unknown): Promise<() => unknown> {
  return owner(value, await encode(value, NEVER_KEPT))
}

const NEVER_KEPT = { writtenAt: 0, freshUntil: 0, staleUntil: 0, tags: [] }

/** The first who asks gets the value itself, the others copies of it as it is now: none can change it for another. */
function owner(value: unknown, { json, entry }: Pick<Encoded, 'json' | 'entry'>): () => unknown {
  const held = heldOf({ value, json }, () => entry)
  let given = false
  return async () => {
    if (given) return (await freshValue(held))?.value
    given = true
    return value
  }
}
