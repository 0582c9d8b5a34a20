import { expect, it } from 'vitest'
import { followSpeeds, type Speeds } from './speeds'

it('notes a speed each half of a second, and takes no more room for a longer run', () => {
  const note = followSpeeds()
  note({ at: 0, done: 0, bytes: 0, over: false })
  expect(note({ at: 250, done: 40, bytes: 400, over: false }).rowsPerSecond).toEqual([])
  expect(note({ at: 500, done: 100, bytes: 1_000, over: false })).toEqual({
    everyMs: 500,
    at: [500],
    rowsPerSecond: [200],
    bytesPerSecond: [2_000],
  })
  let last = note({ at: 1_500, done: 300, bytes: 2_500, over: false }) as Required<Speeds>
  expect(last.rowsPerSecond).toEqual([200, 200])
  expect(last.bytesPerSecond).toEqual([2_000, 1_500])
  for (let second = 2; second < 1_000; second++) {
    last = note({
      ...{ at: second * 1_000, done: second * 150, bytes: second * 900, over: false },
    }) as Required<Speeds>
    expect(last.at.length).toBeLessThanOrEqual(120)
    expect(last.rowsPerSecond).toHaveLength(last.at.length)
    expect(last.bytesPerSecond).toHaveLength(last.at.length)
  }
  expect(last.everyMs).toBe(8_000)
  expect(last.at.at(-1)).toBeGreaterThan(999_000 - 8_001)
  expect([last.rowsPerSecond.at(-1), last.bytesPerSecond.at(-1)]).toEqual([150, 900])
})

it('notes the end of a transfer that took less than a step', () => {
  const note = followSpeeds()
  note({ at: 0, done: 0, bytes: 0, over: false })
  expect(note({ at: 400, done: 100, bytes: 50, over: true })).toMatchObject({
    rowsPerSecond: [250],
    bytesPerSecond: [125],
    at: [400],
  })
})

it('goes on from what was kept, and counts nothing of the time between', () => {
  const kept = { everyMs: 2_000, at: [2_000], rowsPerSecond: [10], bytesPerSecond: [100] }
  const note = followSpeeds(kept)
  expect(note({ at: 90_000, done: 20, bytes: 200, over: false })).toEqual(kept)
  expect(note({ at: 92_000, done: 80, bytes: 400, over: false })).toEqual({
    everyMs: 2_000,
    at: [2_000, 92_000],
    rowsPerSecond: [10, 30],
    bytesPerSecond: [100, 100],
  })
})

it('begins anew for a run that an older release began, whose speeds have no times', () => {
  const note = followSpeeds({ everyMs: 1_000, rowsPerSecond: [5, 6] })
  note({ at: 0, done: 0, bytes: 0, over: false })
  expect(note({ at: 1_000, done: 7, bytes: 70, over: false }).rowsPerSecond).toEqual([7])
})
