import { withCasts } from '../advisor/normalise'
import { isMark, treeOf } from '../advisor/syntax'
import { type Ask, attempt, type Inspection, type Row } from './connection'
import type { StatementPlan } from './types'

const DEADLINE = 3_000
const PLANNED = /^(select|insert|update|delete|merge|values|with|table)\b/i

/**
 * The plan of a normalised statement for any values, without running it: in a read-only transaction that is rolled
 * back. Why there is none is said in words, never in the server's, which could name values.
 */
export async function planStatement(inspection: Inspection, normalised: string): Promise<StatementPlan> {
  if (!PLANNED.test(normalised.replace(/^[\s(]+/, ''))) {
    return none('PostgreSQL plans only queries and changes of rows: there is no plan for this command.')
  }
  if (treeOf(normalised).some((node) => isMark(node, ';'))) return none('It is more than one statement.')
  const text = withCasts(normalised)
  return inspection.within(DEADLINE, async (ask) => {
    const [server] = await ask(`SELECT current_setting('server_version_num')::int >= 160000 AS generic`)
    const rows = (server?.generic === true && (await generic(ask, text))) || (await prepared(ask, text))
    return typeof rows === 'string'
      ? none(WHY[rows] ?? `PostgreSQL could not plan it (${rows}).`)
      : { plan: rows.map((row) => row['QUERY PLAN']).join('\n'), because: null }
  })
}

const none = (because: string): StatementPlan => ({ plan: null, because })

/** PostgreSQL 16 plans parameters by itself. Undefined where it can't tell a type that PREPARE could. */
async function generic(ask: Ask, text: string): Promise<Row[] | undefined> {
  const rows = await attempt(ask, `EXPLAIN (GENERIC_PLAN) ${text}`)
  return typeof rows === 'string' ? undefined : rows
}

/** Before: a prepared statement that must be planned for any values, explained with nulls for them. */
async function prepared(ask: Ask, text: string): Promise<Row[] | string> {
  await ask("SELECT set_config('plan_cache_mode', 'force_generic_plan', true)")
  const refused = await attempt(ask, `PREPARE holdfast_plan AS ${text}`)
  if (typeof refused === 'string') return refused
  const [types] = await ask(
    "SELECT cardinality(parameter_types) AS n FROM pg_prepared_statements WHERE name = 'holdfast_plan'",
  )
  const nulls = Array.from({ length: Number(types?.n ?? 0) }, () => 'NULL').join(', ')
  const rows = await attempt(ask, `EXPLAIN EXECUTE holdfast_plan${nulls && ` (${nulls})`}`)
  // It outlives the transaction.
  await ask('DEALLOCATE holdfast_plan')
  return rows
}

const WHY: Record<string, string> = {
  '42P01': 'A table that it names is not there, or not in a schema where this connection looks.',
  '42703': 'A column that it names is not there any more.',
  '42883': 'A function that it names is not there, or its values are of types that the text does not tell.',
  '42501': 'The role of this connection may not read a table that it names.',
  '42P18': 'The text does not tell of which type its values are.',
  '42601': 'The text as it is kept is not a whole statement.',
  '55P03': 'A table that it names is locked.',
  '57014': 'PostgreSQL did not plan it in time.',
}
