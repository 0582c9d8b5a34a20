import type { StatusKind } from '@/components/ui/status'
import type { Check, RunState } from './types'

export const stateWords: Record<RunState, { kind: StatusKind; word: string }> = {
  planned: { kind: 'off', word: 'Planned' },
  running: { kind: 'busy', word: 'Running' },
  paused: { kind: 'warn', word: 'Paused' },
  cancelling: { kind: 'busy', word: 'Cancelling' },
  cancelled: { kind: 'off', word: 'Cancelled' },
  failed: { kind: 'bad', word: 'Failed' },
  completed: { kind: 'ok', word: 'Completed' },
  switched_over: { kind: 'ok', word: 'Switched over' },
  switched_back: { kind: 'off', word: 'Switched back' },
}

/** The word for where a run stands; one that left rows behind says so. */
export const wordsOf = ({ state, rejected }: { state: RunState; rejected: number }) =>
  state === 'completed' && rejected > 0
    ? { kind: 'warn' as const, word: 'Completed with rejects' }
    : stateWords[state]

export const checkWords: Record<Check['state'], { kind: StatusKind; word: string }> = {
  green: { kind: 'ok', word: 'Green' },
  amber: { kind: 'warn', word: 'Amber' },
  red: { kind: 'bad', word: 'Red' },
}

export const placeOf = ({ host, port, database }: { host: string; port: number; database: string }) =>
  `${host}:${port}/${database}`
