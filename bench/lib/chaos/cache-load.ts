import type { CacheSpace } from '@/server/cache'
import { paced } from '../pace'

interface Value {
  version: number
  filler: string
}

/** What a reader may see of a key: its last version, or nothing. */
interface Expected {
  version: number
  deleted: boolean
  /** A change is under way: changes of one key follow each other, so that there is a last one. */
  busy: boolean
}

export interface CacheTally {
  calls: number
  thrown: number
  messages: Set<string>
  /** Milliseconds of the calls that began between {@link CacheLoad.down} and {@link CacheLoad.up}, by rounds. */
  downTimes: number[][]
}

export interface CacheLoad {
  tally: CacheTally
  /** From now on calls are measured, until up(). */
  down(): void
  up(): void
  /** No more calls of one instance until it is given another cache; resolves when those under way have ended. */
  detach(at: number): Promise<void>
  attach(at: number, space: CacheSpace): void
  /** No more changes; resolves when those under way have ended. */
  quiet(): Promise<void>
  resume(): void
  /** Reads every key, and answers in words what is older than it may be. */
  check(name: string, space: CacheSpace): Promise<string[]>
  stop(): Promise<void>
}

const KEYS = 500
const TTL = 600_000

/** Gets, sets and deletes of versioned values at `perSecond`, over several instances that all change all keys. */
export function startCacheLoad(
  random: () => number,
  { spaces, perSecond }: { spaces: readonly CacheSpace[]; perSecond: number },
): CacheLoad {
  const expected = Array.from({ length: KEYS }, (): Expected => ({ version: 0, deleted: true, busy: false }))
  const used: (CacheSpace | undefined)[] = [...spaces]
  const tally: CacheTally = { calls: 0, thrown: 0, messages: new Set(), downTimes: [] }
  const running = new Map<Promise<void>, number>()
  let [writing, versions] = [true, 0]
  let measuring: number[] | undefined

  async function timed<T>(call: () => Promise<T>): Promise<T | undefined> {
    const measured = measuring
    const begun = performance.now()
    tally.calls++
    try {
      return await call()
    } catch (error) {
      tally.thrown++
      tally.messages.add((error as Error).message)
      return undefined
    } finally {
      measured?.push(performance.now() - begun)
    }
  }

  /** Changes keys that nobody else changes now. */
  async function change(keys: number[], deleted: boolean, call: (version: number) => Promise<void>) {
    const mine = keys.filter((key) => !expected[key]?.busy)
    if (mine.length < keys.length) return
    const version = ++versions
    for (const key of mine) expected[key] = { version, deleted, busy: true }
    await timed(() => call(version))
    for (const key of mine) (expected[key] as Expected).busy = false
  }

  const some = () => Math.floor(random() * KEYS)
  const valued = (version: number): Value => ({ version, filler: 'x'.repeat(Math.floor(random() * 1_500)) })

  async function request(space: CacheSpace): Promise<void> {
    const [key, dice] = [some(), random()]
    if (!writing || dice < 0.55) await timed(() => space.get(nameOf(key)))
    else if (dice < 0.65) await timed(() => space.mget([key, some(), some(), some()].map(nameOf)))
    else if (dice < 0.85) {
      await change([key], false, (version) => space.set(nameOf(key), valued(version), { ttl: TTL }))
    } else if (dice < 0.9) {
      const keys = [...new Set([key, some(), some()])]
      await change(keys, false, (version) =>
        space.mset(
          keys.map((each) => ({ key: nameOf(each), value: valued(version) })),
          { ttl: TTL },
        ),
      )
    } else await change([key], true, () => space.delete(nameOf(key)))
  }

  const pause = paced(perSecond, () => {
    const at = Math.floor(random() * used.length)
    const space = used[at]
    if (!space) return
    const one = request(space).finally(() => running.delete(one))
    running.set(one, at)
  })

  return {
    tally,
    down: () => {
      measuring = []
      tally.downTimes.push(measuring)
    },
    up: () => {
      measuring = undefined
    },
    async detach(at) {
      used[at] = undefined
      await Promise.all([...running].flatMap(([one, of]) => (of === at ? [one] : [])))
    },
    attach: (at, space) => {
      used[at] = space
    },
    async quiet() {
      writing = false
      await Promise.all(running.keys())
    },
    resume: () => {
      writing = true
    },
    async check(name, space) {
      const old: string[] = []
      await Promise.all(
        expected.map(async ({ version, deleted }, key) => {
          const found = await space.get<Value>(nameOf(key))
          if (found === undefined || (!deleted && found.version >= version)) return
          const last = `${deleted ? 'deleted' : 'overwritten'} by ${version}`
          old.push(`${name} reads version ${found.version} of ${nameOf(key)}, which was ${last}`)
        }),
      )
      return old
    },
    async stop() {
      pause()
      await Promise.all(running.keys())
    },
  }
}

function nameOf(key: number): string {
  return `chaos:${key}`
}
