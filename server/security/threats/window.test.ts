import { beforeEach, describe, expect, it } from 'vitest'
import { add, expire, type Group, type Groups, mostEntriesInAll, newGroups, touch } from './window'

const window = 100
let groups: Groups
let group: Group
beforeEach(() => {
  groups = newGroups()
  group = touch(groups, 'ana')
})
const entry = (at: number, value: string | null = null, weight = 1, relief = false) => ({
  ...{ at, seq: at, value, weight, relief },
})
const put = (...given: Parameters<typeof entry>) => add(groups, group, entry(...given), window)
const times = () => group.entries.map(({ at }) => at)

describe('a window over events', () => {
  it('stands in the order of time, however they come', () => {
    for (const at of [10, 30, 20, 20, 5, 40]) expect(put(at)).toBe(true)
    expect(times()).toEqual([5, 10, 20, 20, 30, 40])
    expect(groups.entries).toBe(6)
    expect(group.count).toBe(6)
  })

  it('lets go what is as old as it is long, and takes nothing that old', () => {
    for (const at of [10, 11, 50]) put(at)
    expect(put(110)).toBe(true)
    expect(times()).toEqual([11, 50, 110])
    expect(put(10)).toBe(false)
    expect(put(11)).toBe(true)
    expect(times()).toEqual([11, 11, 50, 110])
    put(151)
    expect(times()).toEqual([110, 151])
    expect({ count: group.count, entries: groups.entries }).toEqual({ count: 2, entries: 2 })
  })

  it('is shortened on request, up to a time', () => {
    for (const at of [10, 20, 30]) put(at)
    expire(groups, group, 9)
    expect(times()).toEqual([10, 20, 30])
    expire(groups, group, 20)
    expect(times()).toEqual([30])
    expire(groups, group, 30)
    expect(times()).toEqual([])
    expect({ count: group.count, entries: groups.entries }).toEqual({ count: 0, entries: 0 })
  })

  it('counts by weight, relief apart, and how many have each value', () => {
    put(10, 'a', 3)
    put(20, 'a')
    put(30, 'b', 2)
    put(40, null, 5)
    put(50, 'c', 4, true)
    expect(group).toMatchObject({ count: 11, relief: 4 })
    expect([...(group.values ?? [])]).toEqual([
      ['a', 2],
      ['b', 1],
    ])
    expire(groups, group, 30)
    expect(group).toMatchObject({ count: 5, relief: 4 })
    expect([...(group.values ?? [])]).toEqual([])
    expire(groups, group, 50)
    expect(group).toMatchObject({ count: 0, relief: 0 })
  })

  it('has no values where no event has one', () => {
    put(10)
    expect(group.values).toBe(null)
  })

  it('holds the latest 512 events', () => {
    for (let at = 0; at < 515; at++) add(groups, group, entry(at), 10_000)
    expect(group.entries).toHaveLength(512)
    expect(times()[0]).toBe(3)
    expect({ count: group.count, entries: groups.entries }).toEqual({ count: 512, entries: 512 })
  })
})

describe('groups', () => {
  it('are one a subject', () => {
    expect(touch(groups, 'ana')).toBe(group)
    expect(touch(groups, 'ben')).not.toBe(group)
    expect(group).toEqual({ entries: [], count: 0, relief: 0, values: null, foundAt: null })
  })

  it('go with their entries when there are too many entries in all, those first that nobody touched', () => {
    groups.entries = mostEntriesInAll - 1
    put(10)
    touch(groups, 'ben')
    expect(groups.map.size).toBe(2)
    expect(groups.map.values()).toContain(group)
    // Another turn, and the one that was not touched is gone, with its entry.
    touch(groups, 'ben')
    expect(groups.map.values()).not.toContain(group)
    expect(groups.entries).toBe(mostEntriesInAll - 1)
  })
})
