import { HoldfastError } from '@/server/errors'
import type { PostgresPool } from '../pool/pool'
import type { InspectorDeps } from '.'
import { Inspection } from './connection'
import { readSessions, signalSession } from './postgres-sessions'
import { shared } from './shared'
import type { Inspector } from './types'

/** Looks into a PostgreSQL server, over connections of its own. */
export function inspectPostgres(pool: PostgresPool, { openedAt }: InspectorDeps): Inspector {
  const inspection = new Inspection(pool)
  return {
    sessions: shared(() => readSessions(inspection)),
    cancel: (target) => signalSession(inspection, 'cancel', target),
    terminate: (target) => signalSession(inspection, 'terminate', target),
    statements: async () => ({ source: 'own', since: openedAt, statements: [], missing: null }),
    plan: () => Promise.reject(new HoldfastError('NOT_FOUND', 'This statement is not counted any more.')),
    tables: async () => ({ tables: [], missing: null }),
    server: async () => ({
      longTransactions: [],
      wraparound: null,
      slots: [],
      walBytes: null,
      followers: [],
      missing: null,
    }),
    maintain: () => Promise.reject(new HoldfastError('BAD_INPUT', 'PostgreSQL does this by itself.')),
  }
}
