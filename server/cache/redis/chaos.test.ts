import { afterEach, describe, expect, it } from 'vitest'
import { type RedisServer, startRedis, startRedisCluster, startRedisSentinel } from '@/db/testing/servers'
import { needsRedis } from '@/db/testing/shared'
import { watchStalls } from '@/db/testing/stalls'
import type { Place } from '.'
import { closeLevels, openReady, placeOf, type TestLevel, text } from './testing'

const stops: (() => Promise<unknown>)[] = []
const rest = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))

interface Findings {
  /** Answers that were older than the last change, and calls that took too long: what must not be. */
  wrong: string[]
  reads: number
  found: number
  writes: number
  taken: number
}

/** Changes and reads a few keys, each by one caller, until `trouble` is over; every read must be of the last change. */
async function load(level: TestLevel, trouble: Promise<void>, most: number): Promise<Findings> {
  const findings: Findings = { wrong: [], reads: 0, found: 0, writes: 0, taken: 0 }
  const stalls = watchStalls()
  let over = false
  async function caller(key: string): Promise<void> {
    let last: string | null = null
    for (let round = 0; !over; round++) {
      const [begun, stalled] = [performance.now(), stalls.sum()]
      const dice = Math.random()
      if (dice < 0.2) {
        last = `${key} ${round}`
        findings.writes++
        if (await level.set(key, text(last), 600_000)) findings.taken++
      } else if (dice < 0.3) {
        last = null
        await level.delete([key])
      } else {
        const [entry] = dice < 0.6 ? [await level.get(key)] : await level.mget([key])
        findings.reads++
        if (entry) findings.found++
        if (entry && String(entry) !== last) findings.wrong.push(`${key}: ${entry} instead of ${last}`)
      }
      const took = performance.now() - begun - (stalls.sum() - stalled)
      if (took > most) findings.wrong.push(`${key} took ${Math.round(took)} ms`)
      await rest(Math.random() * 4)
    }
  }
  const callers = Array.from({ length: 40 }, (_, at) => caller(`k${at}`))
  await trouble
  over = true
  await Promise.all(callers)
  stalls.stop()
  return findings
}

async function prove(place: Place, trouble: () => Promise<void>): Promise<void> {
  const level = await openReady(place, { deadline: 40, tracking: true })
  const findings = await load(
    level,
    trouble().then(() => level.reaches('redis')),
    // The deadline, and what a busy test machine adds to it beside the stalls of this process.
    400,
  )
  expect(findings.wrong).toEqual([])
  expect(findings.found).toBeGreaterThan(100)
  expect(findings.taken).toBeLessThan(findings.writes)
  expect(level.lines.length).toBeLessThan(200)
}

describe('no old value comes back to life, and no call waits', () => {
  needsRedis()
  afterEach(async () => {
    await closeLevels()
    await Promise.all(stops.splice(0).map((stop) => stop()))
  })

  it('on a server that hangs, dies, starts from a snapshot, is full, loses connections or stops writes', async () => {
    const server = await startRedis()
    stops.push(() => server.stop())
    await prove(placeOf(server), async () => {
      for (let round = 0; round < 3; round++) {
        await rest(300)
        await server.command('SAVE')
        await rest(200)
        await server.kill9()
        await rest(round * 100)
        await server.start()
        await rest(400)
        server.pause()
        await rest(round * 800)
        server.resume()
        await rest(400)
        await server.command('CLIENT', 'KILL', 'TYPE', 'normal')
        await rest(200)
        await server.command('CONFIG', 'SET', 'maxmemory', '1')
        await rest(400)
        await server.command('CONFIG', 'SET', 'maxmemory', '0')
        await server.command('CONFIG', 'SET', 'min-replicas-to-write', '1')
        await rest(300)
        await server.command('CONFIG', 'SET', 'min-replicas-to-write', '0')
      }
    })
  })

  it('on a cluster whose nodes hang, die and come back', async () => {
    const cluster = await startRedisCluster()
    stops.push(() => cluster.stop())
    const [first, second] = cluster.nodes as [RedisServer, RedisServer]
    await prove({ cluster: { nodes: cluster.addresses.split(',') } }, async () => {
      await rest(500)
      first.pause()
      await rest(4_000)
      first.resume()
      await rest(1_000)
      await second.kill9()
      await rest(4_000)
      await second.start()
      await rest(1_500)
    })
  })

  it('on a Sentinel group whose master hangs or is replaced by hand', async () => {
    const group = await startRedisSentinel()
    stops.push(() => group.stop())
    const place = { sentinels: group.addresses.split(','), name: group.name }
    const [sentinel] = group.sentinels as [RedisServer]
    await prove({ sentinel: place }, async () => {
      await rest(500)
      group.master.pause()
      await rest(4_000)
      group.master.resume()
      await rest(3_000)
      await sentinel.command('SENTINEL', 'FAILOVER', group.name).catch(() => undefined)
      await rest(3_000)
    })
  })
})
