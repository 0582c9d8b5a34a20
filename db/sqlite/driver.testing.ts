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

/** What `work` took, and the longest that the event loop was at work on one thing meanwhile; milliseconds. */
export async function stallDuring(work: () => Promise<unknown>): Promise<{ took: number; stall: number }> {
  let stall = 0
  let last = performance.eventLoopUtilization()
  const tick = () => {
    stall = Math.max(stall, performance.eventLoopUtilization(last).active)
    last = performance.eventLoopUtilization()
  }
  const ticker = setInterval(tick, 5)
  const start = performance.now()
  try {
    await work()
    tick()
    return { took: performance.now() - start, stall }
  } finally {
    clearInterval(ticker)
  }
}

/** Most that the event loop may stand still: on a machine whose cores are taken it waits for one meanwhile. */
export const bearable = (took: number) => Math.max(50, took / 10)
