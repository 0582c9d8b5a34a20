import { createHash } from 'node:crypto'
import type { Client } from 'pg'
import type { Timed } from './timing'

/**
 * Statements as the pool runs them: prepared by name, once a connection. The server plans such a one anew for the
 * first five values, and then for any values at once where that is no dearer (PostgreSQL manual, PREPARE).
 */

/** Runs after which the server has decided. */
const DECIDED = 6

export interface Plans {
  /** With each set of values, without figures: equal plans take equal time. */
  shape: string
  /** Whether the server goes on planning it: planning is then part of every run. */
  again: boolean
}

export const nameOf = (text: string): string =>
  `bench_${createHash('sha256').update(text).digest('hex').slice(0, 16)}`

/** Prepares a statement and has it planned, not run, until its plan is the one that it keeps. */
export async function prepare(client: Client, { text, values }: Timed): Promise<Plans> {
  const name = nameOf(text)
  const { parsedStatements } = (client as unknown as Wired).connection
  if (parsedStatements[name] === undefined) {
    await client.query(`PREPARE ${name} AS ${text}`)
    // What SQL prepares is what the protocol prepares: only pg has to know that it is there.
    parsedStatements[name] = text
  }
  let plans: string[] = []
  for (let asked = 0; asked < DECIDED; asked += values.length) {
    plans = []
    for (const set of values) {
      const list = set.map((value) => literal(client, value)).join(', ')
      const { rows } = await client.query(`EXPLAIN (COSTS OFF) EXECUTE ${name}${list && ` (${list})`}`)
      plans.push(rows.map((row) => row['QUERY PLAN']).join('\n'))
    }
  }
  const { rows } = await client.query(
    'SELECT generic_plans::int AS kept FROM pg_prepared_statements WHERE name = $1',
    [name],
  )
  return { shape: plans.join('\n'), again: rows[0]?.kept === 0 }
}

interface Wired {
  connection: { parsedStatements: Record<string, string> }
}

function literal(client: Client, value: unknown): string {
  const text = Array.isArray(value)
    ? `{${value.map((each) => JSON.stringify(each)).join(',')}}`
    : String(value)
  return client.escapeLiteral(text)
}
