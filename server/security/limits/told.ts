import type { Store } from '@/db/store'
import { type Caller, recordAudit } from '@/server/audit'
import type { Clock } from '@/server/clock'
import type { Log } from '@/server/log'
import type { Hit, Limited } from './types'

interface Entry {
  hit: Hit
  by: Caller
  /** Since it began to be over its limit. */
  hits: number
  /** Those that no event tells of yet. */
  untold: number
  /** When the last event was written. */
  toldAt: number
  windowMs: number
}

/** Keys that are remembered at once: an attacker with many addresses shall not fill memory. */
const most = 10_000

/**
 * Tells the audit log of refused calls: of the first at once, of the others of the same key together, at most once
 * a window, so that an attack does not fill the log.
 */
export class Told {
  readonly #deps: { store: Store; clock: Clock; log: Log }
  readonly #entries = new Map<string, Entry>()
  readonly #writing = new Set<Promise<unknown>>()

  constructor(deps: { store: Store; clock: Clock; log: Log }) {
    this.#deps = deps
  }

  tell(hit: Hit, by: Caller, windowMs: number): void {
    const key = keyOf(hit)
    const now = this.#deps.clock.now()
    const known = this.#entries.get(key)
    if (!known && this.#entries.size >= most) return
    const running = known && known.hit.until > now ? known.hits : 0
    const entry: Entry = known ?? { hit, by, hits: 0, untold: 0, toldAt: Number.NEGATIVE_INFINITY, windowMs }
    Object.assign(entry, { hit, by, hits: running + 1, untold: entry.untold + 1, windowMs })
    this.#entries.set(key, entry)
    if (entry.toldAt + windowMs <= now) this.#write(entry, now)
  }

  /** Tells of what came since the last event, where its window is over; of everything with `all`. */
  async sweep({ all = false } = {}): Promise<void> {
    const now = this.#deps.clock.now()
    for (const [key, entry] of this.#entries) {
      const over = entry.toldAt + entry.windowMs <= now
      if (entry.untold > 0 && (over || all)) this.#write(entry, now)
      else if (over && entry.hit.until <= now) this.#entries.delete(key)
    }
    await Promise.all(this.#writing)
  }

  /** What this process has refused and still does. */
  limited(): Limited[] {
    const now = this.#deps.clock.now()
    return [...this.#entries.values()].flatMap(({ hit, hits }) => (hit.until > now ? [{ ...hit, hits }] : []))
  }

  #write(entry: Entry, now: number): void {
    const { store, log } = this.#deps
    const { layer, endpoint, who, limit, until } = entry.hit
    const hits = entry.untold
    Object.assign(entry, { untold: 0, toldAt: now })
    const written = store
      .run(recordAudit, {
        ...entry.by,
        time: now,
        event: 'excess_rate_limit_exceeded',
        outcome: 'denied',
        target: `${layer === 'user' ? 'user' : 'network'}:${who}`,
        reason: `more than ${limit}`,
        after: { layer, endpoint, limit, hits, until },
      })
      // Refusing must not depend on a store that takes writes.
      .catch((error: unknown) => log.warn({ error, layer, endpoint }, 'limit hits are not in the audit log'))
    this.#writing.add(written)
    void written.finally(() => this.#writing.delete(written))
  }
}

export const keyOf = ({ layer, endpoint, who }: Pick<Hit, 'layer' | 'endpoint' | 'who'>): string =>
  `${layer}|${layer === 'endpoint' || layer === 'account' ? endpoint : ''}|${who}`
