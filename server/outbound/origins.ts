import { tooManyOrigins } from './failure'
import { Origin, type OriginDeps } from './origin'
import type { OutboundPool } from './types'

/** The origins of one pool, the one called last at the end. The one unused for longest makes room for a new one. */
export class Origins {
  readonly #deps: OriginDeps
  readonly #limits: OutboundPool
  readonly #most: number
  readonly #origins = new Map<string, Origin>()

  constructor(deps: OriginDeps, limits: OutboundPool, most: number) {
    this.#deps = deps
    this.#limits = limits
    this.#most = most
  }

  /** The origin of a URL. Throws OutboundFailure when there are too many, and all are in use. */
  of(url: URL): Origin {
    const known = this.#origins.get(url.origin)
    if (known) this.#origins.delete(url.origin)
    else this.#makeRoom(url)
    const origin = known ?? new Origin(this.#deps, this.#limits, url)
    this.#origins.set(url.origin, origin)
    return origin
  }

  #makeRoom(url: URL): void {
    if (this.#origins.size < this.#most) return
    for (const origin of this.#origins.values()) {
      if (origin.calls > 0) continue
      this.#origins.delete(origin.name)
      origin.close().catch((error: unknown) => this.#deps.log.warn({ error }, 'An origin was not closed'))
      return
    }
    throw tooManyOrigins(url.host)
  }

  all(): Origin[] {
    return [...this.#origins.values()]
  }
}
