import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { waitUntil } from '@/db/testing/processes'
import { type RedisCluster, startRedisCluster } from '@/db/testing/servers'
import { needsRedis, sharedRedis } from '@/db/testing/shared'
import type { Place } from '.'
import { closeLevels, openReady } from './testing'

let cluster: RedisCluster

afterEach(closeLevels)

describe.each(['single', 'cluster'] as const)('the Redis level on a %s', (mode) => {
  needsRedis()
  beforeAll(async () => {
    if (mode === 'cluster') cluster = await startRedisCluster()
  })
  afterAll(async () => {
    if (mode === 'cluster') await cluster.stop()
  })
  const here = (): Place => {
    if (mode === 'cluster') return { cluster: { nodes: cluster.addresses.split(',') } }
    const { host, port, password } = sharedRedis()
    return { redis: { host, port, password } }
  }
  const bytes = Buffer.from([0, 255, 13, 10, 128])

  it('keeps bytes, tells what is absent, and deletes', async () => {
    const level = await openReady(here())
    expect(await level.set('a', bytes, 60_000)).toBe(true)
    expect(await level.get('a')).toEqual(bytes)
    expect(await level.get('b')).toBe(null)
    expect(await level.delete(['a', 'b'])).toEqual([true, true])
    expect(await level.get('a')).toBe(null)
    expect(level.figures()).toMatchObject({ mode, state: 'redis', reason: null, errors: 0, pendingKeys: 0 })
    expect(level.figures().reads.count).toBe(3)
    expect(level.figures().writes.count).toBe(3)
  })

  it('answers many keys in their order', async () => {
    const level = await openReady(here())
    const keys = Array.from({ length: 300 }, (_, number) => `key ${number}`)
    const items = keys
      .filter((_, at) => at % 3 !== 0)
      .map((key) => ({ key, entry: Buffer.from(key), ttl: 60_000 }))
    expect(await level.mset(items)).toEqual(items.map(() => true))
    expect(await level.mget(keys)).toEqual(keys.map((key, at) => (at % 3 === 0 ? null : Buffer.from(key))))
    expect(await level.mget([])).toEqual([])
  })

  it('answers each of many reads of one turn, with one question for 64 of them where one node has all keys', async () => {
    const level = await openReady(here())
    const keys = Array.from({ length: 150 }, (_, number) => `key ${number}`)
    await level.mset(keys.slice(0, 149).map((key) => ({ key, entry: Buffer.from(key), ttl: 60_000 })))
    const { count } = level.figures().reads
    const entries = await Promise.all(keys.map((key) => level.get(key)))
    expect(entries).toEqual([...keys.slice(0, 149).map((key) => Buffer.from(key)), null])
    expect(level.figures().reads.count - count).toBe(mode === 'single' ? 3 : 150)
  })

  it('lets a value die when its time is over', async () => {
    const level = await openReady(here())
    await level.set('short', bytes, 20)
    await waitUntil('the end of the value', async () => (await level.get('short')) === null)
  })

  it('gives a lock to one, and takes it back from its owner alone', async () => {
    const level = await openReady(here())
    expect(await level.lock('l', 'one', 60_000)).toBe(true)
    expect(await level.lock('l', 'two', 60_000)).toBe(false)
    await level.unlock('l', 'two')
    expect(await level.lock('l', 'two', 60_000)).toBe(false)
    await level.unlock('l', 'one')
    expect(await level.lock('l', 'two', 60_000)).toBe(true)
  })
})
