import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { waitUntil } from '@/db/testing/processes'
import { type RedisServer, startRedis } from '@/db/testing/servers'
import { needsRedis } from '@/db/testing/shared'
import { closeLevels, openReady, placeOf, text } from './testing'

const ttl = 600_000
let server: RedisServer

describe('the Redis level on a server in trouble', () => {
  needsRedis()
  beforeEach(async () => {
    server = await startRedis()
  })
  afterEach(async () => {
    await closeLevels()
    server.resume()
    await server.stop()
  })

  it('answers at once while a killed server is away, and uses it when it is back', async () => {
    const deadline = 2_000
    const level = await openReady(placeOf(server), { deadline })
    await level.set('a', text('old'), ttl)
    await server.kill9()
    await level.reaches('memory')
    const begun = performance.now()
    expect(await level.get('a')).toBe(undefined)
    expect(await level.mget(['a', 'b'])).toEqual([undefined, undefined])
    expect(await level.set('a', text('new'), ttl)).toBe(false)
    expect(await level.delete(['b'])).toEqual([false])
    expect(await level.lock('l', 'me', ttl)).toBe(undefined)
    await level.unlock('l', 'me')
    // Not one of the six waited for its deadline.
    expect(performance.now() - begun).toBeLessThan(deadline)
    await level.reaches('memory', 'Nothing listens there.')
    expect(level.figures().pendingKeys).toBe(2)
    await server.start()
    await level.reaches('redis')
    expect(level.figures()).toMatchObject({ reason: null, pendingKeys: 0 })
    expect(await level.get('a')).toBe(null)
    expect(await level.set('a', text('newest'), ttl)).toBe(true)
    expect(await level.get('a')).toEqual(text('newest'))
    expect(level.changes.map(({ to }) => to).filter((to) => to !== 'probing')).toEqual([
      'redis',
      'memory',
      'redis',
    ])
    expect(level.lines.length).toBe(level.changes.length)
  })

  it('does not wait for a hung server, and deletes what it may have taken late', async () => {
    const level = await openReady(placeOf(server), { deadline: 400 })
    await level.mset(['a', 'b', 'c'].map((key) => ({ key, entry: text('old'), ttl })))
    server.pause()
    const begun = performance.now()
    expect(await level.set('a', text('late'), ttl)).toBe(false)
    expect(performance.now() - begun).toBeLessThan(2_000)
    expect(level.figures()).toMatchObject({ state: 'memory', reason: 'Redis did not answer in time.' })
    expect(await level.set('b', text('never sent'), ttl)).toBe(false)
    server.resume()
    await level.reaches('redis')
    expect(await level.mget(['a', 'b', 'c'])).toEqual([null, null, text('old')])
  })

  it('deletes what a hung server may have taken late over a connection that was given up', async () => {
    const level = await openReady(placeOf(server), { deadline: 100 })
    await level.set('a', text('old'), ttl)
    server.pause()
    expect(await level.set('a', text('late'), ttl)).toBe(false)
    // The probe gives a connection up after a second.
    await new Promise((resolve) => setTimeout(resolve, 2_000))
    server.resume()
    await level.reaches('redis')
    expect(await level.get('a')).toBe(null)
  })

  it('takes three silent reads for a hung server', async () => {
    const level = await openReady(placeOf(server), { deadline: 100 })
    server.pause()
    expect(await level.get('a')).toBe(undefined)
    expect(await level.get('a')).toBe(undefined)
    expect(level.figures().state).toBe('redis')
    expect(await level.get('a')).toBe(undefined)
    expect(level.figures()).toMatchObject({ state: 'memory', errors: 3 })
  })

  it('holds a bounded number of calls for a hung server', async () => {
    const level = await openReady(placeOf(server), { deadline: 200 })
    server.pause()
    const entry = Buffer.alloc(10_000)
    const before = process.memoryUsage().arrayBuffers
    const writes = Array.from({ length: 30_000 }, (_, at) => level.set(`k${at}`, entry, ttl))
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(100 * 2 ** 20)
    expect(await Promise.all(writes)).not.toContain(true)
    expect(level.figures().pendingKeys).toBe(30_000)
    server.resume()
    await level.reaches('redis')
    await waitUntil('the deletions', async () => level.figures().pendingKeys === 0)
  })

  it('trusts nothing that a server with an old snapshot brings back', async () => {
    const level = await openReady(placeOf(server))
    const other = await openReady(placeOf(server), { prefix: 'other*' })
    await Promise.all([level.set('a', text('old'), ttl), server.command('SET', 'theirs', '1')])
    await other.set('b', text('old'), ttl)
    await server.command('SAVE')
    await level.set('a', text('new'), ttl)
    await other.close()
    await server.kill9()
    await level.reaches('memory')
    await server.start()
    await level.reaches('redis')
    expect(await level.get('a')).toBe(null)
    expect(await server.command('EXISTS', 'theirs', 'other*b')).toBe(2)
  })

  it('goes on reading from a server that is out of memory, but not what it refused', async () => {
    const level = await openReady(placeOf(server))
    await level.mset(['a', 'b'].map((key) => ({ key, entry: text('old'), ttl })))
    await server.command('CONFIG', 'SET', 'maxmemory', '1')
    expect(await level.set('a', text('new'), ttl)).toBe(false)
    expect(level.figures()).toMatchObject({ state: 'degraded', reason: 'Redis is out of memory.' })
    expect(await level.get('a')).not.toEqual(text('old'))
    expect(await level.get('b')).toEqual(text('old'))
    expect(await level.delete(['b'])).toEqual([true])
    await waitUntil('the deletion', async () => level.figures().pendingKeys === 0)
    expect(await level.get('a')).toBe(null)
    await server.command('CONFIG', 'SET', 'maxmemory', '0')
    await level.reaches('redis')
    expect(await level.set('a', text('new'), ttl)).toBe(true)
  })

  it('goes on reading from a server that became a replica, and deletes everything when it is a primary again', async () => {
    const level = await openReady(placeOf(server))
    await level.mset(['a', 'b', 'c'].map((key) => ({ key, entry: text('old'), ttl })))
    await server.command('REPLICAOF', '127.0.0.1', '1')
    expect(await level.set('a', text('new'), ttl)).toBe(false)
    expect(await level.delete(['b'])).toEqual([false])
    expect(level.figures()).toMatchObject({
      state: 'degraded',
      reason: expect.stringMatching(/replica/),
      pendingKeys: 2,
    })
    expect(await level.mget(['a', 'b', 'c'])).toEqual([undefined, undefined, text('old')])
    await server.command('REPLICAOF', 'NO', 'ONE')
    await level.reaches('redis')
    expect(level.figures().pendingKeys).toBe(0)
    expect((await level.mget(['a', 'b'])).every((entry) => entry === null)).toBe(true)
  })

  it('goes on reading from a server that has too few replicas for writes', async () => {
    const level = await openReady(placeOf(server))
    await level.set('a', text('old'), ttl)
    await server.command('CONFIG', 'SET', 'min-replicas-to-write', '1')
    expect(await level.set('b', text('new'), ttl)).toBe(false)
    expect(level.figures()).toMatchObject({
      state: 'degraded',
      reason: expect.stringMatching(/too few replicas/),
    })
    expect(await level.get('a')).toEqual(text('old'))
    await server.command('CONFIG', 'SET', 'min-replicas-to-write', '0')
    await level.reaches('redis')
  })

  it('works for a user who may do the least, and says what is missing without flooding the log', async () => {
    await server.command(
      'ACL',
      'SETUSER',
      'app',
      'on',
      '>pw',
      '~*',
      '+get',
      '+mget',
      '+set',
      '+unlink',
      '+ping',
    )
    const { host, port } = server
    const level = await openReady({ redis: { host, port, username: 'app', password: 'pw' } })
    expect(await level.set('a', text('1'), ttl)).toBe(true)
    expect(await level.get('a')).toEqual(text('1'))
    await server.command('CLIENT', 'KILL', 'TYPE', 'normal')
    await waitUntil('the loss', async () => level.changes.length > 1)
    // It may be another server now, and its keys can't be looked up to delete them.
    await level.reaches('memory', 'The Redis user may not do this.')
    expect(await level.get('a')).toBe(undefined)
    expect(level.lines.length).toBeLessThan(10)
    await server.command('ACL', 'SETUSER', 'app', '+scan')
    await level.reaches('redis')
    expect(await level.get('a')).toBe(null)
  })
})
