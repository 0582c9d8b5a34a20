import { Cluster } from 'ioredis'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { waitUntil } from '@/db/testing/processes'
import { type RedisCluster, startRedisCluster } from '@/db/testing/redis'
import { systemClock } from '@/server/clock'
import { clusterReport, readClusterNodes } from './cluster'
import { openCacheInspector } from './index'
import { openTestControl } from './testing'
import type { CacheInspector, KeyPage } from './types'

let cluster: RedisCluster
let client: Cluster
let inspector: CacheInspector
let close: (() => Promise<void>) | undefined
let forgotten: (readonly string[] | null)[] = []

beforeAll(async () => {
  cluster = await startRedisCluster()
  client = new Cluster(cluster.nodes.map(({ host, port }) => ({ host, port })))
  const opened = await openTestControl({ cluster: { nodes: cluster.addresses.split(',') } })
  close = opened.close
  inspector = openCacheInspector({
    clock: systemClock,
    control: () => opened.control,
    prefix: 'holdfast:',
    forget: async (keys) => {
      forgotten.push(keys)
    },
  })
})
afterAll(async () => {
  await close?.()
  client?.disconnect()
  await cluster?.stop()
})
beforeEach(async () => {
  forgotten = []
  await Promise.all(cluster.nodes.slice(0, 3).map((node) => node.command('FLUSHALL')))
})

async function fill(prefix: string, count: number): Promise<string[]> {
  const names = Array.from({ length: count }, (_, index) => `${prefix}${index}`)
  await Promise.all(names.map((name) => client.set(name, 'v')))
  return names
}

test('10,000 keys of a cluster are paged wholly and once, master by master', async () => {
  const names = await fill('holdfast:users:', 10_000)
  await fill('other:', 500)
  const found: KeyPage[] = []
  do
    found.push(
      await inspector.keys({ scope: 'ours', prefix: 'holdfast:users:', cursor: found.at(-1)?.cursor }),
    )
  while (found.at(-1)?.cursor)
  expect(found.flatMap((page) => page.keys.map((key) => key.key)).sort()).toEqual([...names].sort())
  expect(found.at(-1)).toMatchObject({ scanned: 10_500, total: 10_500 })
  expect(Math.max(...found.map((page) => page.keys.length))).toBeLessThanOrEqual(200)
  expect(found.flatMap((page) => page.keys).every((key) => key.type === 'string' && key.bytes)).toBe(true)
})

test('a pattern is counted and deleted over all slots, exactly', async () => {
  const names = await fill('holdfast:users:', 2_500)
  await fill('holdfast:pages:', 300)
  await fill('users:', 200)
  expect(await inspector.match({ scope: 'ours', pattern: 'users:*' })).toMatchObject({
    matched: 2_500,
    scanned: 3_000,
  })
  expect(await inspector.deletePattern({ scope: 'ours', pattern: 'users:*' })).toBe(2_500)
  expect(new Set(forgotten.flat())).toEqual(new Set(names.map((name) => name.slice('holdfast:'.length))))
  expect(await inspector.match({ scope: 'all', pattern: '*' })).toMatchObject({ matched: 500 })
  expect(await inspector.deletePattern({ scope: 'ours', pattern: 'users:*' })).toBe(0)
})

test('the count leaves out keys that somebody else deletes meanwhile', async () => {
  const names = await fill('holdfast:users:', 4_000)
  const [counts, others] = await Promise.all([
    inspector.deletePattern({ scope: 'ours', pattern: '*' }),
    Promise.all(names.map((name) => client.unlink(name))),
  ])
  expect(counts + others.reduce((sum, count) => sum + count, 0)).toBe(4_000)
})

test('single keys, a namespace, ours and everything are deleted on every master', async () => {
  const names = await fill('holdfast:users:', 100)
  expect(await inspector.deleteKeys([...names.slice(0, 40), 'holdfast:users:none'])).toBe(40)
  await fill('holdfast:pages:', 50)
  await client.set('holdfast:#tag:pages:all', '1')
  expect(await inspector.clear({ scope: 'namespace', namespace: 'users' })).toBe(60)
  await fill('foreign:', 70)
  expect(await inspector.clear({ scope: 'ours' })).toBe(51)
  expect(await inspector.clear({ scope: 'all' })).toBe(70)
  expect(forgotten.filter((keys) => keys === null)).toHaveLength(3)
})

test('a key is read and changed on the master that has it', async () => {
  for (const key of ['holdfast:a:1', 'holdfast:a:2', 'holdfast:a:3', 'holdfast:a:4']) {
    await client.set(key, key)
    expect(await inspector.key(key)).toMatchObject({ content: { text: key } })
    await inspector.expire(key, 30_000)
    expect(await client.pttl(key)).toBeGreaterThan(20_000)
  }
})

test('a key whose slot is on its way to another master is counted where it is', async () => {
  const [from, to] = cluster.nodes
  const names = Array.from({ length: 20 }, (_, index) => `holdfast:{move}:${index}`)
  await Promise.all(names.map((name) => client.set(name, 'v')))
  const slot = Number(await client.call('CLUSTER', 'KEYSLOT', '{move}'))
  const source =
    cluster.nodes.slice(0, 3).find((_, index) => Math.floor((slot * 3) / 16_384) === index) ?? from
  const target = source === to ? from : to
  const ids = await Promise.all([source, target].map((node) => node?.command('CLUSTER', 'MYID')))
  await target?.command('CLUSTER', 'SETSLOT', slot, 'IMPORTING', String(ids[0]))
  await source?.command('CLUSTER', 'SETSLOT', slot, 'MIGRATING', String(ids[1]))
  await source?.command('MIGRATE', '127.0.0.1', target?.port ?? 0, '', 0, 5_000, 'KEYS', ...names.slice(0, 8))
  try {
    expect(await inspector.deleteKeys(names)).toBe(20)
  } finally {
    await target?.command('CLUSTER', 'SETSLOT', slot, 'STABLE')
    await source?.command('CLUSTER', 'SETSLOT', slot, 'STABLE')
  }
})

test('a sample is spread over the masters', async () => {
  await fill('holdfast:users:', 3_000)
  const sample = await inspector.sample('all')
  expect(sample.total).toBe(3_000)
  expect(sample.sampled).toBeGreaterThanOrEqual(1_000)
  expect(sample.groups).toMatchObject([{ name: 'users', ours: true, keys: 3_000 }])
})

test('nodes tell their slots and replication, and a replica that is down is listed as such', async () => {
  const report = await inspector.nodes()
  expect(report).toMatchObject({
    mode: 'cluster',
    cluster: { state: 'ok', slotsCovered: 16_384, failing: [] },
  })
  const primaries = report.nodes.filter((node) => node.role === 'primary')
  expect(primaries).toHaveLength(3)
  expect(primaries.flatMap((node) => node.slots).reduce((sum, { from, to }) => sum + to - from + 1, 0)).toBe(
    16_384,
  )
  const replicas = report.nodes.filter((node) => node.role === 'replica')
  expect(replicas.every((node) => node.linked && node.slots.length === 0)).toBe(true)
  expect(replicas.every((node) => primaries.some((primary) => primary.address === node.primary))).toBe(true)

  const down = cluster.nodes[5]
  await down?.kill9()
  const address = `127.0.0.1:${down?.port}`
  await waitUntil(
    'the cluster to notice',
    async () => ((await inspector.nodes()).cluster?.failing.length ?? 0) > 0,
  )
  const after = await inspector.nodes()
  expect(after.nodes).toHaveLength(6)
  const dead = after.nodes.find((node) => node.address === address)
  expect(dead).toMatchObject({ role: null, keys: null })
  expect(dead?.error).toBeTruthy()
  expect(after.cluster?.failing[0]).toContain(`The replica ${address} is`)
  expect((await inspector.slowLog()).threshold).toBe(10_000)
  await fill('holdfast:users:', 100)
  expect(await inspector.clear({ scope: 'ours' })).toBe(100)
})

test('what CLUSTER NODES tells of ranges, moving slots and gaps is understood', () => {
  const nodes = readClusterNodes(
    [
      'a 10.0.0.1:6379@16379,redis-1 myself,master - 0 0 1 connected 0-100 102 [103->-b]',
      'b 10.0.0.2:6379@16379 master,fail - 0 0 2 connected 103-16383',
      'c :0@0 master,noaddr - 0 0 3 disconnected',
      'd [::1]:6380@16380 slave,fail? a 0 0 1 connected',
    ].join('\n'),
  )
  expect(nodes.map(({ address }) => address)).toEqual(['10.0.0.1:6379', '10.0.0.2:6379', '[::1]:6380'])
  expect(nodes[0]?.slots).toEqual([
    { from: 0, to: 100 },
    { from: 102, to: 102 },
  ])
  const report = clusterReport(
    'cluster_state:fail\r\ncluster_slots_ok:102\r\ncluster_current_epoch:7\r\n',
    nodes,
  )
  expect(report).toEqual({
    state: 'fail',
    slotsCovered: 102,
    epoch: 7,
    failing: [
      'The primary 10.0.0.2:6379 is failed.',
      'The replica [::1]:6380 is suspected.',
      'Slot 101 has no primary.',
    ],
  })
})
