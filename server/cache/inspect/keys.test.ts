import { Redis } from 'ioredis'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type RedisServer, startRedis } from '@/db/testing/redis'
import { systemClock } from '@/server/clock'
import { type CacheInspectorDeps, openCacheInspector } from './index'
import { openTestControl } from './testing'
import type { CacheInspector, KeyQuery } from './types'

let server: RedisServer
let client: Redis
let inspector: CacheInspector
let forgotten: (readonly string[] | null)[] = []
let close: (() => Promise<void>) | undefined

const deps = (): Omit<CacheInspectorDeps, 'control'> => ({
  clock: systemClock,
  prefix: 'hold*:',
  forget: async (keys) => {
    forgotten.push(keys)
  },
})

beforeAll(async () => {
  server = await startRedis()
  client = new Redis(server.port)
  const opened = await openTestControl({ redis: { host: server.host, port: server.port } })
  close = opened.close
  inspector = openCacheInspector({ ...deps(), control: () => opened.control })
})
afterAll(async () => {
  await close?.()
  client?.disconnect()
  await server?.stop()
})
beforeEach(async () => {
  forgotten = []
  await client.flushall()
})

/** All pages of a folder. */
async function pages(query: KeyQuery) {
  const found = []
  let cursor: string | null = null
  do {
    const page = await inspector.keys({ ...query, cursor })
    found.push(page)
    cursor = page.cursor
  } while (cursor)
  return found
}

test('keys of ours are a tree of folders, and those of others are not in it', async () => {
  await client.mset({ 'hold*:users:1': 'a', 'hold*:users:x:2': 'b', 'hold*:lone': 'c', 'holdx:users:3': 'd' })
  const root = await inspector.keys({ scope: 'ours', prefix: '' })
  expect(root.folders).toEqual([{ prefix: 'hold*:users:', name: 'users', keys: 2 }])
  expect(root.keys).toMatchObject([{ key: 'hold*:lone', name: 'lone', type: 'string', ttl: null }])
  expect(root.keys[0]?.bytes).toBeGreaterThan(10)
  expect(root).toMatchObject({ scanned: 4, total: 4, cursor: null })

  const users = await inspector.keys({ scope: 'ours', prefix: 'hold*:users:' })
  expect(users.folders).toEqual([{ prefix: 'hold*:users:x:', name: 'x', keys: 1 }])
  expect(users.keys).toMatchObject([{ key: 'hold*:users:1', name: '1' }])

  const all = await inspector.keys({ scope: 'all', prefix: '' })
  expect(all.folders.map((folder) => folder.prefix)).toEqual(['hold*:', 'holdx:'])
  await expect(inspector.keys({ scope: 'ours', prefix: 'holdx:' })).rejects.toMatchObject({
    code: 'BAD_INPUT',
  })
})

test('10,000 keys are paged wholly and once, with few on a page and all of them counted', async () => {
  const names = Array.from({ length: 10_000 }, (_, index) => `hold*:list:${index}`)
  await client.mset(names.flatMap((name) => [name, 'v']))
  const found = await pages({ scope: 'ours', prefix: 'hold*:list:' })
  expect(found.flatMap((page) => page.keys.map((key) => key.key)).sort()).toEqual([...names].sort())
  expect(Math.max(...found.map((page) => page.keys.length))).toBeLessThanOrEqual(200)
  expect(found.at(-1)).toMatchObject({ scanned: 10_000, total: 10_000 })
  const steps = found.map((page) => page.scanned)
  expect(steps).toEqual([...steps].sort((a, b) => a - b))

  const folders = await pages({ scope: 'ours', prefix: '' })
  expect(folders.every((page) => page.scanned <= 10_000)).toBe(true)
  expect(folders.flatMap((page) => page.folders).reduce((sum, folder) => sum + folder.keys, 0)).toBe(10_000)
})

test('a page ends early where hardly any key matches, so that no call takes long', async () => {
  await client.mset(Array.from({ length: 20_000 }, (_, index) => [`other:${index}`, 'v']).flat())
  await client.set('hold*:one', 'v')
  const found = await pages({ scope: 'ours', prefix: '' })
  expect(found.length).toBeGreaterThan(2)
  expect(found.flatMap((page) => page.keys)).toMatchObject([{ key: 'hold*:one' }])
})

test('binary keys are shown with escapes, and found, changed and deleted by what is shown', async () => {
  const binary = Buffer.concat([Buffer.from('hold*:bin:'), Buffer.from([0, 0xff, 0x5c, 0x78, 0x34, 0x31])])
  await client.set(binary, 'v')
  const page = await inspector.keys({ scope: 'ours', prefix: 'hold*:bin:' })
  const key = page.keys[0]?.key as string
  expect(key).toBe('hold*:bin:\\x00\\xff\\x5cx41')
  expect(await inspector.key(key)).toMatchObject({ key, content: { kind: 'string', text: 'v' } })
  await inspector.expire(key, 50_000)
  expect(await client.pttl(binary)).toBeGreaterThan(40_000)
  expect(await inspector.match({ scope: 'ours', pattern: 'bin:\\x00\\xff*' })).toMatchObject({ matched: 1 })
  expect(await inspector.deleteKeys([key, key])).toBe(1)
  expect(await client.exists(binary)).toBe(0)
})

test('a glob picks keys of a folder', async () => {
  await client.mset({ 'hold*:u:anna': '1', 'hold*:u:anne': '2', 'hold*:u:bert': '3' })
  const page = await inspector.keys({ scope: 'ours', prefix: 'hold*:u:', match: 'ann[ae]' })
  expect(page.keys.map((key) => key.name)).toEqual(['anna', 'anne'])
})

test('a cursor that is not one of ours is refused', async () => {
  const write = (parts: unknown) => Buffer.from(JSON.stringify(parts)).toString('base64url')
  const address = `127.0.0.1:${server.port}`
  for (const cursor of [
    'nonsense',
    write({}),
    write([address, 'x', 0, 0]),
    write([address, '99999999999999999999', 0, 0]),
    write([address, '0', -1, 0]),
    write(['10.0.0.1:1', '0', 0, 0]),
  ]) {
    await expect(inspector.keys({ scope: 'ours', prefix: '', cursor })).rejects.toMatchObject({
      code: 'BAD_INPUT',
    })
  }
})

test('a pattern deletes what its dry run told, ours alone, and local copies are forgotten', async () => {
  await client.mset({ 'hold*:u:1': 'a', 'hold*:u:2': 'b', 'hold*:v:1': 'c', 'u:1': 'd', 'holdx:u:1': 'e' })
  expect(await inspector.match({ scope: 'ours', pattern: 'u:*' })).toMatchObject({
    matched: 2,
    scanned: 5,
    examples: ['hold*:u:1', 'hold*:u:2'],
  })
  expect(await inspector.deletePattern({ scope: 'ours', pattern: 'u:*' })).toBe(2)
  expect(forgotten.flat().sort()).toEqual(['u:1', 'u:2'])
  expect((await client.keys('*')).sort()).toEqual(['hold*:v:1', 'holdx:u:1', 'u:1'])
  expect(await inspector.deletePattern({ scope: 'all', pattern: '*u:1' })).toBe(2)
  await expect(inspector.deletePattern({ scope: 'all', pattern: '' })).rejects.toMatchObject({
    code: 'BAD_INPUT',
  })
})

test('a namespace, all of ours, or everything is cleared, and the count is what was there', async () => {
  const fill = { 'hold*:u:1': 'a', 'hold*:uu:1': 'b', 'hold*:#tag:u:t': 'c', 'hold*:#lock:u:1': 'd', x: 'e' }
  await client.mset(fill)
  expect(await inspector.clear({ scope: 'namespace', namespace: 'u' })).toBe(1)
  expect(forgotten).toEqual([null])
  expect(await inspector.clear({ scope: 'ours' })).toBe(3)
  expect(await client.keys('*')).toEqual(['x'])
  await client.mset(fill)
  expect(await inspector.clear({ scope: 'all' })).toBe(5)
  expect(await client.dbsize()).toBe(0)
})

test('a key gets another time to live, or none, and one that has gone is told', async () => {
  await client.set('hold*:u:1', 'a', 'PX', 60_000)
  await inspector.expire('hold*:u:1', null)
  expect(await client.pttl('hold*:u:1')).toBe(-1)
  await inspector.expire('hold*:u:1', null)
  await inspector.expire('hold*:u:1', 9_000)
  expect(await client.pttl('hold*:u:1')).toBeGreaterThan(8_000)
  expect(forgotten).toEqual([['u:1'], ['u:1'], ['u:1']])
  await expect(inspector.expire('hold*:u:2', 5)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  await expect(inspector.expire('hold*:u:2', null)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  await expect(inspector.expire('hold*:u:1', 0)).rejects.toMatchObject({ code: 'BAD_INPUT' })
})

test('without Redis every question says so', async () => {
  const alone = openCacheInspector({ ...deps(), control: () => null })
  await expect(alone.nodes()).rejects.toMatchObject({
    code: 'CACHE_UNAVAILABLE',
    message: 'No Redis is configured: the cache lives in this process.',
    remedy: expect.stringContaining('REDIS_HOST'),
  })
})
