import { HoldfastError } from '@/server/errors'
import type { Driver } from '../stats'
import type { InspectorDeps } from '.'
import type { Inspector, Missing } from './types'

/** SQLite has no server: nobody but this process can be seen or ended. */
const NOT_HERE: Missing = {
  kind: 'not-here',
  message: 'SQLite is a file and has no server: there are no sessions but this process.',
  remedy: null,
}

/** Looks into a SQLite file. */
export function inspectSqlite(
  _driver: Driver & { dialect: 'sqlite' },
  { openedAt }: InspectorDeps,
): Inspector {
  return {
    sessions: async () => ({ sessions: [], missing: NOT_HERE }),
    cancel: async () => false,
    terminate: async () => false,
    statements: async () => ({ source: 'own', since: openedAt, statements: [], missing: null }),
    plan: () => Promise.reject(new HoldfastError('NOT_FOUND', 'This statement is not counted any more.')),
    tables: async () => ({ tables: [], missing: null }),
    server: async () => ({
      longTransactions: [],
      wraparound: null,
      slots: [],
      walBytes: null,
      followers: [],
      missing: NOT_HERE,
    }),
    maintain: () => Promise.reject(new HoldfastError('BAD_INPUT', 'SQLite cannot do this.')),
  }
}
