import { describe, expect, it } from 'vitest'
import { MemoryLevel } from './memory'

describe('memory level', () => {
  it('forgets an entry when its time is over', () => {
    let now = 1_000
    const level = new MemoryLevel({ now: () => now }, 10_000)
    level.set('a', Buffer.from('1'), 50)
    now = 1_049
    expect(level.get('a')).toEqual(Buffer.from('1'))
    now = 1_050
    expect(level.get('a')).toBe(undefined)
    expect([level.bytes, level.size]).toEqual([0, 0])
  })

  it('stays within its bytes and drops what was used longest ago', () => {
    const level = new MemoryLevel({ now: () => 0 }, 10_000)
    for (let n = 0; n < 100; n++) {
      level.set(`key:${n}`, Buffer.alloc(500), 1_000)
      level.get('key:0')
      expect(level.bytes).toBeLessThanOrEqual(10_000)
    }
    expect(level.get('key:0')).toBeDefined()
    expect(level.get('key:1')).toBe(undefined)
    expect(level.get('key:99')).toBeDefined()
    expect(level.evictions).toBe(100 - level.size)
  })

  it('counts a replaced entry once and does not keep one that would push out the rest', () => {
    const level = new MemoryLevel({ now: () => 0 }, 10_000)
    level.set('a', Buffer.alloc(1_000), 1)
    const { bytes } = level
    level.set('a', Buffer.alloc(1_000), 1)
    expect(level.bytes).toBe(bytes)
    level.set('a', Buffer.alloc(5_000), 1)
    expect([level.bytes, level.get('a')]).toEqual([0, undefined])
  })
})
