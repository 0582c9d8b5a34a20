import { isDeepStrictEqual, parseArgs } from 'node:util'
import { startRedis } from '@/db/testing/servers'
import { type Payload, payloads, zlibRatio } from './lib/cache-payloads'
import { openBento, openManager, openOurs, openRaw, type Peer } from './lib/cache-peers'
import { longestBlock, measureLocal } from './lib/cache-process'
import { benchLine, median } from './lib/measure'
import { seeded } from './lib/seeded'

/**
 * Gets, sets and mgets through one Redis by 64 callers: raw ioredis with JSON (as it comes, and auto-pipelining:
 * the faster counts), bentocache on ioredis 5, cache-manager with keyv, and ours; the local level off for all, every
 * key once a round, values compared after the clock has stopped. Then local hits, and what 5 MB do to the event loop.
 */
const { values: options } = parseArgs({
  options: { runs: { type: 'string', default: '5' }, seed: { type: 'string', default: '1' } },
})
const runs = Number(options.runs)
const random = seeded(Number(options.seed))
const CALLERS = 64
const TOGETHER = 20
/** Operations between two looks at the answers. */
const SLICE = 1_000

interface Item {
  key: string
  value: unknown
}

type Operation = 'set' | 'get' | 'mget'
/** Operations a second of each run, for one peer, size and operation; mget counts keys. */
const rates = new Map<string, number[]>()

const server = await startRedis()
try {
  // First: what the rounds leave behind for the collector is not the large value's.
  const loop = await longestBlock(server.port)
  const peers: Peer[] = [
    openRaw(server.port, false),
    openRaw(server.port, true),
    await openBento(server.port),
    openManager(server.port),
    openOurs(server.port),
  ]
  const bytes: Record<string, number> = {}
  for (const payload of payloads) bytes[payload.size] = await measure(peers, payload)
  for (const peer of peers) await peer.close()
  await server.command('FLUSHALL')
  const local = await measureLocal(runs)
  console.log(`5 MB through Redis: the event loop was held up for ${loop.toFixed(1)} ms at most`)
  console.log(benchLine('cache', { ...ratios(), local_vs_bento: local, ...sizes(bytes), loop_ms: loop }))
} finally {
  await server.stop()
}

/** Answers the bytes of our values as a share of raw JSON. */
async function measure(peers: Peer[], { size, keys: count, make }: Payload): Promise<number> {
  const sample = Array.from({ length: 50 }, () => make(random))
  const ratio = size === '100' ? zlibRatio(sample) : median(sample.map((value) => zlibRatio([value])))
  console.log(`\n${size} B: zlib-6 ratio ${ratio.toFixed(2)}${size === '100' ? ' (50 together)' : ''}`)
  if (ratio < 2 || ratio > 4) throw new Error('The payload must compress between 2 and 4 times.')
  // The first round compiles and isn't counted.
  for (let run = -1; run < runs; run++) {
    const items = Array.from({ length: count }, (_, at) => ({
      key: `${size}:${run}:${at}`,
      value: make(random),
    }))
    const order = run % 2 === 0 ? peers : [...peers].reverse()
    for (const peer of order) await round(peer, size, items, run >= 0)
  }
  for (const peer of peers) {
    const figures = (['set', 'get', 'mget'] as const).map(
      (operation) => `${operation} ${Math.round(rate(peer.name, size, operation))}/s`,
    )
    console.log(`${peer.name.padEnd(26)} ${figures.join('  ')}`)
  }
  const [raw, ours] = await Promise.all([stored(`raw:${size}:0:`), stored(`ours:default:${size}:0:`)])
  console.log(`bytes in Redis: ours ${ours}, raw ${raw}`)
  return ours / raw
}

async function round(peer: Peer, size: string, items: Item[], counts: boolean): Promise<void> {
  const drop = () => {}
  const compare = ({ key, value }: Item, got: unknown) => same(peer, key, got, value)
  const note = (operation: Operation, ms: number) => {
    if (!counts) return
    const name = `${peer.name} ${size} ${operation}`
    rates.set(name, [...(rates.get(name) ?? []), (items.length / ms) * 1000])
  }
  note('set', await timed(items, (item) => peer.set(item.key, item.value), drop))
  note('get', await timed(items, ({ key }) => peer.get(key), compare))
  const groups = Array.from({ length: Math.ceil(items.length / TOGETHER) }, (_, at) =>
    items.slice(at * TOGETHER, (at + 1) * TOGETHER),
  )
  const together = (group: Item[]) => peer.mget(group.map(({ key }) => key))
  note(
    'mget',
    await timed(groups, together, (group, got) => {
      for (const [n, item] of group.entries()) compare(item, got[n])
    }),
  )
}

/**
 * Milliseconds that 64 callers need for all items. The clock stands still for every look at what came back: kept
 * until the end, thousands of values would make the collector's work the most of what is measured.
 */
async function timed<T, A>(
  items: T[],
  act: (item: T) => Promise<A>,
  look: (item: T, answer: A) => void,
): Promise<number> {
  let milliseconds = 0
  const step = Math.max(CALLERS, Math.min(SLICE, Math.ceil(items.length / 4)))
  for (let from = 0; from < items.length; from += step) {
    const slice = items.slice(from, from + step)
    const answers = new Array<A>(slice.length)
    let next = 0
    const started = performance.now()
    await Promise.all(
      Array.from({ length: CALLERS }, async () => {
        while (next < slice.length) {
          const at = next++
          answers[at] = await act(slice[at] as T)
        }
      }),
    )
    milliseconds += performance.now() - started
    for (const [at, item] of slice.entries()) look(item, answers[at] as A)
  }
  return milliseconds
}

function same(peer: Peer, key: string, got: unknown, expected: unknown): void {
  if (!isDeepStrictEqual(got, expected)) throw new Error(`${peer.name} answers another value for ${key}.`)
}

function rate(name: string, size: string, operation: Operation): number {
  return median(rates.get(`${name} ${size} ${operation}`) ?? [])
}

async function stored(prefix: string): Promise<number> {
  const lengths = await Promise.all(
    Array.from({ length: 100 }, async (_, at) => Number(await server.command('STRLEN', `${prefix}${at}`))),
  )
  return lengths.reduce((sum, length) => sum + length, 0)
}

function ratios(): Record<string, number> {
  const against = (size: string, operation: Operation, peers: string[]) =>
    rate('holdfast', size, operation) / Math.max(...peers.map((peer) => rate(peer, size, operation)))
  const raw = ['ioredis', 'ioredis, auto-pipelining']
  const figures: Record<string, number> = {}
  for (const size of ['100', '2k']) {
    for (const operation of ['get', 'set', 'mget'] as const) {
      figures[`${operation}_${size}`] = against(size, operation, raw)
    }
  }
  for (const operation of ['get', 'set', 'mget'] as const) {
    figures[`${operation}_vs_bento`] = Math.min(
      ...['100', '2k'].map((size) => against(size, operation, ['bentocache'])),
    )
  }
  return figures
}

function sizes(bytes: Record<string, number>): Record<string, number> {
  return { bytes_2k: bytes['2k'] ?? Number.NaN, bytes_50k: bytes['50k'] ?? Number.NaN }
}
