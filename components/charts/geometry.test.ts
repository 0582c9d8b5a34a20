import { describe, expect, it } from 'vitest'
import {
  gapOf,
  linePath,
  nearestIndex,
  niceMax,
  sentenceOf,
  spreadLabels,
  summaryOf,
  timeAt,
  xOf,
  yOf,
} from './geometry'

const frame = { width: 100, height: 50, from: 0, to: 1000, max: 10 }
const one = (values: (number | null)[]) => [{ key: 'a', label: 'In use', values }]

describe('scales', () => {
  it('rounds the greatest value up to a readable one', () => {
    expect([0, 0.3, 1, 7, 21, 24, 26, 999, 1001].map((value) => niceMax(one([value])))).toEqual([
      1, 0.5, 1, 10, 25, 25, 50, 1000, 2000,
    ])
    expect(niceMax(one([null]))).toBe(1)
  })

  it('puts zero at the bottom and clamps what lies outside', () => {
    expect([yOf(0, frame), yOf(10, frame), yOf(99, frame), yOf(-5, frame)]).toEqual([50, 0, 0, 50])
    expect(xOf(250, frame)).toBe(25)
    expect([timeAt(25, frame), timeAt(-9, frame), timeAt(900, frame)]).toEqual([250, 0, 1000])
  })
})

describe('paths', () => {
  it('breaks at a missing value and shows a lone reading as a dot', () => {
    expect(linePath([0, 100, 200, 300, 400], [0, 10, null, 5, null], frame)).toBe('M0 50L10 0M30 25h0')
  })

  it('breaks where samples are missing altogether', () => {
    expect(linePath([0, 100, 200, 700, 800], [0, 0, 0, 0, 0], frame)).toBe('M0 50L10 50L20 50M70 50L80 50')
    expect(gapOf([0, 100, 200, 700, 800])).toBe(250)
  })

  it('leaves out what lies outside the window', () => {
    expect(linePath([-100, 0, 100, 1100], [5, 5, 5, 5], frame, 1e9)).toBe('M0 25L10 25')
  })

  it('draws nothing for no data', () => {
    expect(linePath([], [], frame)).toBe('')
  })
})

describe('looking up', () => {
  it('finds the nearest sample', () => {
    const times = [0, 100, 200]
    expect([-50, 49, 51, 150, 999].map((time) => nearestIndex(times, time))).toEqual([0, 0, 1, 1, 2])
    expect(nearestIndex([], 5)).toBe(-1)
  })

  it('summarises only the window', () => {
    expect(summaryOf([0, 1, 2, 3], [9, 1, 4, 8], 1, 2)).toEqual({ last: 4, least: 1, greatest: 4 })
  })

  it('says in a sentence what is drawn', () => {
    const say = (values: (number | null)[]) =>
      sentenceOf([0, 1, 2], one(values), { from: 0, to: 2 }, (v) => `${v}`)
    expect(say([1, 5, 3])).toBe('In use: last 3, between 1 and 5.')
    expect(say([2, 2, 2])).toBe('In use: 2 throughout.')
    expect(say([null, null, null])).toBe('In use: no reading.')
  })
})

describe('labels', () => {
  it('moves labels apart, keeps their order and stays inside', () => {
    expect(spreadLabels([50, 10, 11], 14, 0, 50)).toEqual([50, 10, 24])
    expect(spreadLabels([48, 49, 50], 14, 0, 50)).toEqual([22, 36, 50])
  })
})
