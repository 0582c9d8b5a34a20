import { Redis } from 'ioredis'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type RedisServer, startRedis } from '@/db/testing/redis'
import { systemClock } from '@/server/clock'
import { encode } from '../codec'
import { openCacheInspector } from './index'
import { layOut } from './layout'
import { openTestControl } from './testing'
import { layOutJson } from './text'
import type { CacheInspector } from './types'

let server: RedisServer
let client: Redis
let inspector: CacheInspector
let close: (() => Promise<void>) | undefined
let asked: { command: string; bytes: number }[] = []

beforeAll(async () => {
  server = await startRedis()
  client = new Redis(server.port)
  const opened = await openTestControl({ redis: { host: server.host, port: server.port } })
  close = opened.close
  const control = {
    ...opened.control,
    async ask(...question: Parameters<typeof opened.control.ask>) {
      const answer = await opened.control.ask(...question)
      const bytes = [answer]
        .flat(5)
        .reduce<number>((sum, part) => sum + (Buffer.isBuffer(part) ? part.length : 0), 0)
      asked.push({ command: question[1], bytes })
      return answer
    },
  }
  inspector = openCacheInspector({
    clock: systemClock,
    control: () => control,
    prefix: 'holdfast:',
    forget: async () => undefined,
  })
})
afterAll(async () => {
  await close?.()
  client?.disconnect()
  await server?.stop()
})
beforeEach(async () => {
  await client.flushall()
  asked = []
})

const mostRead = () => Math.max(...asked.map((question) => question.bytes))

async function entryOf(value: unknown): Promise<Buffer> {
  const facts = { writtenAt: 1, freshUntil: 2, staleUntil: 3, tags: [['users', 'v']] } as const
  return (await encode(value, facts)).entry
}

test('an entry of ours is shown as the value that was set, with its tags and times', async () => {
  const entry = await entryOf({ when: new Date(0), n: 12n })
  await client.set('holdfast:users:1', entry, 'PX', 60_000)
  const value = await inspector.key('holdfast:users:1')
  expect(value).toMatchObject({
    name: '1',
    type: 'string',
    idleSeconds: 0,
    content: {
      kind: 'entry',
      text: '{\n  "when": Date(1970-01-01T00:00:00.000Z),\n  "n": 12n\n}',
      codec: expect.stringContaining('tagged'),
      storedBytes: entry.length,
      tags: ['users'],
      writtenAt: 1,
      staleUntil: 3,
    },
  })
  expect(value.shown).toBe(value.length)
  expect(value.ttl).toBeGreaterThan(50_000)
})

test('a large entry is read, and shown as far as it fits', async () => {
  const rows = Array.from({ length: 20_000 }, (_, index) => ({ id: index, name: `Name ${Math.sin(index)}` }))
  await client.set('holdfast:rows:all', await entryOf(rows))
  const { content, length, shown } = await inspector.key('holdfast:rows:all')
  expect(content.kind === 'entry' && content.text.slice(0, 29)).toBe('[\n  {\n    "id": 0,\n    "name"')
  expect(content.kind === 'entry' && content.rawBytes).toBe(length)
  expect(shown).toBeLessThan(length)
  // What only looks like one, and a foreign key, are strings.
  await client.set('holdfast:rows:broken', (await entryOf(rows)).subarray(0, 5_000))
  expect(await inspector.key('holdfast:rows:broken')).toMatchObject({ content: { kind: 'string' } })
})

test('foreign strings are JSON laid out, text, or bytes as a hex dump', async () => {
  await client.set('json', '{"big":12345678901234567890,"a":[1,{}],"s":"x, {y}: \\"z\\""}')
  expect((await inspector.key('json')).content).toEqual({
    kind: 'string',
    format: 'json',
    text: '{\n  "big": 12345678901234567890,\n  "a": [\n    1,\n    {}\n  ],\n  "s": "x, {y}: \\"z\\""\n}',
  })
  await client.set('text', 'größe\n2')
  expect(await inspector.key('text')).toMatchObject({
    length: 9,
    shown: 9,
    content: { format: 'text', text: 'größe\n2' },
  })
  await client.set('bytes', Buffer.from([0, 0x41, 0xff]))
  expect((await inspector.key('bytes')).content).toEqual({
    kind: 'string',
    format: 'bytes',
    text: `00000000  00 41 ff${' '.repeat(41)}.A.`,
  })
  await client.set('empty', '')
  expect(await inspector.key('empty')).toMatchObject({ length: 0, shown: 0, content: { text: '' } })
  await client.set('holdfast:#tag:users', '7')
  expect(await inspector.key('holdfast:#tag:users')).toMatchObject({ content: { kind: 'string', text: '7' } })
})

test('a huge string is never read whole, and its cut goes through no character', async () => {
  await client.set('huge', `a${'ü'.repeat(5_000_000)}`)
  const value = await inspector.key('huge')
  expect(value).toMatchObject({ length: 10_000_001, shown: 65_535, content: { format: 'text' } })
  expect(mostRead()).toBeLessThanOrEqual(65_536)
  await client.setrange('holes', 50_000_000, 'x')
  expect(await inspector.key('holes')).toMatchObject({ length: 50_000_001, content: { format: 'bytes' } })
})

test('hashes, lists, sets, sorted sets and streams are shown with their elements', async () => {
  await client.hset('hash', { a: '1', b: Buffer.from([0xff]) })
  expect(await inspector.key('hash')).toMatchObject({
    length: 2,
    shown: 2,
    content: {
      kind: 'hash',
      fields: [
        { field: 'a', value: '1' },
        { field: 'b', value: '\\xff' },
      ],
    },
  })
  await client.rpush('list', 'x', 'y')
  expect((await inspector.key('list')).content).toEqual({ kind: 'list', items: ['x', 'y'] })
  await client.sadd('set', 'm', 'n')
  const set = (await inspector.key('set')).content
  expect(set.kind === 'set' && set.members.sort()).toEqual(['m', 'n'])
  await client.zadd('zset', '-inf', 'low', 1.5, 'm', '+inf', 'high')
  expect((await inspector.key('zset')).content).toEqual({
    kind: 'zset',
    members: [
      { member: 'low', score: Number.NEGATIVE_INFINITY },
      { member: 'm', score: 1.5 },
      { member: 'high', score: Number.POSITIVE_INFINITY },
    ],
  })
  await client.xadd('stream', '1-1', 'f', 'v', 'g', 'w')
  await client.xadd('stream', '1-2', 'f', 'v2')
  expect((await inspector.key('stream')).content).toEqual({
    kind: 'stream',
    entries: [
      {
        id: '1-1',
        fields: [
          { field: 'f', value: 'v' },
          { field: 'g', value: 'w' },
        ],
      },
      { id: '1-2', fields: [{ field: 'f', value: 'v2' }] },
    ],
  })
  await client.xdel('stream', '1-1', '1-2')
  expect(await inspector.key('stream')).toMatchObject({ length: 0, content: { kind: 'stream', entries: [] } })
})

test('of large collections 500 elements are shown, each once', async () => {
  const names = Array.from({ length: 3_000 }, (_, index) => `element-${index}`)
  await client.hset('hash', Object.fromEntries(names.map((name) => [name, name])))
  await client.sadd('set', ...names)
  await client.rpush('list', ...names)
  await client.zadd('zset', ...names.flatMap((name, index) => [index, name]))
  await Promise.all(names.map((name) => client.xadd('stream', '*', 'name', name)))
  for (const key of ['hash', 'set', 'list', 'zset', 'stream']) {
    expect(await inspector.key(key)).toMatchObject({ length: 3_000, shown: 500 })
  }
  const { content } = await inspector.key('hash')
  expect(content.kind === 'hash' && new Set(content.fields.map((field) => field.field)).size).toBe(500)
  const zset = (await inspector.key('zset')).content
  expect(zset.kind === 'zset' && zset.members.at(-1)).toEqual({ member: 'element-499', score: 499 })
})

test('of a collection with large elements only some are read, and each is cut', async () => {
  const large = 'x'.repeat(300_000)
  for (let index = 0; index < 200; index++) await client.hset('hash', `field-${index}`, large)
  const value = await inspector.key('hash')
  expect(value.length).toBe(200)
  expect(value.shown).toBeLessThan(50)
  expect(mostRead()).toBeLessThan(10_000_000)
  expect(value.content.kind === 'hash' && value.content.fields[0]?.value).toMatch(
    /^x{16384}… \(300000 bytes\)$/,
  )
})

test('a key that has gone, or never was, is not found', async () => {
  await expect(inspector.key('nothing')).rejects.toMatchObject({ code: 'NOT_FOUND' })
})

test('values that JSON has no word for are laid out to be read, and long ones stop early', () => {
  const value = {
    set: new Set([1]),
    none: undefined,
    bytes: Buffer.from('hi'),
    long: new Uint8Array(300),
    bad: new Date(Number.NaN),
    empty: [{}, [], new Map()],
    minus: -0,
  }
  const { text, whole } = layOut(value, 10_000)
  expect(whole).toBe(false)
  expect(layOut({ ...value, long: null }, 10_000).whole).toBe(true)
  expect(text).toContain('"set": Set(1) [\n    1\n  ]')
  expect(text).toContain('"none": undefined')
  expect(text).toContain('"bytes": Buffer(2 bytes) <68 69>')
  expect(text).toMatch(/"long": Uint8Array\(300 bytes\) <(00 ){256}…>/)
  expect(text).toContain('"bad": Date(invalid)')
  expect(text).toContain('{},\n    [],\n    Map(0) {}')
  expect(text).toContain('"minus": -0')
  const long = layOut(
    Array.from({ length: 1_000_000 }, (_, index) => index),
    1_000,
  )
  expect(long.whole).toBe(false)
  expect(long.text).toHaveLength(1_001)
  const plain = { a: [1, { b: null }], c: 'x"y' }
  expect(layOut(plain, 1_000).text).toBe(JSON.stringify(plain, null, 2))
  expect(layOutJson(JSON.stringify(plain))).toBe(JSON.stringify(plain, null, 2))
})
