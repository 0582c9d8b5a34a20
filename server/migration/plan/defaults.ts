import { assign } from '../sql/assign'
import { attempt, translateFor } from '../sql/translate'
import type { Scope } from '../sql/types'
import type { PlannedColumn } from '../types'

const NO_NAMES: Scope = { find: () => undefined }

const NOW = `(now() AT TIME ZONE 'UTC')`

/** Moments in columns whose type says how much of them is kept. */
function translateMoment(sql: string, { type, render }: PlannedColumn): string | null {
  const plain = sql.replace(/^[\s(]+|[\s)]+$/g, '').toUpperCase()
  const moment = /^(CURRENT_TIMESTAMP|DATETIME\s*\(\s*'NOW'\s*)$/.test(plain)
  if (render !== 'time' || !moment) return null
  if (type === 'timestamp with time zone') return 'now()'
  return type === 'date' ? `${NOW}::date` : null
}

/** A DEFAULT of SQLite as one of PostgreSQL; null where it is NULL. SQLite's moments are UTC. */
export function translateDefault(
  sql: string,
  column: PlannedColumn,
): { sql: string } | { reason: string } | null {
  const moment = translateMoment(sql, column)
  if (moment) return { sql: moment }
  const found = attempt(() => translateFor(sql, NO_NAMES, (context, value) => assign(context, value, column)))
  if ('reason' in found) return found
  return found.result === 'NULL' ? null : { sql: found.result }
}
