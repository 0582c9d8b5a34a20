import { afterEach, describe, expect, it } from 'vitest'
import { waitUntil } from '@/db/testing/processes'
import {
  type RedisCluster,
  type RedisSentinel,
  type RedisServer,
  startRedisCluster,
  startRedisSentinel,
} from '@/db/testing/servers'
import { needsRedis } from '@/db/testing/shared'
import { closeLevels, openReady, type TestLevel, text } from './testing'

const ttl = 600_000
const stops: (() => Promise<void>)[] = []

afterEach(async () => {
  await closeLevels()
  await Promise.all(stops.splice(0).map((stop) => stop()))
})

describe('the Redis level on a cluster in trouble', () => {
  needsRedis()
  const keys = Array.from({ length: 60 }, (_, at) => `key ${at}`)

  async function start(): Promise<[RedisCluster, TestLevel, RedisServer, string[]]> {
    const cluster = await startRedisCluster()
    stops.push(cluster.stop)
    const level = await openReady({ cluster: { nodes: cluster.addresses.split(',') } })
    await level.mset(keys.map((key) => ({ key, entry: text('old'), ttl })))
    const first = cluster.nodes[0] as RedisServer
    const address = `${first.host}:${first.port}`
    const theirs: string[] = []
    for (const key of keys) {
      if ((await level.control().masterOf(level.prefix + key)) === address) theirs.push(key)
    }
    return [cluster, level, first, theirs]
  }

  it.each(['killed', 'hung'])(
    'answers for the rest while a node is %s, until its replica takes over',
    async (how) => {
      const [, level, first, theirs] = await start()
      const others = keys.filter((key) => !theirs.includes(key))
      if (how === 'killed') await first.kill9()
      else first.pause()
      await Promise.all(theirs.slice(0, 3).map((key) => level.set(key, text('new'), ttl)))
      await level.reaches('degraded', new RegExp(`${first.port}: `))
      expect(await level.get(theirs[0] as string)).toBe(undefined)
      expect((await level.mget(others)).every((entry) => entry?.equals(text('old')))).toBe(true)
      await level.reaches('redis')
      const after = await level.mget(theirs)
      expect(after.slice(0, 3)).toEqual([null, null, null])
      const taken = await Promise.all(keys.map((key) => level.set(key, text('new'), ttl)))
      expect(taken, JSON.stringify(level.figures())).not.toContain(false)
      first.resume()
      expect((await level.mget(keys)).every((entry) => entry?.equals(text('new')))).toBe(true)
    },
  )

  it('follows slots that move to another node', async () => {
    const [cluster, level, first, theirs] = await start()
    const second = cluster.nodes[1] as RedisServer
    const key = theirs[0] as string
    const slot = Number(await first.command('CLUSTER', 'KEYSLOT', level.prefix + key))
    const [from, to] = await Promise.all(
      [first, second].map(async (node) => String(await node.command('CLUSTER', 'MYID'))),
    )
    await second.command('CLUSTER', 'SETSLOT', slot, 'IMPORTING', from as string)
    await first.command('CLUSTER', 'SETSLOT', slot, 'MIGRATING', to as string)
    // All that lies in the slot: another key may share it by chance, and holds the move up otherwise.
    const there = (await first.command('CLUSTER', 'GETKEYSINSLOT', slot, keys.length)) as string[]
    await first.command('MIGRATE', second.host, second.port, '', 0, 1_000, 'KEYS', ...there)
    expect(await level.get(key)).toEqual(text('old'))
    expect(await level.set(key, text('new'), ttl)).toBe(true)
    for (const node of cluster.nodes.slice(0, 3))
      await node.command('CLUSTER', 'SETSLOT', slot, 'NODE', to as string)
    expect(await level.get(key)).toEqual(text('new'))
    expect(await level.set(key, text('newer'), ttl)).toBe(true)
    const moved = `${second.host}:${second.port}`
    await waitUntil('the slot', async () => (await level.control().masterOf(level.prefix + key)) === moved)
    expect(level.figures()).toMatchObject({ state: 'redis', errors: 0, pendingKeys: 0 })
  })
})

describe('the Redis level on a Sentinel group', () => {
  needsRedis()

  async function start(): Promise<[RedisSentinel, TestLevel]> {
    const group = await startRedisSentinel({ password: 'secret' })
    stops.push(group.stop)
    const place = { sentinels: group.addresses.split(','), name: group.name, password: 'secret' }
    return [group, await openReady({ sentinel: place }, { deadline: 200 })]
  }

  it.each(['killed', 'hung'])('uses the replica that takes over when the master is %s', async (how) => {
    const [{ master, replica }, level] = await start()
    expect(level.figures()).toMatchObject({ mode: 'sentinel', state: 'redis' })
    await level.mset(['a', 'b'].map((key) => ({ key, entry: text('old'), ttl })))
    await waitUntil('the replica', async () => (await replica.command('GET', `${level.prefix}b`)) === 'old')
    // What was written shortly before may not have reached the replica: it is not trusted there.
    await level.set('b', text('newer'), ttl)
    if (how === 'killed') await master.kill9()
    else master.pause()
    await level.set('a', text('new'), ttl)
    await level.reaches('memory')
    await level.reaches('redis')
    expect(await level.mget(['a', 'b'])).toEqual([null, null])
    expect(await level.set('a', text('newest'), ttl)).toBe(true)
    expect(await replica.command('GET', `${level.prefix}a`)).toBe('newest')
    expect(await level.control().nodes('masters')).toEqual([
      { address: `127.0.0.1:${replica.port}`, role: 'primary' },
    ])
    master.resume()
  })

  it('says that no master of that name is known', async () => {
    const [group] = await start()
    const { openLevel } = await import('./testing')
    const level = openLevel({ sentinel: { sentinels: group.addresses.split(','), name: 'other' } })
    await level.reaches('memory', 'The Sentinels know no master named other.')
  })
})
