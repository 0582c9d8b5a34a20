import { randomUUID } from 'node:crypto'
import type CachePolicy from 'http-cache-semantics'
import type { Log } from '@/server/log'
import type { Call } from './call'
import type { Received } from './exchange'
import { hash, keepFor, type Policy, type PolicyClass, varyNames } from './policy'

/** What outbound HTTP needs of a cache; a namespace of server/cache is one. */
export interface AnswerCache {
  get<T>(key: string): Promise<T | undefined>
  /** `ttl` in milliseconds. */
  set(key: string, value: unknown, options: { ttl: number }): Promise<void>
  delete(...keys: string[]): Promise<void>
}

export interface Kept {
  policy: Policy
  body: Buffer
}

interface Copy {
  policy: CachePolicy.CachePolicyObject
  body: Buffer
}

/** Stands under the key of a URL whose answer depends on request headers; the copies stand under keys of their own. */
interface Variants {
  names: string[]
  /** A part of the copies' keys: when this is deleted, the copies are never found again. */
  generation: string
}

/** Larger bodies are not worth a place in a cache that others share. */
const LARGEST = 4 * 1024 * 1024
const VARIANTS_MS = 30 * 24 * 3_600_000

/** Copies of answers in a cache. A cache that fails is a cache without them: nothing here throws. */
export class KeptAnswers {
  readonly #cache: AnswerCache
  readonly #log: Log
  readonly #pool: string
  readonly #Policy: PolicyClass

  constructor(deps: { cache: AnswerCache; log: Log; Policy: PolicyClass }, pool: string) {
    this.#cache = deps.cache
    this.#log = deps.log
    this.#pool = pool
    this.#Policy = deps.Policy
  }

  key(url: URL): string {
    return hash(this.#pool, url.href)
  }

  async find(call: Call): Promise<Kept | undefined> {
    try {
      const key = this.key(call.url)
      const first = await this.#cache.get<Copy | Variants>(key)
      const copy =
        first && 'names' in first ? await this.#cache.get<Copy>(variantKey(key, first, call)) : first
      if (!copy) return undefined
      return { policy: this.#Policy.fromObject(copy.policy), body: Buffer.from(copy.body) }
    } catch (error) {
      this.#failed(error)
      return undefined
    }
  }

  /** Keeps an answer as long as it may be. Answers whether others may be given it, too. */
  async keep(call: Call, policy: Policy, received: Received): Promise<boolean> {
    const ttl = keepFor(policy)
    if (ttl <= 0) return false
    if (received.body.length > LARGEST) return true
    try {
      const key = this.key(call.url)
      const copy: Copy = { policy: policy.toObject(), body: received.body }
      const names = varyNames(policy)
      if (names.length === 0) await this.#cache.set(key, copy, { ttl })
      else {
        const variants = await this.#variants(key, names)
        await this.#cache.set(variantKey(key, variants, call), copy, { ttl })
      }
    } catch (error) {
      this.#failed(error)
    }
    return true
  }

  async #variants(key: string, names: string[]): Promise<Variants> {
    const known = await this.#cache.get<Copy | Variants>(key)
    if (known && 'names' in known && known.names.join() === names.join()) return known
    const made = { names, generation: randomUUID() }
    await this.#cache.set(key, made, { ttl: VARIANTS_MS })
    return made
  }

  /** Forgets every copy for the URLs. */
  async forget(urls: readonly URL[]): Promise<void> {
    try {
      await this.#cache.delete(...urls.map((url) => this.key(url)))
    } catch (error) {
      this.#failed(error)
    }
  }

  #failed(error: unknown): void {
    this.#log.warn({ error, pool: this.#pool }, 'The cache of outbound answers failed')
  }
}

function variantKey(key: string, variants: Variants, call: Call): string {
  return hash(key, variants.generation, ...variants.names.map((name) => call.headers[name] ?? null))
}
