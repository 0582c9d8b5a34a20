import type { StatusKind } from '@/components/ui/status'
import type { MissReason, Stats } from './types'

export interface StateWord {
  kind: StatusKind
  word: string
}

/** How a state of a cache with Redis is said. */
export const STATES: Record<Stats['state'], StateWord> = {
  redis: { kind: 'ok', word: 'Redis' },
  degraded: { kind: 'warn', word: 'Degraded' },
  memory: { kind: 'bad', word: 'Memory' },
  probing: { kind: 'busy', word: 'Probing' },
}

/** The state now; a cache that was never given a Redis is well in memory. */
export function stateWord({ mode, state }: Pick<Stats, 'mode' | 'state'>): StateWord {
  return mode === 'memory' ? { kind: 'ok', word: 'In memory' } : STATES[state]
}

/** Whether the cache is as it should be. */
export const isWell = ({ mode, state }: Pick<Stats, 'mode' | 'state'>) =>
  mode === 'memory' || state === 'redis'

export const MODES: Record<Stats['mode'], string> = {
  memory: 'in this process',
  single: 'one Redis',
  cluster: 'Redis Cluster',
  sentinel: 'Redis behind Sentinel',
}

export const MISSES: Record<MissReason, { word: string; meaning: string }> = {
  absent: { word: 'Absent', meaning: 'Never set, deleted, or pushed out' },
  expired: { word: 'Expired', meaning: 'Its time to live was over' },
  invalidated: { word: 'Invalidated', meaning: 'One of its tags was invalidated' },
  unreadable: { word: 'Unreadable', meaning: 'Written in another format, or broken' },
  unavailable: { word: 'Unavailable', meaning: 'Redis was away, and memory had no copy' },
}

export const sumOf = (misses: Record<MissReason, number>) =>
  Object.values(misses).reduce((sum, count) => sum + count, 0)

/** Reasons with their misses, in a fixed order. */
export function missRows(misses: Record<MissReason, number>) {
  const all = sumOf(misses)
  return (Object.keys(MISSES) as MissReason[]).map((reason) => ({
    reason,
    ...MISSES[reason],
    count: misses[reason],
    share: all === 0 ? null : misses[reason] / all,
  }))
}
