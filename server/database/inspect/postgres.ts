import type { InspectorDeps } from '.'
import { type Inspected, Inspection } from './connection'
import { analyseTables } from './postgres-maintenance'
import { planStatement } from './postgres-plan'
import { readServer } from './postgres-server'
import { readSessions, signalSession } from './postgres-sessions'
import { readStatements } from './postgres-statements'
import { readTables } from './postgres-tables'
import { shared } from './shared'
import { planner } from './statements'
import type { Inspector } from './types'

/** Transactions open for so many milliseconds are told as long ones. */
const LONG_TRANSACTION = 60_000

/** Looks into a PostgreSQL server, over connections of its own. */
export function inspectPostgres(
  pool: Inspected,
  { openedAt, longTransaction = LONG_TRANSACTION }: InspectorDeps,
): Inspector {
  const inspection = new Inspection(pool)
  const { statements, plan } = planner(
    () => readStatements(inspection, openedAt),
    (text) => planStatement(inspection, text),
  )
  return {
    sessions: shared(() => readSessions(inspection)),
    cancel: (target) => signalSession(inspection, 'cancel', target),
    terminate: (target) => signalSession(inspection, 'terminate', target),
    statements: shared(statements),
    plan,
    tables: shared(() => readTables(inspection)),
    server: shared(() => readServer(inspection, longTransaction)),
    maintain: (what) => analyseTables(inspection, what),
  }
}
