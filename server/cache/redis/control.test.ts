import { afterEach, describe, expect, it } from 'vitest'
import { startRedis, startRedisCluster } from '@/db/testing/servers'
import { needsRedis, sharedRedis } from '@/db/testing/shared'
import { closeLevels, openLevel, openReady, placeOf, text } from './testing'

describe('asking single nodes', () => {
  needsRedis()
  afterEach(closeLevels)

  it('answers bytes, several at once with errors in their places, and refusals as Redis words them', async () => {
    const { host, port, password } = sharedRedis()
    const level = await openReady({ redis: { host, port, password } })
    const bytes = Buffer.from([0, 255, 13, 10])
    await level.set('a', bytes, 60_000)
    const control = level.control()
    const address = `${host}:${port}`
    expect(await control.nodes('all')).toEqual([{ address, role: 'primary' }])
    expect(await control.masterOf('anything')).toBe(address)
    expect(await control.ask(address, 'GET', `${level.prefix}a`)).toEqual(bytes)
    const [value, error, pong] = await control.askAll(address, [
      ['GET', `${level.prefix}a`],
      ['HGETALL', `${level.prefix}a`],
      ['PING'],
    ])
    expect([value, String(pong)]).toEqual([bytes, 'PONG'])
    expect((error as Error).message).toMatch('WRONGTYPE')
    await expect(control.ask(address, 'NOSUCH')).rejects.toThrow('unknown command')
  })

  it('knows the nodes of a cluster and who has a key', async () => {
    const cluster = await startRedisCluster()
    try {
      const level = await openReady({ cluster: { nodes: cluster.addresses.split(',') } })
      const control = level.control()
      const masters = await control.nodes('masters')
      expect(masters).toHaveLength(3)
      const all = await control.nodes('all')
      expect(all.map(({ address }) => address).sort()).toEqual(cluster.addresses.split(',').sort())
      expect(all.filter(({ role }) => role === 'replica')).toHaveLength(3)
      await level.set('a', text('1'), 60_000)
      const key = Buffer.from(`${level.prefix}a`)
      expect(String(await control.ask(await control.masterOf(key), 'GET', key))).toBe('1')
    } finally {
      await closeLevels()
      await cluster.stop()
    }
  })

  it('fails with a reason and a remedy, in two seconds at most, and works again afterwards', async () => {
    const server = await startRedis()
    try {
      const level = await openReady(placeOf(server))
      const control = level.control()
      const address = `${server.host}:${server.port}`
      await control.ask(address, 'PING')
      server.pause()
      const begun = performance.now()
      await expect(control.ask(address, 'PING')).rejects.toMatchObject({
        code: 'CACHE_UNAVAILABLE',
        message: `${address} did not answer: Redis did not answer in time.`,
        remedy: expect.any(String),
      })
      expect(performance.now() - begun).toBeLessThan(3_000)
      expect(await control.nodes('masters')).toEqual([{ address, role: 'primary' }])
      server.resume()
      expect(String(await control.ask(address, 'PING'))).toBe('PONG')
      await server.kill9()
      await level.reaches('memory', 'Nothing listens there.')
      await expect(control.ask(address, 'PING')).rejects.toThrow('Nothing listens there.')
    } finally {
      await closeLevels()
      await server.stop()
    }
  })

  it('fails while nothing of a cluster is known', async () => {
    const level = openLevel({ cluster: { nodes: ['127.0.0.1:1'] } })
    await level.reaches('memory')
    const failure = {
      code: 'CACHE_UNAVAILABLE',
      message: expect.stringMatching('No node of the cluster answers.'),
    }
    await expect(level.control().nodes('all')).rejects.toMatchObject(failure)
    await expect(level.control().masterOf('a')).rejects.toMatchObject(failure)
  })
})
