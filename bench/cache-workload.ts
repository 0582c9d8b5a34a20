import { parseArgs } from 'node:util'
import { type RedisCluster, startRedisCluster } from '@/db/testing/servers'
import { type Cache, type CacheSpace, createCache, type SetOptions } from '@/server/cache'
import { Truth } from './lib/cache-truth'
import { zipf } from './lib/cache-zipf'
import { quantile } from './lib/load'
import { benchLine } from './lib/measure'
import { seeded } from './lib/seeded'

/**
 * Reads by Zipf's law over 100,000 keys with times to live, and 10 % writes, by two instances on a cluster of six nodes
 * that has memory for 30 % of the keys; nothing is loaded before, and calls come at their time whether the ones before
 * have ended or not. A write changes the source, invalidates (by key, of one key in twenty by tag) and sets.
 */
const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '300' },
    rate: { type: 'string', default: '2000' },
    keys: { type: 'string', default: '100000' },
    exponent: { type: 'string', default: '1.1' },
    share: { type: 'string', default: '0.3' },
    seed: { type: 'string', default: '1' },
  },
})
const seconds = Number(options.seconds)
const rate = Number(options.rate)
const keys = Number(options.keys)
const random = seeded(Number(options.seed))
const rank = zipf(keys, Number(options.exponent), random)
const TICK = 10
const WRITES = 0.1
const MASTERS = 3

const NOTE = 'Ordered twice before, pays by invoice, delivery to the back door on weekdays only. '
const truth = new Truth(keys)
const times = { read: [] as number[], write: [] as number[] }
let failed = 0

const cluster = await startRedisCluster(6, {
  settings: { 'maxmemory-policy': 'allkeys-lfu', 'maxmemory-samples': 10 },
})
try {
  await bench()
} finally {
  await cluster.stop()
}

async function bench(): Promise<void> {
  const bytes = await bytesOfKey(cluster)
  await limitMemory(cluster, bytes * keys * Number(options.share))
  // Beside Redis each process has a tenth of that, as the console has next to a cache of its own.
  const open = () => openInstance(cluster, Math.round(bytes * keys * Number(options.share) * 0.1))
  const caches = await Promise.all([open(), open()])
  const spaces = caches.map((cache) => cache.space('items'))
  console.log(`${Math.round(bytes)} B a key in Redis; ${seconds} s at ${rate} calls a second`)
  await run(spaces)
  report(caches)
  for (const cache of caches) await cache.close()
}

/** Begins calls at their times; resolves when the last of them has ended. */
async function run(spaces: CacheSpace[]): Promise<void> {
  const begun = performance.now()
  const calls = new Set<Promise<void>>()
  let asked = 0
  while (asked < seconds * rate) {
    // What came in while this process was held up is heard first, as it would be by two processes.
    await new Promise((resolve) => setImmediate(resolve))
    const due = Math.min(seconds * rate, ((performance.now() - begun) / 1000) * rate)
    for (; asked < due; asked++) {
      const call = one(spaces[asked % spaces.length] as CacheSpace).catch((error: unknown) => {
        if (failed++ === 0) console.error(error)
      })
      calls.add(call)
      void call.then(() => calls.delete(call))
    }
    await new Promise((resolve) => setTimeout(resolve, TICK))
  }
  await Promise.all(calls)
}

async function one(space: CacheSpace): Promise<void> {
  const key = rank()
  const begun = performance.now()
  if (random() < WRITES) {
    await truth.write(key, (version) => write(space, key, version))
    times.write.push(performance.now() - begun)
    return
  }
  const item = await space.getOrSet(`item:${key}`, settings(key), async () => {
    // The source: what it says when it is asked arrives later.
    const value = record(key, truth.now(key))
    await new Promise((resolve) => setTimeout(resolve, 2 + random() * 3))
    return value
  })
  times.read.push(performance.now() - begun)
  truth.read(key, item.version, begun)
}

async function write(space: CacheSpace, key: number, version: number): Promise<void> {
  if (isTagged(key)) await space.invalidate(tagOf(key))
  else await space.delete(`item:${key}`)
  truth.invalidated(key, version)
  await space.set(`item:${key}`, record(key, version), settings(key))
}

function isTagged(key: number): boolean {
  return key % 20 === 0
}

function tagOf(key: number): string {
  return `item-${key}`
}

function settings(key: number): SetOptions {
  const ttl = 60_000 + random() * 540_000
  return isTagged(key) ? { ttl, tags: [tagOf(key)] } : { ttl }
}

function record(key: number, version: number) {
  const id = Math.floor(random() * 2 ** 48).toString(16)
  return { id, key, version, name: `Item ${key}`, price: key / 100, note: NOTE.repeat(1 + (key % 4)) }
}

async function openInstance({ addresses }: RedisCluster, memoryBytes: number): Promise<Cache> {
  const nodes = addresses.split(',')
  const cache = createCache({ cluster: { nodes }, memoryBytes, prefix: 'bench:' })
  const until = performance.now() + 10_000
  while (!(cache.stats().state === 'redis' && cache.stats().localServes)) {
    if (performance.now() > until) throw new Error(`The cache is not ready: ${cache.stats().reason}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return cache
}

/** What one key takes in Redis, with its tag where it has one, by the mean of some thousand. */
async function bytesOfKey(of: RedisCluster): Promise<number> {
  const cache = await openInstance(of, 2 ** 24)
  const space = cache.space('items')
  const sample = 6_000
  const before = await usedBytes(of)
  for (let key = 0; key < sample; key += 100) {
    const group = Array.from({ length: 100 }, (_, n) => key + n)
    await Promise.all(group.map((n) => space.set(`item:${n}`, record(n, 0), settings(n))))
  }
  const used = (await usedBytes(of)) - before
  await cache.close()
  await Promise.all(of.nodes.slice(0, MASTERS).map((node) => node.command('FLUSHALL')))
  return used / sample
}

async function usedBytes({ nodes }: RedisCluster): Promise<number> {
  const used = await Promise.all(
    nodes.slice(0, MASTERS).map(async (node) => {
      const info = String(await node.command('INFO', 'memory'))
      return Number(/used_memory_dataset:(\d+)/.exec(info)?.[1])
    }),
  )
  return used.reduce((sum, bytes) => sum + bytes, 0)
}

/** Redis counts what it needs for itself, too: that comes on top. */
async function limitMemory({ nodes }: RedisCluster, bytes: number): Promise<void> {
  for (const node of nodes) {
    const info = String(await node.command('INFO', 'memory'))
    const own = Number(/used_memory:(\d+)/.exec(info)?.[1])
    await node.command('CONFIG', 'SET', 'maxmemory', Math.round(own + bytes / MASTERS))
  }
}

function report(caches: Cache[]): void {
  const sums = { hits: 0, localHits: 0, misses: 0, fallbacks: 0, evictions: 0 }
  for (const figures of caches.map((cache) => cache.figures())) {
    for (const name of Object.keys(sums) as (keyof typeof sums)[]) sums[name] += figures[name]
  }
  const reads = sums.hits + sums.misses
  const share = (n: number) => `${((n / reads) * 100).toFixed(1)} %`
  const spread = (list: number[]) =>
    [0.5, 0.99].map((q) => `p${q * 100} ${quantile(list, q).toFixed(2)} ms`).join(', ')
  console.log(`hits ${share(sums.hits)} (local level ${share(sums.localHits)}), misses ${share(sums.misses)}`)
  for (const cache of caches) console.log(`misses by reason ${JSON.stringify(cache.figures().missesBy)}`)
  console.log(
    `reads ${spread(times.read)}; writes ${spread(times.write)}; from memory for want of Redis ${sums.fallbacks}`,
  )
  for (const example of truth.examples) console.log(`stale: ${example}`)
  if (failed > 0) console.log(`calls that threw: ${failed}`)
  console.log(benchLine('cache-workload', { hit_ratio: sums.hits / reads, stale: truth.stale }))
  if (failed > 0 || truth.stale > 0) process.exitCode = 1
}
