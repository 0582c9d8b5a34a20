import { renameSync } from 'node:fs'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { needsPostgres, sharedPostgres } from '@/db/testing/shared'
import { persistRun } from '../runs/persist'
import { atPhase } from '../testing/persist'
import { type Bench, bothSides, openBench } from '../testing/target'
import type { Failure, FailureCode } from '../types'

describe('a run whose worker was killed goes on by itself', { timeout: 120_000 }, () => {
  needsPostgres()
  let bench: Bench
  beforeEach(async () => {
    bench = await openBench(sharedPostgres())
  })
  afterEach(() => bench?.close())

  const source = () =>
    bench.file(`CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT);
      WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
      INSERT INTO t SELECT i, printf('%0100d', i) FROM n`)

  /** Kills the worker after the copy, and does at each kind of wait what belongs to it, once. */
  async function through(file: string, steps: Partial<Record<FailureCode, () => void>>): Promise<Failure[]> {
    const waits: Failure[] = []
    let killed = false
    const handle = persistRun('start', bench.job(file), {
      onEvent(event) {
        if (!killed && atPhase('build')(event)) {
          killed = true
          process.kill(handle.pid, 'SIGKILL')
        }
        if (event.type !== 'waiting') return
        const { code } = event.failure
        if (!waits.some((one) => one.code === code)) steps[code]?.()
        waits.push(event.failure)
      },
    })
    const end = await handle.ended
    expect(end).toMatchObject({ state: 'done', report: { rows: 20_000, validation: { ok: true } } })
    const { source: ours, target: theirs } = await bothSides(file, bench.client, 't')
    expect(theirs).toEqual(ours)
    return waits
  }

  it('when the source, which another program had locked, is free again', async () => {
    const file = source()
    const other = new Database(file)
    const waits = await through(file, {
      WORKER_LOST: () => other.exec('BEGIN EXCLUSIVE'),
      SOURCE_BUSY: () => other.exec('ROLLBACK'),
    })
    other.close()
    expect(waits.map(({ code }) => code)).toContain('SOURCE_BUSY')
    expect(waits.find(({ code }) => code === 'SOURCE_BUSY')?.message).toMatch(/locked by another program/)
  })

  it('when the source, which had gone, is back', async () => {
    const file = source()
    const waits = await through(file, {
      WORKER_LOST: () => renameSync(file, `${file}.away`),
      SOURCE_UNREADABLE: () => renameSync(`${file}.away`, file),
    })
    expect(waits.find(({ code }) => code === 'SOURCE_UNREADABLE')?.remedy).toMatch(/file exists/)
  })

  it('and begins anew on another file of the same tables in its place', async () => {
    const file = source()
    const waits = await through(file, { WORKER_LOST: () => renameSync(source(), file) })
    expect(waits.map(({ code }) => code)).toEqual(['WORKER_LOST'])
  })
})
