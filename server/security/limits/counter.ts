import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible'
import type { Rate, SharedCounters } from './types'

export interface Counted {
  /** Whether this call is one too many. */
  over: boolean
  /** Milliseconds until the window ends. */
  resetMs: number
}

export interface Counter {
  take(key: string): Promise<Counted>
  /** Counts from zero again: here, and for all instances where counters are shared. */
  forget(key: string): Promise<void>
}

/**
 * Counts calls by key in windows of whole seconds. Memory counts all that this process sees; Redis, where there is
 * one, what all processes see. Whoever is over in one of them is over. So a Redis that is dead, hung or emptied
 * gives nobody a fresh start, and while it does not answer, memory alone decides.
 */
export function openCounter(
  shared: SharedCounters | null,
  { name, prefix, most, windowMs }: Rate & { name: string; prefix: string },
): Counter {
  const rule = { points: most, duration: Math.ceil(windowMs / 1000), keyPrefix: `${prefix}${name}` }
  const memory = new RateLimiterMemory(rule)
  const redis = shared && new RateLimiterRedis({ ...rule, storeClient: clientOf(shared) })
  return {
    async take(key) {
      const here = await counted(memory.consume(key))
      if (!redis || !here || here.over) return here ?? { over: false, resetMs: 0 }
      return (await counted(redis.consume(key))) ?? here
    },
    async forget(key) {
      await memory.delete(key)
      await redis?.delete(key).catch(() => false)
    },
  }
}

/** What a limiter says of one call, whether it answers or throws it; null when its store did not answer. */
async function counted(consumed: Promise<RateLimiterRes>): Promise<Counted | null> {
  try {
    return { over: false, resetMs: (await consumed).msBeforeNext }
  } catch (refusal) {
    return refusal instanceof RateLimiterRes ? { over: true, resetMs: refusal.msBeforeNext } : null
  }
}

const FORGET = "return redis.call('unlink', KEYS[1])"

/**
 * What the limiter takes for a client of ioredis: its script, and the deletion of a key, at the key's node, by the
 * cache's own connections with their deadline (docs/decisions/0012).
 */
function clientOf({ evaluate }: SharedCounters) {
  const run = async (script: string, key: string, args: readonly string[]) => {
    const answer = await evaluate(script, key, args)
    if (answer === undefined) throw new Error('Redis did not answer.')
    return answer
  }
  const client: Record<string, unknown> = {
    status: 'ready',
    del: (key: string) => run(FORGET, key, []),
    defineCommand(name: string, { lua }: { lua: string }) {
      client[name] = ([key = '', ...args]: string[]) => run(lua, key, args)
    },
  }
  return client
}
