import { expect, it } from 'vitest'
import { followSpeeds } from './speeds'

it('notes a speed each second, and takes no more room for a longer run', () => {
  const note = followSpeeds()
  note({ at: 0, done: 0, over: false })
  expect(note({ at: 500, done: 40, over: false }).rowsPerSecond).toEqual([])
  expect(note({ at: 1_000, done: 100, over: false })).toEqual({ everyMs: 1_000, rowsPerSecond: [100] })
  let last = note({ at: 2_000, done: 300, over: false })
  expect(last.rowsPerSecond).toEqual([100, 200])
  for (let second = 3; second < 1_000; second++) {
    last = note({ at: second * 1_000, done: second * 150, over: false })
  }
  expect(last.rowsPerSecond.length).toBeLessThanOrEqual(60)
  expect(last.everyMs).toBeGreaterThanOrEqual(16_000)
  expect(last.rowsPerSecond.at(-1)).toBe(150)
})

it('notes the end of a transfer that took less than a step', () => {
  const note = followSpeeds()
  note({ at: 0, done: 0, over: false })
  expect(note({ at: 400, done: 100, over: true }).rowsPerSecond).toEqual([250])
})
