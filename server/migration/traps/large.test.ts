import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { startRun } from '../runs/client'
import { noPostgres, openTrap } from './trap'

const BYTES = 100 * 1024 * 1024

describe.skipIf(noPostgres)('the trap of', () => {
  const trap = openTrap()

  it('100 MB blobs: they arrive, each in memory of a few copies of it', { timeout: 120_000 }, async () => {
    const blobs = [Buffer.alloc(BYTES, Buffer.from([7, 0, 92, 10, 255]))]
    const file = trap.bench.file('CREATE TABLE v (id INTEGER PRIMARY KEY, b BLOB, t TEXT)', (db) => {
      const insert = db.prepare('INSERT INTO v (b, t) VALUES (?, ?)')
      insert.run(null, 'small')
      for (const blob of blobs) insert.run(blob, 'large')
      for (let i = 0; i < 100; i++) insert.run(Buffer.from([i]), `text ${i}`)
    })
    let peak = 0
    const run = startRun(trap.bench.job(file))
    const timer = setInterval(() => {
      peak = Math.max(peak, highest(run.pid))
    }, 20)
    const end = await run.ended
    clearInterval(timer)
    expect(end.state).toBe('done')
    const rows = await trap.query(`SELECT md5(b) AS hash FROM v WHERE t = 'large' ORDER BY id`)
    expect(rows).toEqual(blobs.map((blob) => ({ hash: createHash('md5').update(blob).digest('hex') })))
    // 4 to 6 copies, as the collector comes by; rows as one text took 15.
    expect(peak).toBeLessThan(9 * BYTES)
  })
})

/** Most memory that a process has had, in bytes. */
function highest(pid: number): number {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024
  } catch {
    return 0
  }
}
