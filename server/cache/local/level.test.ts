import { expect, it } from 'vitest'
import { LocalLevel } from './level'

function open(maxBytes: number) {
  let now = 0
  const level = new LocalLevel({ now: () => now }, maxBytes)
  const keep = (key: string, size: number, until = 1_000) => {
    const held = { kind: 'entry' as const, entry: Buffer.alloc(size) }
    level.set(key, { held, tags: [], freshUntil: until, staleUntil: until, mark: 0 }, until)
  }
  return { level, keep, wait: (ms: number) => (now += ms) }
}

it('stays within its bytes, and lets go what was used longest ago', () => {
  const { level, keep } = open(10_000)
  for (let n = 0; n < 8; n++) keep(`a:${n}`, 1_000)
  level.get('a:0')
  keep('a:8', 1_000)
  keep('a:9', 1_000)
  expect(level.bytes).toBeLessThanOrEqual(10_000)
  expect(level.get('a:0')).toBeDefined()
  expect(level.get('a:1')).toBeUndefined()
  expect(level.evictions).toBeGreaterThan(0)
})

it('does not keep what would take more than a quarter of it', () => {
  const { level, keep } = open(10_000)
  keep('a:small', 100)
  keep('a:large', 3_000)
  expect(level.get('a:large')).toBeUndefined()
  expect(level.get('a:small')).toBeDefined()
})

it('forgets what is over its time, and counts by namespace', () => {
  const { level, keep, wait } = open(100_000)
  keep('a:1', 100, 50)
  keep('b:1', 100)
  expect(level.use('a').entries).toBe(1)
  wait(50)
  expect(level.get('a:1')).toBeUndefined()
  expect(level.use('a')).toEqual({ entries: 0, bytes: 0 })
  expect(level.use('b').bytes).toBe(level.bytes)
})

it('empties one namespace, or all', () => {
  const { level, keep } = open(100_000)
  for (const key of ['a:1', 'a:2', 'b:1']) keep(key, 10)
  expect(level.clear('a')).toBe(2)
  expect(level.size).toBe(1)
  expect(level.clear()).toBe(1)
  expect(level.bytes).toBe(0)
})

it('gives memory back at once when its bound is lowered, and takes no more than that', () => {
  const { level, keep } = open(100_000)
  for (let n = 0; n < 50; n++) keep(`a:${n}`, 1_000)
  level.limit(20_000)
  expect(level.bytes).toBeLessThanOrEqual(20_000)
  expect(level.pressureEvictions).toBeGreaterThan(30)
  expect(level.evictions).toBe(0)
  level.limit(1e9)
  expect(level.bound).toBe(100_000)
})
