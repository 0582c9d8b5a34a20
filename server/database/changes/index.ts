import type { Store } from '@/db/store'
import type { Caller } from '@/server/audit'
import type { Clock } from '@/server/clock'
import { HoldfastError } from '@/server/errors'
import type { Log } from '@/server/log'
import type { Database } from '..'
import type { IndexChange, OfferedAdvice } from './types'

export type { IndexChange, MeasuredTime, OfferedAdvice, OfferedIndex, OfferedProblem } from './types'

export interface IndexChangesDeps {
  store: Store
  clock: Clock
  log: Log
  /** The database under the store, which a switchover replaces. */
  database: () => Database
}

/** Who asks for a change, with the step-up grant of the request. */
export interface Privilege {
  by: Caller
  grantId: string | null
}

/** Index advice, and the indexes that were made or dropped by it. */
export interface IndexChanges {
  /** What would help; kept for a minute unless `fresh`. Never throws for a database that is away: `missing` says why. */
  advice(options?: { fresh?: boolean }): Promise<OfferedAdvice>
  /** Begins the change of one piece of advice and answers its id; `list` tells how it goes. */
  apply(asked: { key: string; privilege: Privilege }): Promise<{ id: string }>
  /** Begins to take a change back. */
  undo(asked: { id: string; privilege: Privilege }): Promise<void>
  /** The newest first. */
  list(): Promise<IndexChange[]>
  start(): void
  close(): Promise<void>
}

export function openIndexChanges({ clock }: IndexChangesDeps): IndexChanges {
  const unknown = () =>
    new HoldfastError('NOT_FOUND', {
      message: 'This advice does not stand any more.',
      remedy: 'Ask for the advice anew.',
    })
  return {
    advice: async () => ({
      at: clock.now(),
      method: 'statistics',
      looked: 0,
      advice: [],
      none: [],
      problems: [],
      missing: null,
    }),
    apply: () => Promise.reject(unknown()),
    undo: () => Promise.reject(unknown()),
    list: async () => [],
    start() {},
    async close() {},
  }
}
