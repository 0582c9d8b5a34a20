import { HoldfastError } from '@/server/errors'
import { quoteName } from '../advisor/normalise'
import { type Ask, type Inspection, type Row, refusal } from './connection'
import type { Maintained, Maintenance } from './types'

/** Milliseconds for all tables; what is not reached is told. */
const DEADLINE = 60_000

/** Those longest without statistics first: what the deadline leaves out comes first the next time. */
const OWN_TABLES = `
  SELECT n.nspname AS schema, c.relname AS name
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_stat_all_tables s ON s.relid = c.oid
   WHERE c.relkind IN ('r', 'm', 'p') AND NOT c.relispartition AND pg_has_role(c.relowner, 'USAGE')
     AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
   ORDER BY greatest(s.last_analyze, s.last_autoanalyze) NULLS FIRST, 1, 2`

/** Renews the statistics of the tables that the role owns, on a connection of its own; locked tables are left out. */
export async function analyseTables(inspection: Inspection, what: Maintenance): Promise<Maintained> {
  if (what !== 'analyze') {
    throw new HoldfastError('BAD_INPUT', {
      message: `${what} is for SQLite: PostgreSQL does this by itself.`,
      remedy: 'ANALYZE renews the statistics of a PostgreSQL database.',
    })
  }
  const start = performance.now()
  const { done, all } = await inspection.alone(DEADLINE, (ask) => analyseEach(ask, start + DEADLINE))
  return { message: told(done, all), milliseconds: performance.now() - start }
}

async function analyseEach(ask: Ask, until: number): Promise<{ done: number; all: number }> {
  const tables = await ask(OWN_TABLES)
  let done = 0
  for (const table of tables) {
    const left = Math.floor(until - performance.now())
    if (left <= 0) break
    // For this connection, which is closed afterwards.
    await ask("SELECT set_config('statement_timeout', $1, false)", [`${left}ms`])
    if (await analysed(ask, table)) done++
  }
  return { done, all: tables.length }
}

/** False where the server refuses: the table was dropped meanwhile, or the deadline came. */
async function analysed(ask: Ask, { schema, name }: Row): Promise<boolean> {
  try {
    await ask(`ANALYZE (SKIP_LOCKED) ${quoteName(String(schema))}.${quoteName(String(name))}`)
    return true
  } catch (error) {
    if (refusal(error) === undefined) throw error
    return false
  }
}

function told(done: number, all: number): string {
  if (all === 0) return 'The role owns no tables in this database: there was nothing to analyse.'
  const tables = (count: number) => `${count} ${count === 1 ? 'table' : 'tables'}`
  if (done === all) return `Renewed the statistics of ${tables(all)}.`
  return `Renewed the statistics of ${done} of ${tables(all)}; the rest comes first the next time.`
}
