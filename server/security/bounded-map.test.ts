import { expect, it } from 'vitest'
import { boundedMap } from './bounded-map'

it('holds no more than it may, and forgets the oldest first', () => {
  const map = boundedMap<number>(3)
  for (const [key, value] of Object.entries({ a: 1, b: 2, c: 3, d: 4 })) map.set(key, value)
  expect(map.size).toBe(3)
  expect(['a', 'b', 'c', 'd'].map((key) => map.get(key))).toEqual([undefined, 2, 3, 4])
})

it('takes an entry that is set again for a new one', () => {
  const map = boundedMap<number>(2)
  map.set('a', 1)
  map.set('b', 2)
  map.set('a', 3)
  map.set('c', 4)
  expect([map.get('a'), map.get('b'), map.get('c')]).toEqual([3, undefined, 4])
})
