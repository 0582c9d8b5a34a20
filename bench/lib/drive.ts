import { random } from '@/db/testing/library'

/** One unit of work; false: its time is not to be counted. */
export type Load = (below: (n: number) => number) => Promise<unknown>

export interface Measured {
  /** Units a second. */
  rate: number
  /** Microseconds of this process's CPU for one unit, user and system. */
  cpu: number
  /** Milliseconds that 99 % of the counted units stayed below. */
  p99: number
}

export interface Pair {
  theirs: Measured
  ours: Measured
}

/** Runs a load by so many callers, each starting anew when its unit is done, for so long. */
export async function drive(concurrency: number, milliseconds: number, load: Load): Promise<Measured> {
  const times: number[] = []
  let done = 0
  const cpu = process.cpuUsage()
  const start = performance.now()
  const until = start + milliseconds
  const caller = async (seed: number) => {
    const below = random(seed)
    for (let now = performance.now(); now < until; ) {
      const counted = await load(below)
      const end = performance.now()
      if (counted !== false) times.push(end - now)
      done++
      now = end
    }
  }
  await Promise.all(Array.from({ length: concurrency }, (_, n) => caller(n + 1)))
  const elapsed = performance.now() - start
  const { user, system } = process.cpuUsage(cpu)
  const sorted = Float64Array.from(times).sort()
  return {
    rate: (done / elapsed) * 1000,
    cpu: (user + system) / done,
    p99: sorted[Math.floor(sorted.length * 0.99)] ?? 0,
  }
}

/** Measures both sides one after the other; who is first changes with the round. */
export async function pair(
  round: number,
  theirs: () => Promise<Measured>,
  ours: () => Promise<Measured>,
): Promise<Pair> {
  if (round % 2 === 0) {
    const first = await theirs()
    return { theirs: first, ours: await ours() }
  }
  const first = await ours()
  return { ours: first, theirs: await theirs() }
}
