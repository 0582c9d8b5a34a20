import type { Store } from '@/db/store'
import type { Clock } from '@/server/clock'
import type { Log } from '@/server/log'
import type { Vault } from '@/server/vault'
import { cleanUp, cleanupJobs, endOverdue } from './cleanup-units'
import type { KeyCare } from './tokens/keys'

const everyMs = 10 * 60_000

interface Deps {
  store: Store
  vault: Vault
  clock: Clock
  log: Log
  keys: KeyCare
}

export interface Cleanup {
  /** Cleans once, now. Answers how many rows went, and how many sessions ended. */
  run(): Promise<{ removed: number; ended: number }>
  start(): void
  close(): Promise<void>
}

/**
 * Removes what is over, in small batches that wait on nobody, marks sessions that ran out, and sees to the
 * signing keys: every ten minutes, a little apart on each instance. `loginBlockMs` is the longest block.
 */
export function openCleanup(
  { store, clock, log, keys }: Deps,
  { loginBlockMs }: { loginBlockMs: number },
): Cleanup {
  let stopping = false
  let timer: NodeJS.Timeout | undefined
  let running: Promise<unknown> = Promise.resolve()

  /** Repeats a batch until one finds nothing more. A job that fails comes again with the next round. */
  async function repeat(job: string, batch: () => Promise<number>): Promise<number> {
    let all = 0
    try {
      for (let done = 1; done > 0 && !stopping; all += done) {
        done = await batch()
        // On SQLite a batch never waits: requests get their turn in between.
        await new Promise((resolve) => setImmediate(resolve))
      }
    } catch (error) {
      log.warn({ error, job }, 'a cleanup failed')
    }
    return all
  }

  async function run() {
    const now = clock.now()
    const once = (work: Promise<void>) => work.then(() => 0)
    const ended = await repeat('sessions that ran out', () => store.run(endOverdue, { now }))
    let removed = 0
    for (const job of cleanupJobs) {
      removed += await repeat(job, () => store.run(cleanUp, { job, now, loginBlockMs }))
    }
    await repeat('rotate signing keys', () => once(keys.rotateIfDue(now)))
    await repeat('retire signing keys', () => once(keys.retire(now)))
    return { removed, ended }
  }

  function schedule(delay: number): void {
    if (stopping) return
    timer = setTimeout(() => {
      running = run().finally(() => schedule(everyMs * (0.8 + 0.4 * Math.random())))
    }, delay)
    timer.unref()
  }

  return {
    run,
    start: () => schedule(everyMs * 0.1 * Math.random()),
    async close() {
      stopping = true
      clearTimeout(timer)
      await running
    },
  }
}
