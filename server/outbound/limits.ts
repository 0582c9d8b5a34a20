import { HoldfastError } from '@/server/errors'
import type { OutboundPool } from './types'

/** A pool as an application names it: what it leaves out is of `poolDefaults`. */
export type PoolOptions = Partial<OutboundPool> & { name: string }

/** Made for calls to services on the internet that answer within seconds. */
export const poolDefaults: Omit<OutboundPool, 'name' | 'cache'> = {
  connections: 16,
  connectTimeout: 5_000,
  headersTimeout: 10_000,
  bodyTimeout: 10_000,
  deadline: 30_000,
  keepAlive: 10_000,
  maxWaiting: 256,
  maxResponseBytes: 8 * 1024 * 1024,
  retries: 2,
  retryBudget: 0.2,
  breaker: { failures: 5, openMs: 10_000 },
}

/** The longest time that a timer of Node can carry. */
const LONGEST = 2 ** 31 - 1

/**
 * The pool with every limit set. `cache` is on where there is a cache, and off where there is none.
 * Throws BAD_INPUT for a limit that can't be.
 */
export function completePool(options: PoolOptions, hasCache: boolean): OutboundPool {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
  const pool = {
    ...poolDefaults,
    cache: true,
    ...given,
    breaker: { ...poolDefaults.breaker, ...options.breaker },
  } as OutboundPool
  pool.cache = pool.cache && hasCache
  if (!/^[\w.-]{1,64}$/.test(pool.name))
    refuse('The name of a pool is 1 to 64 letters, digits, dots and dashes.')
  const times = ['connectTimeout', 'headersTimeout', 'bodyTimeout', 'deadline', 'keepAlive'] as const
  for (const time of times) whole(pool, time, pool[time], 1, LONGEST)
  whole(pool, 'connections', pool.connections, 1, 1_024)
  whole(pool, 'maxWaiting', pool.maxWaiting, 0, 100_000)
  whole(pool, 'maxResponseBytes', pool.maxResponseBytes, 1, 1024 ** 3)
  whole(pool, 'retries', pool.retries, 0, 20)
  whole(pool, 'breaker.failures', pool.breaker.failures, 1, 10_000)
  whole(pool, 'breaker.openMs', pool.breaker.openMs, 1, LONGEST)
  if (!(pool.retryBudget >= 0 && pool.retryBudget <= 1))
    refuse(`retryBudget of the pool ${pool.name} is a share of calls, from 0 to 1.`)
  return pool
}

function whole(pool: OutboundPool, field: string, value: number, least: number, most: number): void {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return
  refuse(`${field} of the pool ${pool.name} is a whole number from ${least} to ${most}.`)
}

function refuse(message: string): never {
  throw new HoldfastError('BAD_INPUT', message)
}
