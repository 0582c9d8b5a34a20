import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { freePorts, waitUntil } from '@/db/testing/processes'
import { type RedisCluster, type RedisServer, startRedis, startRedisCluster } from '@/db/testing/servers'
import { needsRedis } from '@/db/testing/shared'
import { closeLevels, openReady, placeOf, type TestLevel, text } from './testing'

const ttl = 60_000
const armed = (level: TestLevel) => waitUntil('tracking', async () => level.figures().tracking)

describe('being told of changes that others make', () => {
  needsRedis()
  let server: RedisServer
  let cluster: RedisCluster
  beforeAll(async () => {
    ;[server, cluster] = await Promise.all([startRedis(), startRedisCluster()])
  })
  afterEach(closeLevels)
  afterAll(() => Promise.all([server.stop(), cluster.stop()]))

  async function pair(place: Parameters<typeof openReady>[0]): Promise<[TestLevel, TestLevel]> {
    const one = await openReady(place, { tracking: true })
    const two = await openReady(place, { tracking: true, prefix: one.prefix })
    await Promise.all([armed(one), armed(two)])
    one.told.length = 0
    two.told.length = 0
    return [one, two]
  }
  const has = (level: TestLevel, key: string) =>
    waitUntil(`the news of ${key}`, async () => level.told.some((keys) => keys?.includes(key)))

  it('names keys that others set, delete or let expire, and none of our own', async () => {
    const [one, two] = await pair(placeOf(server))
    await one.set('ours', text('1'), ttl)
    await one.get('never read')
    await two.set('theirs', text('2'), ttl)
    await two.set('short', text('3'), 20)
    await has(one, 'theirs')
    await two.delete(['theirs'])
    await waitUntil('two news', async () => one.told.flat().filter((key) => key === 'theirs').length === 2)
    await has(two, 'ours')
    expect(one.told.flat()).not.toContain('ours')
    one.told.length = 0
    await server.command('GET', `${one.prefix}short`)
    await waitUntil('the end', async () => {
      await server.command('GET', `${one.prefix}short`)
      return one.told.flat().includes('short')
    })
    await server.command('FLUSHALL')
    await waitUntil('everything', async () => one.told.includes(null))
  })

  it('says that anything may have changed when a connection ends, and tells again afterwards', async () => {
    const [one, two] = await pair(placeOf(server))
    await server.command('CLIENT', 'KILL', 'TYPE', 'pubsub')
    await waitUntil('everything', async () => one.told.includes(null))
    await Promise.all([armed(one), armed(two)])
    await two.set('a', text('1'), ttl)
    await has(one, 'a')
    one.told.length = 0
    await server.command('CLIENT', 'KILL', 'TYPE', 'normal')
    await waitUntil('everything', async () => one.told.includes(null))
    await Promise.all([one.reaches('redis'), two.reaches('redis'), armed(one), armed(two)])
    await waitUntil('a change', async () => {
      await two.set('b', text('1'), ttl)
      return one.told.flat().includes('b')
    })
  })

  it('says that anything may have changed after we deleted all of ours: Redis keeps own changes to itself', async () => {
    const [one] = await pair(placeOf(server))
    await one.set('a', text('1'), ttl)
    const [port] = await freePorts(1)
    await server.command('REPLICAOF', '127.0.0.1', port as number)
    try {
      await one.set('a', text('2'), ttl)
      await one.reaches('degraded')
      expect(one.told).not.toContain(null)
    } finally {
      await server.command('REPLICAOF', 'NO', 'ONE')
    }
    await one.reaches('redis')
    expect(one.told).toContain(null)
    expect(await one.get('a')).toBeNull()
  })

  it('comes from every master of a cluster, and from those that take over', async () => {
    const [one, two] = await pair({ cluster: { nodes: cluster.addresses.split(',') } })
    const keys = Array.from({ length: 50 }, (_, at) => `key ${at}`)
    await two.mset(keys.map((key) => ({ key, entry: text('1'), ttl })))
    await waitUntil('all keys', async () => keys.every((key) => one.told.flat().includes(key)))
    const [first] = cluster.nodes as [RedisServer]
    await first.kill9()
    await waitUntil('the loss', async () => !one.figures().tracking)
    await Promise.all([one.reaches('redis'), two.reaches('redis')])
    await Promise.all([armed(one), armed(two)])
    one.told.length = 0
    await two.mset(keys.map((key) => ({ key, entry: text('2'), ttl })))
    await waitUntil('all keys', async () => keys.every((key) => one.told.flat().includes(key)))
  })
})
