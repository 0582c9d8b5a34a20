import { monitorEventLoopDelay } from 'node:perf_hooks'
import { isDeepStrictEqual } from 'node:util'
import { createCache } from '@/server/cache'
import { payloads } from './cache-payloads'
import { openBentoLocal } from './cache-peers'
import { median } from './measure'
import { seeded } from './seeded'

const READS = 100_000
const KEYS = 1_000

/** Hits of the local level, ours against bentocache's, of small records that callers may change. */
export async function measureLocal(runs: number): Promise<number> {
  const random = seeded(7)
  const record = payloads[0] as (typeof payloads)[0]
  const cache = createCache({})
  const bento = await openBentoLocal()
  for (let at = 0; at < KEYS; at++) {
    const value = record.make(random)
    await cache.set(`k${at}`, value, { ttl: 600_000 })
    await bento.set(`k${at}`, value)
  }
  const changed = (await cache.get<{ name: string }>('k0')) as { name: string }
  changed.name = 'changed'
  if ((await cache.get<{ name: string }>('k0'))?.name === 'changed') {
    throw new Error('A caller changed what others read.')
  }
  const ours: number[] = []
  const theirs: number[] = []
  for (let run = 0; run < runs; run++) {
    ours.push(await hits((key) => cache.get(key)))
    theirs.push(await hits((key) => bento.get(key)))
  }
  await cache.close()
  await bento.close()
  const [own, peer] = [median(ours), median(theirs)]
  console.log(`\nlocal hits: holdfast ${Math.round(own)}/s, bentocache ${Math.round(peer)}/s`)
  return own / peer
}

async function hits(get: (key: string) => Promise<unknown>): Promise<number> {
  const started = performance.now()
  for (let at = 0; at < READS; at++) {
    if ((await get(`k${at % KEYS}`)) === undefined) throw new Error('A local hit was missed.')
  }
  return (READS / (performance.now() - started)) * 1000
}

const RESOLUTION = 1

/** The longest time, in ms, for which the event loop did nothing else while 5 MB were set, read and read locally. */
export async function longestBlock(port: number): Promise<number> {
  const random = seeded(11)
  const record = payloads[1] as (typeof payloads)[0]
  const value = Array.from({ length: 2_700 }, () => record.make(random))
  const bytes = JSON.stringify(value).length
  if (bytes < 5e6) throw new Error(`The value has ${bytes} bytes only.`)
  const cache = createCache({ redis: { host: '127.0.0.1', port }, local: false, deadline: 5_000 })
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION })
  // What was left over from making the value is not what is measured.
  await cache.set('warm', 1, { ttl: 60_000 })
  let longest = 0
  for (let round = 0; round < 6; round++) {
    delay.reset()
    delay.enable()
    await cache.set(`large${round}`, value, { ttl: 60_000 })
    const got = await cache.get(`large${round}`)
    delay.disable()
    if (!isDeepStrictEqual(got, value)) throw new Error('The large value came back as another.')
    // The first round compiles.
    if (round > 0) longest = Math.max(longest, delay.max / 1e6 - RESOLUTION)
  }
  await cache.close()
  return longest
}
