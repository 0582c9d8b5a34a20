import type { Socket } from 'node:net'
import { HoldfastError } from '@/server/errors'
import { type ConnectOptions, connectTo } from './connect'
import { completePool, type PoolOptions } from './limits'
import { HttpPool, type PoolDeps } from './pool'
import type { OutboundReport } from './types'

export type { Answer, CallOptions } from './call'
export { type Guard, openGuard } from './guard'
export type { AnswerCache } from './kept'
export { type PoolOptions, poolDefaults } from './limits'
export type { HttpPool, PoolDeps } from './pool'
export type * from './types'

/** Outbound HTTP in named pools. */
export interface Outbound {
  /** Throws NOT_FOUND for a name that was not given at the opening. */
  pool(name: string): HttpPool
  /** Connects to a server that speaks another protocol, behind the same guard. Throws TARGET_UNREACHABLE. */
  connect(host: string, port: number, options: ConnectOptions): Promise<Socket>
  /** Limits of every pool and what was counted for each of its origins, without a question to anybody. */
  report(): OutboundReport
  /** Takes no more calls, and resolves within 2 seconds when every connection has ended. */
  close(): Promise<void>
}

/**
 * Opens pools; connections are made by the first calls. Throws BAD_INPUT for limits that can't be, or a name given twice.
 *
 *     const outbound = openOutbound({ clock, log, cache: cache.space('http') }, [{ name: 'webhooks', retries: 3 }])
 *     const { status } = await outbound.pool('webhooks').request('https://example.com/hook', { method: 'POST', body })
 */
export function openOutbound(deps: PoolDeps, options: readonly PoolOptions[]): Outbound {
  const pools = new Map<string, HttpPool>()
  for (const option of options) {
    if (pools.has(option.name))
      throw new HoldfastError('BAD_INPUT', `Two pools have the name ${option.name}.`)
    pools.set(option.name, new HttpPool(deps, completePool(option, deps.cache !== undefined)))
  }
  const all = () => [...pools.values()]
  return {
    pool(name) {
      const pool = pools.get(name)
      if (!pool) throw new HoldfastError('NOT_FOUND', `There is no pool named ${name}.`)
      return pool
    },
    connect: (host, port, options) => connectTo({ guard: deps.guard }, host, port, options),
    report: () => ({
      pools: all().map((pool) => pool.limits),
      origins: all().flatMap((pool) => pool.figures()),
      at: deps.clock.now(),
    }),
    async close() {
      await Promise.all(all().map((pool) => pool.close()))
    },
  }
}
