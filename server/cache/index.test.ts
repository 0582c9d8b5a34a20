import { randomBytes } from 'node:crypto'
import { performance } from 'node:perf_hooks'
import { afterEach, describe, expect, it } from 'vitest'
import { waitUntil } from '@/db/testing/processes'
import { startRedis, startRedisCluster } from '@/db/testing/servers'
import { needsRedis, sharedRedis } from '@/db/testing/shared'
import { systemClock } from '@/server/clock'
import { openLog } from '@/server/log'
import { type Cache, type CacheConfig, openCache } from '.'

const ttl = 60_000
const opened: Cache[] = []

afterEach(async () => {
  await Promise.all(opened.splice(0).map((cache) => cache.close()))
})

function open(config: CacheConfig, lines: string[] = []): Cache {
  const log = openLog('info', (line) => lines.push(line))
  // A busy test machine must not turn a live Redis into a silent one.
  const cache = openCache({ clock: systemClock, log }, { deadline: 1_000, ...config })
  opened.push(cache)
  return cache
}

const ready = (cache: Cache) => waitUntil('Redis', async () => cache.figures().state === 'redis')

describe('cache in memory', () => {
  it('keeps, counts and deletes', async () => {
    const cache = open({})
    expect(await cache.get('a')).toBe(undefined)
    await cache.set('a', { n: 1 }, { ttl })
    expect(await cache.get('a')).toEqual({ n: 1 })
    await cache.delete('a')
    expect(await cache.get('a')).toBe(undefined)
    expect(cache.figures()).toMatchObject({ state: 'memory', hits: 1, misses: 2, sets: 1, deletes: 1 })
  })

  it('gives every caller a value of its own', async () => {
    const cache = open({})
    const value = { list: [1] }
    await cache.set('a', value, { ttl })
    value.list.push(2)
    const first = await cache.get<{ list: number[] }>('a')
    first?.list.push(3)
    expect(await cache.get('a')).toEqual({ list: [1] })
  })

  it('computes once for callers at the same time, and again after a failure', async () => {
    const cache = open({})
    let runs = 0
    const compute = async () => {
      if (++runs === 1) throw new Error('first time')
      return runs
    }
    await expect(cache.getOrSet('a', { ttl }, compute)).rejects.toThrow('first time')
    const answers = await Promise.all(Array.from({ length: 50 }, () => cache.getOrSet('a', { ttl }, compute)))
    expect(new Set(answers)).toEqual(new Set([2]))
    expect(runs).toBe(2)
  })
})

describe('cache on Redis', () => {
  needsRedis()

  it('shares values between two instances, under its prefix and with a time to live', async () => {
    const { host, port, password } = sharedRedis()
    const prefix = `${randomBytes(6).toString('hex')}:`
    const one = open({ redis: { host, port, password }, prefix })
    const two = open({ redis: { host, port, password }, prefix })
    await Promise.all([ready(one), ready(two)])
    await one.set('shared', ['a', null], { ttl })
    expect(await two.get('shared')).toEqual(['a', null])
    await two.delete('shared')
    expect(await one.get('shared')).toBe(undefined)
    const stats = await one.stats()
    expect(stats).toMatchObject({ mode: 'single', state: 'redis', reason: null, errors: 0 })
    expect(stats.nodes).toHaveLength(1)
    expect(stats.nodes[0]).toMatchObject({ role: 'primary', address: `${host}:${port}` })
    expect(stats.latency.count).toBeGreaterThan(1)
  })

  it('answers from memory while Redis is killed, and comes back by itself', async () => {
    const server = await startRedis()
    const lines: string[] = []
    const cache = open({ redis: { host: server.host, port: server.port } }, lines)
    await ready(cache)
    await cache.set('kept', 1, { ttl })
    await server.kill9()
    await waitUntil('the fallback', async () => cache.figures().state === 'degraded')
    expect(await cache.get('kept')).toBe(1)
    await cache.set('kept', 2, { ttl })
    expect((await cache.stats()).reason).toMatch(/Nothing listens there|connection was lost/)
    await server.start()
    await ready(cache)
    await cache.set('kept', 3, { ttl })
    expect(await server.command('GET', 'holdfast:kept')).toBe('\u00013')
    expect(lines.map((line) => JSON.parse(line).level)).toEqual(['info', 'warn', 'info'])
    await server.stop()
  })

  it('waits for a hung Redis no longer than the deadline, then not at all, and revives nothing stale', async () => {
    const server = await startRedis()
    const cache = open({ redis: { host: server.host, port: server.port }, deadline: 40 })
    await ready(cache)
    await cache.set('kept', 'value', { ttl })
    await ready(cache)
    server.pause()
    const times: number[] = []
    for (let n = 0; n < 200; n++) {
      const start = performance.now()
      expect(await cache.get('kept')).toBe('value')
      times.push(performance.now() - start)
    }
    expect(cache.figures().state).toBe('degraded')
    expect(times.filter((time) => time > 20).length).toBeLessThanOrEqual(5)
    await cache.set('kept', 'newer', { ttl })
    server.resume()
    await ready(cache)
    expect(await cache.get('kept')).toBe(undefined)
    await server.stop()
  })

  it('says that the password is wrong', async () => {
    const { host, port } = sharedRedis()
    const cache = open({ redis: { host, port, password: 'wrong' } })
    await waitUntil('the reason', async () => (await cache.stats()).reason !== 'Connecting.')
    expect(await cache.stats()).toMatchObject({
      state: 'degraded',
      reason: 'The password is missing or wrong.',
    })
  })
})

describe('cache on Redis Cluster', () => {
  needsRedis()

  it('serves keys of every slot and outlives the death of a master', async () => {
    const cluster = await startRedisCluster(6, { password: 'cluster' })
    const cache = open({ cluster: { nodes: cluster.addresses.split(','), password: 'cluster' } })
    await ready(cache)
    const keys = Array.from({ length: 60 }, (_, n) => `key:${n}`)
    await Promise.all(keys.map((key) => cache.set(key, key, { ttl })))
    expect(await Promise.all(keys.map((key) => cache.get(key)))).toEqual(keys)
    expect((await cache.stats()).nodes).toHaveLength(6)
    await cluster.nodes[0]?.kill9()
    expect(await Promise.all(keys.map((key) => cache.get(key)))).toEqual(keys)
    await waitUntil('the failover', async () => {
      await cache.get('key:1')
      return (await cache.stats()).nodes.filter(({ role }) => role === 'primary').length === 3
    })
    await waitUntil('every key', async () => {
      await Promise.all(keys.map((key) => cache.set(key, `${key}!`, { ttl })))
      return cache.figures().state === 'redis'
    })
    expect(await Promise.all(keys.map((key) => cache.get(key)))).toEqual(keys.map((key) => `${key}!`))
    await cluster.stop()
  })
})
