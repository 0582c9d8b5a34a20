import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { waitUntil } from '@/db/testing/processes'
import { type RedisServer, startRedis } from '@/db/testing/redis'
import { systemClock } from '@/server/clock'
import { openCacheInspector } from './index'
import { openTestControl } from './testing'
import type { CacheInspector } from './types'

let server: RedisServer
let client: Redis
const closing: (() => Promise<void>)[] = []

beforeAll(async () => {
  server = await startRedis()
  client = new Redis(server.port)
})
afterAll(async () => {
  await Promise.all(closing.map((close) => close()))
  client?.disconnect()
  await server?.stop()
})

async function open(user: { username?: string; password?: string } = {}): Promise<CacheInspector> {
  const { control, close } = await openTestControl(
    { redis: { host: server.host, port: server.port, ...user } },
    { limited: 'username' in user },
  )
  closing.push(close)
  return openCacheInspector({
    clock: systemClock,
    control: () => control,
    prefix: 'holdfast:',
    forget: async () => undefined,
  })
}

/** A user of Redis who may do everything but `rights`. */
async function without(name: string, ...rights: string[]): Promise<CacheInspector> {
  await client.call(
    'ACL',
    'SETUSER',
    name,
    'on',
    '>secret',
    '~*',
    '&*',
    '+@all',
    ...rights.map((right) => `-${right}`),
  )
  return await open({ username: name, password: 'secret' })
}

test('a primary and its replica tell their memory, replication and role', async () => {
  const replica = await startRedis({ settings: { replicaof: `127.0.0.1 ${server.port}`, maxmemory: '64mb' } })
  try {
    const link = async () => String(await replica.command('INFO', 'replication')).includes('link_status:up')
    await waitUntil('the replica', link)
    const inspector = await open()
    await client.flushall()
    await client.set('a', '1')
    await waitUntil('the replica to be level', async () =>
      (await inspector.nodes()).nodes.some((node) => node.behindBytes === 0),
    )
    const report = await inspector.nodes()
    expect(report).toMatchObject({ mode: 'single', cluster: null, sentinel: null })
    const [primary, second] = [...report.nodes].sort((a, b) => String(a.role).localeCompare(String(b.role)))
    expect(primary).toMatchObject({
      role: 'primary',
      error: null,
      replicas: 1,
      maxBytes: 0,
      keys: 1,
      linked: null,
    })
    expect(primary?.version).toMatch(/^\d+\.\d+/)
    expect(primary?.usedBytes).toBeGreaterThan(100_000)
    expect(second).toMatchObject({
      role: 'replica',
      primary: `127.0.0.1:${server.port}`,
      linked: true,
      maxBytes: 64 * 1024 * 1024,
      keys: 1,
    })

    replica.pause()
    const paused = await inspector.nodes()
    const silent = paused.nodes.find((node) => node.address.endsWith(`:${replica.port}`))
    expect(silent).toMatchObject({
      role: null,
      error: expect.stringContaining('did not answer'),
      usedBytes: null,
    })
    expect(paused.nodes.find((node) => node.address.endsWith(`:${server.port}`))).toMatchObject({
      role: 'primary',
    })
    replica.resume()
  } finally {
    await replica.stop()
  }
})

test('the slow log is told newest first, without what was written', async () => {
  const inspector = await open()
  await client.config('SET', 'slowlog-log-slower-than', 0)
  await client.config('SET', 'slowlog-max-len', 500)
  await inspector.resetSlowLog()
  await client.set('plain', 'my secret value', 'EX', 100)
  await client.hset('hash', 'field', 'x'.repeat(1_000))
  await client.eval('return redis.call("GET", KEYS[1])', 1, 'plain', 'argument')
  await client.get('plain')
  await client.config('SET', 'slowlog-log-slower-than', 10_000)
  const log = await inspector.slowLog()
  expect(log).toMatchObject({ threshold: 10_000, length: 500 })
  const commands = log.commands.map((entry) => entry.command)
  expect(commands).toContain('SET plain (15 bytes) EX 100')
  expect(commands).toContain('HSET hash field (1000 bytes)')
  expect(commands).toContain('EVAL (33 bytes) 1 plain (8 bytes)')
  expect(commands.indexOf('GET plain')).toBeLessThan(commands.indexOf('SET plain (15 bytes) EX 100'))
  expect(commands.join()).not.toContain('secret')
  const [newest] = log.commands
  expect(newest?.node).toBe(`127.0.0.1:${server.port}`)
  expect(newest?.client).toMatch(/^127\.0\.0\.1:\d+$/)
  expect(Math.abs((newest?.at ?? 0) - Date.now())).toBeLessThan(60_000)

  await inspector.resetSlowLog()
  expect((await inspector.slowLog()).commands).toEqual([])
})

test('without the right to CONFIG the slow log tells all but its settings', async () => {
  const inspector = await without('noconfig', 'config')
  expect(await inspector.slowLog()).toMatchObject({ threshold: null, length: null })
  expect((await inspector.nodes()).nodes).toMatchObject([{ role: 'primary', error: null, maxBytes: 0 }])
})

test('a right that is missing is named, with what grants it', async () => {
  const noSlowLog = await without('noslowlog', 'slowlog')
  await expect(noSlowLog.slowLog()).rejects.toMatchObject({
    code: 'CACHE_UNAVAILABLE',
    message: 'The Redis user may not run SLOWLOG GET.',
    remedy: expect.stringContaining('+slowlog|get'),
  })
  await expect(noSlowLog.resetSlowLog()).rejects.toMatchObject({
    message: 'The Redis user may not run SLOWLOG RESET.',
  })
  const noUnlink = await without('nounlink', 'unlink')
  await client.set('holdfast:a:1', 'v')
  await expect(noUnlink.deleteKeys(['holdfast:a:1'])).rejects.toMatchObject({
    message: 'The Redis user may not run UNLINK.',
    remedy: expect.stringContaining('+unlink'),
  })
  await expect((await without('noscan', 'scan')).keys({ scope: 'ours', prefix: '' })).rejects.toMatchObject({
    code: 'CACHE_UNAVAILABLE',
    message: 'The Redis user may not run SCAN.',
  })
  const noInfo = await (await without('noinfo', 'info')).nodes()
  expect(noInfo.nodes[0]).toMatchObject({ role: null, error: expect.stringContaining('may not run INFO') })
})

test('keys are listed without their memory when that may not be asked', async () => {
  const inspector = await without('nomemory', 'memory')
  await client.set('holdfast:a:1', 'v')
  const page = await inspector.keys({ scope: 'ours', prefix: 'holdfast:a:' })
  expect(page.keys).toMatchObject([{ key: 'holdfast:a:1', type: 'string', bytes: null }])
  expect(await inspector.key('holdfast:a:1')).toMatchObject({ bytes: null, content: { text: 'v' } })
  await expect(inspector.sample('all')).rejects.toMatchObject({
    message: 'The Redis user may not run MEMORY USAGE.',
  })
})

test('keys that the user may not read are told as such', async () => {
  await client.call('ACL', 'SETUSER', 'narrow', 'on', '>secret', '~holdfast:*', '+@all')
  const inspector = await open({ username: 'narrow', password: 'secret' })
  await client.mset({ foreign: 'v', 'holdfast:a:1': 'v' })
  await expect(inspector.key('foreign')).rejects.toMatchObject({
    code: 'CACHE_UNAVAILABLE',
    message: expect.stringContaining('may not use'),
  })
  const page = await inspector.keys({ scope: 'all', prefix: '' })
  expect(page.keys.find((key) => key.key === 'foreign')).toMatchObject({ type: 'other', bytes: null })
  await expect(inspector.deleteKeys(['foreign', 'holdfast:a:1'])).rejects.toMatchObject({
    message: expect.stringContaining('At least 1 key was deleted by then.'),
    details: { deleted: 1 },
  })
})
