import { describe, expect, it } from 'vitest'
import { barAt, stackMax, stackPaths, ticksOf, totalsOf } from './bars'

const series = [
  { key: 'a', label: 'A', values: [1, 0, 10, undefined] },
  { key: 'b', label: 'B', values: [2, 0, 90, undefined] },
]
const frame = { width: 400, height: 100, from: 0, to: 40, max: 100 }

describe('stacked bars', () => {
  it('add up, and tell a bar without events from one that was not counted', () => {
    expect(totalsOf(series, 4)).toEqual([3, 0, 100, undefined])
    expect(stackMax(series, 4)).toBe(100)
  })

  it('stand on one another, and one event among a hundred is still seen', () => {
    expect(stackPaths([0, 10, 20, 30], 10, series, frame)).toEqual([
      'M0 100h99V99h-99zM200 100h99V90h-99z',
      'M0 99h99V97h-99zM200 90h99V0h-99z',
    ])
  })

  it('keep to the frame where a bar begins before it', () => {
    expect(stackPaths([-5], 10, [{ key: 'a', label: 'A', values: [50] }], frame)).toEqual([
      'M0 100h49V50h-49z',
    ])
  })
})

describe('barAt', () => {
  it('finds the bar of a time and keeps inside', () => {
    expect(barAt(19, [0, 10, 20], 10)).toBe(1)
    expect(barAt(-3, [0, 10, 20], 10)).toBe(0)
    expect(barAt(99, [0, 10, 20], 10)).toBe(2)
    expect(barAt(1, [], 10)).toBe(-1)
  })
})

describe('ticksOf', () => {
  it('stands on whole hours of the zone', () => {
    const hour = 3_600_000
    expect(ticksOf(0, 6 * hour, 6, 0)).toEqual([0, 1, 2, 3, 4, 5, 6].map((at) => at * hour))
    expect(ticksOf(0, 6 * hour, 3, 5.5 * hour)).toEqual([0.5 * hour, 2.5 * hour, 4.5 * hour])
  })
})
