import { describe, expect, it } from 'vitest'
import type { TableProgress } from '../types'
import { followProgress, type ProgressNews } from './forecast'

const table = (read: number, written: number): TableProgress => ({
  ...{ table: 'books', rowsTotal: 1_000, read, written, rejected: 0, bytes: written * 10 },
  ...{ rowsPerSecond: 0, etaSeconds: null, state: 'running' },
})

const transfer = (done: number): ProgressNews => ({
  ...{ phase: 'transfer', done, total: 1_000, tables: [table(done + 10, done)] },
})

describe('progress of a run', () => {
  it('knows no rate before a second has passed, then a range for the end', () => {
    const follow = followProgress(null)
    expect(follow(transfer(0), 0)).toMatchObject({ perSecond: null, etaSeconds: null })
    follow(transfer(100), 1_000)
    const { perSecond, etaSeconds } = follow(transfer(300), 2_000)
    expect(perSecond).toBe(150)
    // 700 rows left, at 200 rows a second at best and 100 at worst.
    expect(etaSeconds).toEqual([3.5, 7])
  })

  it('never goes back when a new worker begins at the last committed batch', () => {
    const follow = followProgress(null)
    const before = follow(transfer(500), 0)
    const after = followProgress(before)(transfer(400), 5_000)
    expect(after.done).toBe(500)
    expect(after.tables[0]).toMatchObject({ read: 510, written: 500, bytes: 5_000 })
  })

  it('keeps the figures of the transfer while keys are built and rows compared', () => {
    const follow = followProgress(null)
    follow(transfer(1_000), 0)
    const built = follow({ phase: 'build', done: 2, total: 4, tables: [] }, 1_000)
    expect(built.tables[0]).toMatchObject({ written: 1_000, compared: 0 })
    const compared = follow({ phase: 'validate', done: 300, total: 1_000, tables: [table(300, 300)] }, 2_000)
    expect(compared.tables[0]).toMatchObject({ written: 1_000, compared: 300 })
    expect(compared.phases).toEqual({ transfer: [1_000, 1_000], build: [2, 4], validate: [300, 1_000] })
  })
})
