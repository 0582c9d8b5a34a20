import { Pool } from 'undici'
import { quantile } from '../load'
import { paced } from '../pace'

/** Load on one server, from a process of its own: what it costs is not the server's. */
export interface Order {
  origin: string
  headers: Record<string, string>
  /** Asked in turn. */
  paths: string[]
  /** The measurement's length. */
  ms: number
  /** So many requests at any time (closed loop) … */
  connections: number
  /** … or so many begun a second, whatever became of those before (open loop). */
  perSecond?: number
}

export interface Loaded {
  answers: number
  seconds: number
  p50: number
  p99: number
}

process.on('message', (order: Order) => {
  work(order).then(
    (loaded) => process.send?.(loaded),
    (error: Error) => process.send?.({ failed: error.message }),
  )
})

async function work({ origin, headers, paths, ms, connections, perSecond }: Order): Promise<Loaded> {
  const pool = new Pool(origin, { connections, pipelining: 1 })
  const times: number[] = []
  let next = 0
  async function ask(): Promise<void> {
    const path = paths[next++ % paths.length] as string
    const begun = performance.now()
    const { statusCode, body } = await pool.request({ method: 'GET', path, headers })
    const text = await body.text()
    if (statusCode !== 200) throw new Error(`${path} answered ${statusCode}: ${text.slice(0, 200)}`)
    times.push(performance.now() - begun)
  }
  const started = performance.now()
  if (perSecond) await openLoop(ask, perSecond, ms)
  else await closedLoop(ask, connections, ms)
  const seconds = (performance.now() - started) / 1000
  await pool.close()
  return { answers: times.length, seconds, p50: quantile(times, 0.5), p99: quantile(times, 0.99) }
}

async function closedLoop(ask: () => Promise<void>, connections: number, ms: number): Promise<void> {
  const until = performance.now() + ms
  const client = async () => {
    while (performance.now() < until) await ask()
  }
  await Promise.all(Array.from({ length: connections }, client))
}

async function openLoop(ask: () => Promise<void>, perSecond: number, ms: number): Promise<void> {
  const asked: Promise<void>[] = []
  const stop = paced(perSecond, () => asked.push(ask()))
  await new Promise((resolve) => setTimeout(resolve, ms))
  stop()
  await Promise.all(asked)
}
