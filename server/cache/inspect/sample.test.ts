import { Redis } from 'ioredis'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type RedisServer, startRedis } from '@/db/testing/redis'
import { systemClock } from '@/server/clock'
import { estimate } from './estimate'
import { openCacheInspector } from './index'
import { hideValues } from './slow-arguments'
import { openTestControl } from './testing'
import type { CacheInspector } from './types'

let server: RedisServer
let client: Redis
let inspector: CacheInspector
let close: (() => Promise<void>) | undefined

beforeAll(async () => {
  server = await startRedis()
  client = new Redis(server.port)
  const opened = await openTestControl({ redis: { host: server.host, port: server.port } })
  close = opened.close
  inspector = openCacheInspector({
    clock: systemClock,
    control: () => opened.control,
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
})

async function fill(prefix: string, count: number, bytes: number): Promise<number> {
  await client.mset(
    Array.from({ length: count }, (_, index) => [`${prefix}${index}`, 'x'.repeat(bytes)]).flat(),
  )
  const each = await Promise.all(
    Array.from({ length: count }, (_, index) => client.memory('USAGE', `${prefix}${index}`)),
  )
  return each.reduce<number>((sum, own) => sum + (own ?? 0), 0)
}

test('up to 2,000 keys all are counted', async () => {
  const users = await fill('holdfast:users:', 300, 100)
  const other = await fill('other:', 50, 5_000)
  await client.set('alone', 'v')
  const all = await inspector.sample('all')
  expect(all).toMatchObject({ sampled: 351, total: 351 })
  expect(all.groups).toMatchObject([
    { name: 'other', ours: false, keys: 50, bytes: other, bytesLow: other, bytesHigh: other },
    { name: 'users', ours: true, keys: 300, bytes: users, bytesLow: users, bytesHigh: users },
    { name: '', ours: false, keys: 1 },
  ])
  expect(all.biggest).toHaveLength(20)
  expect(all.biggest[0]?.key).toMatch(/^other:/)
  const ours = await inspector.sample('ours')
  expect(ours).toMatchObject({ sampled: 300, total: 300 })
  expect(ours.groups.map((group) => group.name)).toEqual(['users'])
})

test('of more keys a sample is drawn whose interval is near the truth', async () => {
  const users = await fill('holdfast:users:', 6_000, 200)
  const pages = await fill('holdfast:pages:', 2_000, 2_000)
  await fill('other:', 4_000, 500)
  const all = await inspector.sample('all')
  expect(all.sampled).toBe(1_000)
  expect(all.total).toBe(12_000)
  for (const [name, truth] of [
    ['users', users],
    ['pages', pages],
  ] as const) {
    const group = all.groups.find((own) => own.name === name)
    // Twice the interval: a right estimate leaves 95 % in one of twenty runs, twice of it in one of ten thousand.
    const off = (group?.bytesHigh ?? 0) - (group?.bytes ?? 0)
    expect(off).toBeGreaterThan(0)
    expect(Math.abs((group?.bytes ?? 0) - truth)).toBeLessThan(2.2 * off)
  }
  const ours = await inspector.sample('ours')
  expect(ours.sampled).toBeGreaterThanOrEqual(1_000)
  expect(Math.abs(ours.total - 8_000)).toBeLessThan(1_000)
  expect(ours.groups.every((group) => group.ours)).toBe(true)
})

test('where hardly any key is ours the sample ends all the same', async () => {
  await fill('other:', 5_000, 10)
  await client.set('holdfast:users:1', 'v')
  const ours = await inspector.sample('ours')
  expect(ours.sampled).toBeLessThan(20)
})

test('the interval covers the truth in 95 of 100 samples', () => {
  // A group that is a tenth of 10,000 keys, of 100 to 1,000 bytes each; draws by a fixed generator.
  let state = 42
  const random = () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32
    return state / 2 ** 32
  }
  const keys = Array.from({ length: 10_000 }, (_, id) => ({
    id: String(id),
    ours: id % 10 === 0,
    bytes: 100 + (id % 901),
  }))
  const truth = keys.filter((key) => key.ours).reduce((sum, key) => sum + key.bytes, 0)
  let covered = 0
  for (let run = 0; run < 400; run++) {
    const tries = Array.from(
      { length: 500 },
      () => keys[Math.floor(random() * keys.length)] as (typeof keys)[0],
    )
    const group = { id: 'a', name: 'a', ours: true }
    const drawn = tries.filter((key) => key.ours).map(({ id, bytes }) => ({ id, bytes, group }))
    const [found] = estimate([{ size: keys.length, tries: tries.length, exact: false, drawn }]).groups
    if (found && found.bytesLow <= truth && truth <= found.bytesHigh) covered++
  }
  expect(covered / 400).toBeGreaterThan(0.9)
  expect(covered / 400).toBeLessThan(0.99)
})

test('secrets, values and scripts of slow commands are hidden, keys and options are not', () => {
  const hide = (...words: string[]) => hideValues(words.map((word) => Buffer.from(word)))
  const shown = (text: string) => hide(...text.split(' '))
  expect(shown('auth user pass')).toBe('AUTH (4 bytes) (4 bytes)')
  expect(shown('CONFIG SET requirepass hunter2')).toBe('CONFIG SET requirepass (7 bytes)')
  expect(shown('CONFIG GET slow*')).toBe('CONFIG GET slow*')
  expect(shown('ACL SETUSER me >secret')).toBe('ACL (7 bytes) (2 bytes) (7 bytes)')
  expect(shown('MSET a 1 b 22')).toBe('MSET a (1 bytes) b (2 bytes)')
  expect(shown('LPUSH list secret')).toBe('LPUSH list (6 bytes)')
  expect(shown('SETEX key 10 value')).toBe('SETEX key 10 (5 bytes)')
  expect(shown('EVALSHA abc 2 k1 k2 arg')).toBe('EVALSHA abc 2 k1 k2 (3 bytes)')
  expect(shown('UNLINK a b')).toBe('UNLINK a b')
  expect(shown('MYMODULE.PUT key secret')).toBe('MYMODULE.PUT key (6 bytes)')
  expect(hide('SET', 'k', `${'x'.repeat(128)}... (872 more bytes)`)).toBe('SET k (1000 bytes)')
  expect(hideValues([Buffer.from('SET'), Buffer.from('k'), Buffer.of(0xff, 0)])).toBe('SET k (2 bytes)')
  expect(hide('SADD', 'k', 'm', '... (9 more arguments)')).toBe('SADD k (1 bytes) ... (9 more arguments)')
})
