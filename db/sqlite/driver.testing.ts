import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import BetterSqlite3 from 'better-sqlite3'
import { SqliteDriver, type SqliteOptions } from './driver'

/** A driver on a file of its own. */
export function openTestDriver(later: (step: () => unknown) => void, options: SqliteOptions = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-driver-'))
  later(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'driver.sqlite')
  const client = new BetterSqlite3(file)
  client.pragma('journal_mode = WAL')
  const driver = new SqliteDriver(client, options)
  later(() => driver.close())
  return { file, client, driver }
}

/** A read that takes long on any machine: it counts to `n`. */
export const counting = (n: number) =>
  `WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < ${n}) SELECT sum(n) FROM c`

/**
 * The longest time, in milliseconds, that the event loop was at work on one thing while `work` ran. Waiting
 * for a core of a busy machine does not count, and of five rounds the least does: what blocks, blocks each time.
 */
export async function longestStall(work: () => Promise<unknown>): Promise<number> {
  const rounds: number[] = []
  while (rounds.length < 5 && !rounds.some((stall) => stall < 25)) rounds.push(await stallOf(work))
  return Math.min(...rounds)
}

async function stallOf(work: () => Promise<unknown>): Promise<number> {
  let longest = 0
  let last = performance.eventLoopUtilization()
  const tick = () => {
    longest = Math.max(longest, performance.eventLoopUtilization(last).active)
    last = performance.eventLoopUtilization()
  }
  const ticker = setInterval(tick, 5)
  try {
    await work()
    tick()
    return longest
  } finally {
    clearInterval(ticker)
  }
}
