import type { Driver } from '../stats'
import type { InspectorDeps } from '.'
import { shared } from './shared'
import { maintainSqlite } from './sqlite-maintenance'
import { planSqlite } from './sqlite-plan'
import { readSqliteTables } from './sqlite-tables'
import { ownStatements, planner } from './statements'
import type { Inspector, Missing, ServerFacts } from './types'

/** SQLite has no server: nobody but this process can be seen or ended. */
const NO_SERVER: Missing = {
  kind: 'not-here',
  message: 'SQLite is a file and has no server: there is nobody to be seen but this process.',
  remedy: null,
}

const NO_FACTS: ServerFacts = {
  longTransactions: [],
  wraparound: null,
  slots: [],
  walBytes: null,
  followers: [],
  missing: NO_SERVER,
}

/** Looks into a SQLite file. What takes long is done in the threads of its driver, never on the event loop. */
export function inspectSqlite(
  { client, driver }: Driver & { dialect: 'sqlite' },
  { openedAt }: InspectorDeps,
): Inspector {
  const { statements, plan } = planner(
    async () => ownStatements(driver.statements(), openedAt, null),
    async (text) => planSqlite(client, text),
  )
  return {
    sessions: async () => ({ sessions: [], missing: NO_SERVER }),
    cancel: async () => false,
    terminate: async () => false,
    statements,
    plan,
    tables: shared(readSqliteTables(driver)),
    server: async () => NO_FACTS,
    maintain: (what) => maintainSqlite(driver, what),
  }
}
