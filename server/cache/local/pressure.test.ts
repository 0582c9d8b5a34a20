import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { memoryUse, nextBound } from './pressure'

const folder = mkdtempSync(join(tmpdir(), 'holdfast-groups-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const level = { bytes: 60, bound: 100, configured: 100 }

it('halves what is held while memory is tight, waits in between, and grows back step by step', () => {
  expect(nextBound(level, { heap: 0.9, group: null })).toBe(30)
  expect(nextBound(level, { heap: 0.1, group: 0.95 })).toBe(30)
  expect(nextBound({ ...level, bound: 30 }, { heap: 0.8, group: null })).toBe(30)
  expect(nextBound({ ...level, bound: 30 }, { heap: 0.5, group: 0.5 })).toBe(32)
  expect(nextBound(level, { heap: 0.5, group: null })).toBe(100)
})

it('reads the limit of a control group of either version, without what the kernel can drop', () => {
  const second = join(folder, 'v2')
  mkdirSync(second)
  writeFileSync(join(second, 'memory.max'), '1000\n')
  writeFileSync(join(second, 'memory.current'), '900\n')
  writeFileSync(join(second, 'memory.stat'), 'anon 500\ninactive_file 400\n')
  expect(memoryUse(second).group).toBe(0.5)
  const first = join(folder, 'v1')
  mkdirSync(join(first, 'memory'), { recursive: true })
  writeFileSync(join(first, 'memory', 'memory.limit_in_bytes'), '1000\n')
  writeFileSync(join(first, 'memory', 'memory.usage_in_bytes'), '800\n')
  expect(memoryUse(first).group).toBe(0.8)
})

it('knows no limit where there is none', () => {
  const none = join(folder, 'none')
  mkdirSync(join(none, 'memory'), { recursive: true })
  writeFileSync(join(none, 'memory.max'), 'max\n')
  writeFileSync(join(none, 'memory.current'), '900\n')
  writeFileSync(join(none, 'memory', 'memory.limit_in_bytes'), '9223372036854771712\n')
  writeFileSync(join(none, 'memory', 'memory.usage_in_bytes'), '800\n')
  expect(memoryUse(none).group).toBeNull()
  expect(memoryUse(none).heap).toBeGreaterThan(0)
})
