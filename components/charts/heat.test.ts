import { describe, expect, it } from 'vitest'
import { fullest, heatPaths, labelledEach, rowAt, rowTop, shadesOf, shadeWords } from './heat'

const frame = { width: 100, height: 40, from: 0, to: 20, max: 1 }

describe('shades', () => {
  it('share the logarithm of the counts, and each stands for counts of its own', () => {
    const shades = shadesOf([[1, 0], null, [100_000, 3]])
    expect(shades).toEqual([10, 100, 1_000, 10_000, 100_000])
    expect(shadeWords(shades, String)).toEqual(['1–10', '11–100', '101–1000', '1001–10000', '10001–100000'])
  })

  it('are as few as there are counts', () => {
    expect(shadesOf([[1]])).toEqual([1])
    expect(shadesOf([[1, 2]])).toEqual([2])
    expect(shadeWords([1, 2, 3], String)).toEqual(['1', '2', '3'])
    expect(shadesOf([[0], null])).toEqual([])
  })
})

it('draws a cell where there is something, nothing for none, and tells what was not measured apart', () => {
  const { shaded, missing } = heatPaths([0, 10], 10, [[0, 7], null], 2, [1, 7], frame)
  expect(shaded).toEqual(['', 'M0 0h50v20h-50z'])
  expect(missing).toBe('M50 0h50v40h-50z')
})

it('cuts off what begins before the frame and what ends after it', () => {
  const { shaded } = heatPaths([-5, 5, 15], 10, [[1], [1], [1]], 1, [1], frame)
  expect(shaded).toEqual(['M0 0h25v40h-25zM25 0h50v40h-50zM75 0h25v40h-25z'])
})

it('finds rows from the foot upwards, inside the frame', () => {
  expect([rowTop(0, 4, frame), rowTop(3, 4, frame)]).toEqual([30, 0])
  expect([rowAt(39, 4, frame), rowAt(0, 4, frame), rowAt(-5, 4, frame), rowAt(99, 4, frame)]).toEqual([
    0, 3, 3, 0,
  ])
})

it('points at the fullest row, the lowest of several', () => {
  expect([fullest([0, 5, 5, 1]), fullest([0, 0]), fullest([]), fullest(null), fullest(undefined)]).toEqual([
    1, -1, -1, -1, -1,
  ])
})

it('writes as many bounds as there is room for', () => {
  expect([labelledEach(4, 120, 20), labelledEach(12, 120, 20), labelledEach(30, 120, 20)]).toEqual([1, 2, 5])
})
