import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { type RedisServer, startRedis, startRedisCluster, startRedisSentinel } from '@/db/testing/servers'
import { needsRedis } from '@/db/testing/shared'
import { createCache } from '@/server/cache'
import type { CacheConfig } from '@/server/cache/types'
import { type Counter, openCounter } from './counter'

const rule = { name: 'test', prefix: 'test-limits:', most: 5, windowMs: 60_000 }
const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

/** How many of `calls` at once get through, and the slowest of them in ms. */
async function burst(counter: Counter, key: string, calls: number) {
  const taken = await Promise.all(
    Array.from({ length: calls }, async () => {
      const begun = performance.now()
      const { over } = await counter.take(key)
      return { over, ms: performance.now() - begun }
    }),
  )
  return {
    through: taken.filter(({ over }) => !over).length,
    slowest: Math.max(...taken.map(({ ms }) => ms)),
  }
}

/** A process of its own: it shares nothing with others but Redis. A busy machine shall not make Redis seem away. */
async function openProcess(config: CacheConfig, deadline = 500): Promise<Counter & { connected(): boolean }> {
  const cache = createCache({ ...config, deadline })
  undo.push(() => cache.close())
  await vi.waitFor(() => expect(cache.redis?.state).toBe('redis'), { timeout: 10_000 })
  return { ...openCounter(cache.redis, rule), connected: () => cache.redis?.state === 'redis' }
}

async function startOne(): Promise<RedisServer> {
  const redis = await startRedis()
  undo.push(() => redis.stop())
  return redis
}

describe('in memory', () => {
  it('lets five of a hundred at once through, for each key', async () => {
    const counter = openCounter(null, rule)
    expect((await burst(counter, 'a', 100)).through).toBe(5)
    expect((await burst(counter, 'b', 100)).through).toBe(5)
    expect((await counter.take('a')).resetMs).toBeGreaterThan(0)
    await counter.forget('a')
    expect((await burst(counter, 'a', 100)).through).toBe(5)
  })
})

describe('on Redis', () => {
  needsRedis()

  it('counts what two processes see together', async () => {
    const { host, port } = await startOne()
    const [one, other] = await Promise.all([
      openProcess({ redis: { host, port } }),
      openProcess({ redis: { host, port } }),
    ])
    const [first, second] = await Promise.all([burst(one, 'a', 50), burst(other, 'a', 50)])
    expect(first.through + second.through).toBe(5)
    await one.forget('a')
    await other.forget('a')
    expect((await burst(other, 'a', 50)).through).toBe(5)
  })

  it('gives nobody a fresh start when Redis is emptied', async () => {
    const redis = await startOne()
    const counter = await openProcess({ redis })
    expect((await burst(counter, 'a', 3)).through).toBe(3)
    await redis.command('FLUSHALL')
    expect((await burst(counter, 'a', 100)).through).toBe(2)
  })

  it.each(['stopped', 'hung'] as const)(
    'nor when Redis is %s in the middle, and answers at once',
    async (how) => {
      const redis = await startOne()
      const counter = await openProcess({ redis })
      expect((await burst(counter, 'a', 3)).through).toBe(3)
      if (how === 'hung') redis.pause()
      else await redis.kill9()
      onTestFinished(() => redis.resume())
      const during = await burst(counter, 'a', 100)
      expect(during.through).toBe(2)
      expect(during.slowest).toBeLessThan(1_000)
      // Silent to a few calls, it is asked no more: not even the deadline of one call is waited for then.
      let calls = 0
      await vi.waitFor(
        async () => {
          await counter.take(`another ${calls++}`)
          expect(counter.connected()).toBe(false)
        },
        { timeout: 5_000, interval: 1 },
      )
      expect(calls).toBeLessThan(20)
      expect((await burst(counter, 'b', 100)).through).toBe(5)
      if (how === 'hung') redis.resume()
      else await redis.start()
      await vi.waitFor(() => expect(counter.connected()).toBe(true), { timeout: 10_000 })
      expect((await burst(counter, 'a', 100)).through).toBe(0)
    },
  )

  it('counts on every node of a cluster, and over a failover', async () => {
    const cluster = await startRedisCluster()
    undo.push(() => cluster.stop())
    const nodes = cluster.addresses.split(',')
    const [one, other] = await Promise.all([
      openProcess({ cluster: { nodes } }),
      openProcess({ cluster: { nodes } }),
    ])
    for (const key of ['a', 'b', 'c', 'd', 'e', 'f']) {
      const [first, second] = await Promise.all([burst(one, key, 20), burst(other, key, 20)])
      expect({ key, through: first.through + second.through }).toEqual({ key, through: 5 })
    }
    await cluster.nodes[0]?.kill9()
    for (const key of ['a', 'b', 'c', 'd', 'e', 'f']) {
      const { through, slowest } = await burst(one, key, 20)
      expect({ key, through }).toEqual({ key, through: 0 })
      expect(slowest).toBeLessThan(1_000)
    }
  }, 60_000)

  it('counts at the master that Sentinels know', async () => {
    const sentinel = await startRedisSentinel()
    undo.push(() => sentinel.stop())
    const place = { sentinels: sentinel.addresses.split(','), name: sentinel.name }
    const [one, other] = await Promise.all([
      openProcess({ sentinel: place }),
      openProcess({ sentinel: place }),
    ])
    const [first, second] = await Promise.all([burst(one, 'a', 20), burst(other, 'a', 20)])
    expect(first.through + second.through).toBe(5)
  }, 60_000)
})
