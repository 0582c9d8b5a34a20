import { existsSync, readFileSync } from 'node:fs'
import { getHeapStatistics } from 'node:v8'

/** How full memory is, as shares of its limits; null where there is none. */
export interface MemoryUse {
  heap: number
  /** Of the control group that the process runs in, such as a container. */
  group: number | null
}

/** From here the level gives memory back, so that neither V8 nor the kernel ends the process. */
const TIGHT = 0.85
const EASY = 0.75
/** A level that was cut grows back by this share of its configured size each second. */
const REGROWTH = 0.02

/**
 * The bound of the local level for the next second: half of what it holds while memory is tight, back to the
 * configured size step by step when it is not.
 */
export function nextBound(
  level: { bytes: number; bound: number; configured: number },
  use: MemoryUse,
): number {
  const fullest = Math.max(use.heap, use.group ?? 0)
  if (fullest > TIGHT) return Math.min(level.bound, level.bytes / 2)
  if (fullest > EASY) return level.bound
  return Math.min(level.configured, level.bound + level.configured * REGROWTH)
}

/** Reads how full memory is now: about 30 µs. */
export function memoryUse(root = '/sys/fs/cgroup'): MemoryUse {
  const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics()
  return { heap: used / limit, group: groupUse(root) }
}

/** Version 2 of control groups, else version 1 (kernel documentation, cgroup-v2.rst and memory.rst). */
function groupUse(root: string): number | null {
  for (const [limitFile, useFile] of [
    ['memory.max', 'memory.current'],
    ['memory/memory.limit_in_bytes', 'memory/memory.usage_in_bytes'],
  ] as const) {
    const limit = readNumber(`${root}/${limitFile}`)
    const use = readNumber(`${root}/${useFile}`)
    // Version 1 writes "no limit" as a number near 2^63.
    if (limit !== null && use !== null && limit < 2 ** 50) return reclaimed(root, use) / limit
  }
  return null
}

/** File pages that the kernel can drop at once are no pressure. */
function reclaimed(root: string, use: number): number {
  for (const file of [`${root}/memory.stat`, `${root}/memory/memory.stat`]) {
    if (!existsSync(file)) continue
    const inactive = /^(?:total_)?inactive_file (\d+)$/m.exec(readFileSync(file, 'utf8'))
    return Math.max(0, use - Number(inactive?.[1] ?? 0))
  }
  return use
}

function readNumber(file: string): number | null {
  try {
    const value = Number(readFileSync(file, 'utf8').trim())
    return Number.isFinite(value) ? value : null
  } catch {
    return null
  }
}
