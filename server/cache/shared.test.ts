import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { waitUntil } from '@/db/testing/processes'
import { type RedisServer, startRedis, startRedisCluster } from '@/db/testing/servers'
import { needsRedis } from '@/db/testing/shared'
import { systemClock } from '@/server/clock'
import { openLog } from '@/server/log'
import { type Cache, type CacheConfig, type CacheStateChange, openCache } from '.'
import { readEntry } from './codec'

const ttl = 60_000
const opened: Cache[] = []
let server: RedisServer

needsRedis()
beforeAll(async () => {
  server = await startRedis()
})
afterAll(async () => {
  await server?.stop()
})
afterEach(async () => {
  await Promise.all(opened.splice(0).map((cache) => cache.close()))
})

const newPrefix = () => `${randomBytes(6).toString('hex')}:`

/** A cache that is ready: its local level answers, unless it is off. A busy machine must not turn Redis silent. */
async function open(config: CacheConfig, stateChanged?: (change: CacheStateChange) => void): Promise<Cache> {
  const deps = { clock: systemClock, log: openLog('error') }
  const cache = openCache(stateChanged ? { ...deps, stateChanged } : deps, { deadline: 2_000, ...config })
  opened.push(cache)
  await ready(cache, config.local !== false)
  return cache
}

const ready = (cache: Cache, local = true) =>
  waitUntil('Redis', async () => {
    const { state, localServes } = cache.stats()
    return state === 'redis' && (localServes || !local)
  })

const redis = () => ({ host: server.host, port: server.port })

async function openTwo(config: CacheConfig = {}): Promise<[Cache, Cache]> {
  const prefix = newPrefix()
  return Promise.all([
    open({ redis: redis(), prefix, ...config }),
    open({ redis: redis(), prefix, ...config }),
  ])
}

/** A computation that ends when it is told to. */
function held() {
  let end: ((value: string) => void) | undefined
  return {
    compute: () => new Promise<string>((resolve) => (end = resolve)),
    begun: () => waitUntil('the computation', async () => end !== undefined),
    finish: (value: string) => end?.(value),
  }
}

/** Resolves when the copy of another instance is gone: news of a change comes right behind it. */
const sees = (read: () => Promise<unknown>, value: unknown) =>
  waitUntil('the change', async () => (await read()) === value)

describe('two instances', () => {
  it('share values, and answer from their own copies until one of them changes', async () => {
    const [one, two] = await openTwo()
    await one.set('shared', { n: 1n, at: new Date(5) }, { ttl })
    expect(await two.get('shared')).toEqual({ n: 1n, at: new Date(5) })
    const { localHits } = two.figures()
    // A copy that was made before the news of the first value came is dropped once.
    await waitUntil('a copy of its own', async () => {
      expect(await two.get('shared')).toEqual({ n: 1n, at: new Date(5) })
      return two.figures().localHits === localHits + 1
    })
    await one.set('shared', 'newer', { ttl })
    await sees(() => two.get('shared'), 'newer')
    await two.delete('shared')
    await sees(() => one.get('shared'), undefined)
  })

  it('keep nothing of their own where the local level is off, and still answer', async () => {
    const [one, two] = await openTwo({ local: false })
    await one.mset(
      ['a', 'b', 'c'].map((key) => ({ key, value: key })),
      { ttl },
    )
    expect(await two.mget(['c', 'none', 'a'])).toEqual(['c', undefined, 'a'])
    expect(two.figures()).toMatchObject({ localHits: 0, memoryEntries: 0, hits: 2, misses: 1 })
  })

  it('make every value with a tag a miss for each other, computed before or meanwhile', async () => {
    const [one, two] = await openTwo()
    const space = { one: one.space('users'), two: two.space('users') }
    await space.one.set('7', 'old', { ttl, tags: ['role', 'team'] })
    await space.one.set('8', 'other', { ttl, tags: ['team'] })
    expect(await space.two.mget(['7', '8'])).toEqual(['old', 'other'])
    const { compute, begun, finish } = held()
    const slow = space.one.getOrSet('9', { ttl, tags: ['role'] }, compute)
    await begun()
    await space.two.invalidate('role')
    finish('from before')
    expect(await slow).toBe('from before')
    await sees(() => space.one.get('7'), undefined)
    expect(await space.two.mget(['7', '8', '9'])).toEqual([undefined, 'other', undefined])
    expect(await space.one.get('9')).toBe(undefined)
    expect(two.figures().missesBy.invalidated).toBeGreaterThan(0)
  })

  it('need no second question for a value with tags that they know', async () => {
    const [one, two] = await openTwo()
    for (const key of ['a', 'b']) await one.set(key, key, { ttl, tags: ['known'] })
    expect(await two.get('a')).toBe('a')
    const before = two.stats().latency.reads.count
    expect(await two.get('b')).toBe('b')
    expect(two.stats().latency.reads.count).toBe(before + 1)
  })

  it('compute once for 500 callers', async () => {
    const [one, two] = await openTwo()
    let computed = 0
    const compute = async () => {
      computed++
      await delay(100)
      return { list: [computed] }
    }
    const answers = await Promise.all(
      Array.from({ length: 500 }, (_, n) => [one, two][n % 2]?.getOrSet('expensive', { ttl }, compute)),
    )
    expect(computed).toBe(1)
    expect(answers.every((answer) => answer?.list[0] === 1)).toBe(true)
    const distinct = new Set(answers)
    expect(distinct.size).toBe(500)
    const [a, b] = [one, two].map((cache) => cache.stats().namespaces[0])
    expect((a?.computed ?? 0) + (b?.computed ?? 0)).toBe(1)
  })

  it('compute again where the first holder of the lock failed', async () => {
    const [one, two] = await openTwo()
    let runs = 0
    const compute = async () => {
      await delay(30)
      if (++runs === 1) throw new Error('the first fails')
      return runs
    }
    const answers = await Promise.allSettled([one, two].map((cache) => cache.getOrSet('k', { ttl }, compute)))
    expect(answers.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    expect(runs).toBe(2)
  })

  it('do not keep what was computed before another deleted its key', async () => {
    const [one, two] = await openTwo()
    const { compute, begun, finish } = held()
    const slow = one.getOrSet('k', { ttl }, compute)
    await begun()
    await two.delete('k')
    finish('old')
    expect(await slow).toBe('old')
    expect([await one.get('k'), await two.get('k')]).toEqual([undefined, undefined])
  })
})

describe('what stands in Redis', () => {
  it('lies under prefix and namespace, for as long as it may be served', async () => {
    const prefix = newPrefix()
    const cache = await open({ redis: redis(), prefix })
    const value = Array.from({ length: 40 }, (_, n) => ({ number: n, state: 'pending', note: 'delivered' }))
    await cache.space('orders').set('list', value, { ttl: 10_000, stale: 50_000, tags: ['all'] })
    const life = Number(await server.command('PTTL', `${prefix}orders:list`))
    expect(life).toBeGreaterThan(55_000)
    expect(life).toBeLessThanOrEqual(60_000)
    const stored = Number(await server.command('STRLEN', `${prefix}orders:list`))
    expect(stored).toBeLessThan(JSON.stringify(value).length / 2)
    expect(cache.figures()).toMatchObject({ storedBytes: stored, compressedValues: 1 })
  })

  it('is a miss, with its reason, when it is of another format; the format before is read', async () => {
    const prefix = newPrefix()
    const cache = await open({ redis: redis(), prefix })
    await server.command('SET', `${prefix}default:later`, '\u0009whatever')
    await server.command('SET', `${prefix}default:former`, '\u0001{"a":1}')
    expect(await cache.get('later')).toBe(undefined)
    expect(await cache.get('former')).toEqual({ a: 1 })
    expect(cache.figures().missesBy.unreadable).toBe(1)
    expect(await readEntry(Buffer.from('\u0001{"a":1}'))).toMatchObject({ value: { a: 1 } })
  })

  it('is refused over the limit, with both sizes, and nothing is written', async () => {
    const prefix = newPrefix()
    const cache = await open({ redis: redis(), prefix, maxValueBytes: 10_000 })
    await expect(cache.set('k', randomBytes(20_000), { ttl })).rejects.toMatchObject({
      code: 'BAD_INPUT',
      message: expect.stringMatching(/20\d\d\d bytes.*10000/),
    })
    expect(await server.command('EXISTS', `${prefix}default:k`)).toBe(0)
  })
})

describe('while Redis is away', () => {
  it('answers from memory, says why, and comes back without what is old', async () => {
    const own = await startRedis()
    const changes: CacheStateChange[] = []
    const cache = await open({ redis: { host: own.host, port: own.port } }, (change) => changes.push(change))
    await cache.set('kept', 1, { ttl })
    await cache.set('changed', 1, { ttl })
    await own.kill9()
    await waitUntil('the fallback', async () => cache.figures().state !== 'redis')
    expect(await cache.get('kept')).toBe(1)
    await cache.set('changed', 2, { ttl })
    expect(await cache.get('changed')).toBe(2)
    expect(await cache.getOrSet('computed', { ttl }, async () => 3)).toBe(3)
    expect(await cache.get('computed')).toBe(3)
    expect(await cache.get('absent')).toBe(undefined)
    expect(cache.figures().missesBy.unavailable).toBeGreaterThan(0)
    expect(cache.figures().fallbacks).toBeGreaterThan(0)
    expect(cache.stats()).toMatchObject({ state: 'memory', localServes: false })
    await own.start()
    await ready(cache)
    expect(await cache.get('changed')).toBe(undefined)
    await cache.set('changed', 4, { ttl })
    expect(await cache.get('changed')).toBe(4)
    expect(changes.map(({ to }) => to)).toEqual(expect.arrayContaining(['redis', 'memory']))
    await own.stop()
  })

  it('revives no value whose tag was invalidated meanwhile', async () => {
    const own = await startRedis()
    const config = { redis: { host: own.host, port: own.port }, deadline: 100 }
    const cache = await open(config)
    await cache.set('tagged', 'old', { ttl, tags: ['t'] })
    own.pause()
    await cache.invalidate('t')
    expect(await cache.get('tagged')).toBe(undefined)
    own.resume()
    await ready(cache)
    expect(await cache.get('tagged')).toBe(undefined)
    const other = await open(config)
    expect(await other.get('tagged')).toBe(undefined)
    await own.stop()
  })
})

describe('on a cluster', () => {
  it('spreads keys, tags and locks over the slots, and computes once for two instances', async () => {
    const cluster = await startRedisCluster(6, { password: 'cluster' })
    const config = { cluster: { nodes: cluster.addresses.split(','), password: 'cluster' } }
    const [one, two] = await Promise.all([open(config), open(config)])
    const items = Array.from({ length: 60 }, (_, n) => ({ key: `key:${n}`, value: n }))
    await one.mset(items, { ttl, tags: ['all'] })
    expect(await two.mget(items.map(({ key }) => key))).toEqual(items.map(({ value }) => value))
    let computed = 0
    const compute = async () => {
      await delay(50)
      return ++computed
    }
    await Promise.all(
      Array.from({ length: 100 }, (_, n) => [one, two][n % 2]?.getOrSet('once', { ttl }, compute)),
    )
    expect(computed).toBe(1)
    await two.invalidate('all')
    await sees(() => one.get('key:59'), undefined)
    expect(await one.mget(items.map(({ key }) => key))).toEqual(items.map(() => undefined))
    await cluster.stop()
  })
})
