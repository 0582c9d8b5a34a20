import { expect, it } from 'vitest'
import { RecentKeys } from './recent'

const all = () => true

it('recent keys are those changed since a moment, each once', () => {
  const recent = new RecentKeys(10)
  for (const [at, key] of ['a', 'b', 'c', 'b'].entries()) recent.add(key, at)
  expect(recent.since(0, all)?.sort()).toEqual(['a', 'b', 'c'])
  expect(recent.since(2, all)?.sort()).toEqual(['b', 'c'])
  expect(recent.since(0, (key) => key === 'a')).toEqual(['a'])
  expect(recent.since(9, all)).toEqual([])
})

it('recent keys are unknown for a moment before the oldest that was kept', () => {
  const recent = new RecentKeys(3)
  for (let at = 0; at < 5; at++) recent.add(`k${at}`, at)
  expect(recent.since(1, all)).toBe(undefined)
  expect(recent.since(2, all)?.sort()).toEqual(['k2', 'k3', 'k4'])
})
