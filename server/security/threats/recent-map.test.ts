import { expect, it } from 'vitest'
import { recentMap } from './recent-map'

const filled = (count: number, most: number) => {
  const gone: number[] = []
  const map = recentMap<number>(most, (value) => gone.push(value))
  for (let at = 0; at < count; at++) map.set(`k${at}`, at)
  return { map, gone }
}

it('keeps all up to its bound, and then at least the latest half', () => {
  expect(filled(4, 4)).toMatchObject({ map: { size: 4 }, gone: [] })
  const { map, gone } = filled(5, 4)
  expect(gone).toEqual([0, 1])
  expect(map.size).toBe(3)
  expect(map.values()).toEqual([2, 3, 4])
  expect(map.get('k0')).toBeUndefined()
})

it('keeps for longer what is asked for or set again, once', () => {
  const { map, gone } = filled(4, 4)
  expect(map.get('k0')).toBe(0)
  expect(map.size).toBe(3)
  map.set('k9', 9)
  expect(gone).toEqual([1])
  expect(map.get('k0')).toBe(0)
  map.set('k0', 10)
  expect(map.get('k0')).toBe(10)
  expect(map.values().filter((value) => value === 0 || value === 10)).toEqual([10])
})

it('sets a known key of the young half without letting anything go', () => {
  const { map, gone } = filled(2, 4)
  map.set('k1', 7)
  expect(map.values()).toEqual([0, 7])
  map.set('k2', 2)
  map.set('k3', 3)
  map.set('k3', 4)
  expect(gone).toEqual([])
  expect(map.size).toBe(4)
})

it('begins a new generation when it is told to', () => {
  const { map, gone } = filled(2, 4)
  map.turn()
  expect(gone).toEqual([])
  map.turn()
  expect(gone).toEqual([0, 1])
  expect(map.size).toBe(0)
  expect(map.get('k0')).toBeUndefined()
})
