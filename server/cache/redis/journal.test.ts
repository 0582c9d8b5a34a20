import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { makeFolder, removeFolder, waitUntil } from '@/db/testing/processes'
import { type RedisServer, startRedis } from '@/db/testing/servers'
import { needsRedis } from '@/db/testing/shared'
import { MAX_PENDING } from './pending'
import { closeLevels, openLevel, openReady, placeOf, text } from './testing'

const ttl = 600_000

describe('keys that Redis did not surely take', () => {
  needsRedis()
  let server: RedisServer
  let folder: string
  let journalFile: string
  beforeEach(async () => {
    server = await startRedis()
    folder = makeFolder('journal')
    journalFile = join(folder, 'cache', 'pending')
  })
  afterEach(async () => {
    await closeLevels()
    server.resume()
    await server.stop()
    removeFolder(folder)
  })
  const file = () => readFileSync(journalFile, 'utf8')

  it('are deleted by the next process, and not before it', async () => {
    const before = await openReady(placeOf(server), { deadline: 100, journalFile })
    const { prefix } = before
    await before.mset(['a', 'b\n', 'c'].map((key) => ({ key, entry: text('old'), ttl })))
    server.pause()
    expect(await before.set('a', text('new'), ttl)).toBe(false)
    expect(await before.delete(['b\n'])).toEqual([false])
    await waitUntil('the file', async () => file().split('\n').length === 3)
    await before.close()
    const after = openLevel(placeOf(server), { prefix, deadline: 100, journalFile })
    expect(after.figures().pendingKeys).toBe(2)
    server.resume()
    await after.reaches('redis')
    expect(await after.mget(['a', 'b\n', 'c'])).toEqual([null, null, text('old')])
    await waitUntil('the empty file', async () => file() === '')
  })

  it('are everything when the file is cut off or there were too many', async () => {
    for (const rest of ['"cut o', '*\n']) {
      const before = await openReady(placeOf(server), { journalFile })
      await before.set('a', text('old'), ttl)
      await before.close()
      writeFileSync(journalFile, rest)
      const after = await openReady(placeOf(server), { prefix: before.prefix, journalFile })
      expect(await after.get('a')).toBe(null)
      await waitUntil('the empty file', async () => file() === '')
      await after.close()
    }
  })

  it('are everything when there are too many of them', async () => {
    const level = await openReady(placeOf(server), { journalFile })
    await level.mset(['a', 'b'].map((key) => ({ key, entry: text('old'), ttl })))
    await server.command('CONFIG', 'SET', 'min-replicas-to-write', '1')
    const keys = Array.from({ length: MAX_PENDING + 10 }, (_, at) => `k${at}`)
    await Promise.all(keys.map((key) => level.delete([key])))
    await level.reaches('memory')
    expect(level.figures().pendingKeys).toBe(MAX_PENDING)
    await waitUntil('the file', async () => file().includes('*\n'))
    await server.command('CONFIG', 'SET', 'min-replicas-to-write', '0')
    await level.reaches('redis')
    expect(level.figures().pendingKeys).toBe(0)
    expect(await level.mget(['a', 'b'])).toEqual([null, null])
    await waitUntil('the empty file', async () => file() === '')
  })
})
