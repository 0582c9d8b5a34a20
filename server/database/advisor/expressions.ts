import { quoteName } from './normalise'
import { isSqlError, type PrivateConnection, run } from './planner'
import { tokenise } from './tokens'
import type { TableFacts } from './types'

/** Pages that a sample reads, and how long it may take. */
const SAMPLE = { pages: 100, milliseconds: 1_000 }
/** Values that change with the session or the clock, and need no parentheses. */
const CHANGING = /^(current_\w+|localtime|localtimestamp|session_user|user)$/

/**
 * Whether an expression may be indexed, which only an immutable one may: the server tells by its functions and
 * operators. In doubt it may not: a cast's function depends on types that nobody reads here.
 */
export async function indexable(connection: PrivateConnection, expression: string): Promise<boolean> {
  const tokens = tokenise(expression)
  const called: string[] = []
  const operators: string[] = []
  for (const [at, { kind, text }] of tokens.entries()) {
    if (kind === 'param' || text === '::' || (kind === 'word' && CHANGING.test(text))) return false
    if (kind === 'word' && tokens[at + 1]?.text === '(') called.push(text)
    if (kind === 'mark' && !/^[(),.]$/.test(text)) operators.push(text)
  }
  if (called.length + operators.length === 0 || called.includes('cast')) return false
  const [row] = await run(
    connection,
    `SELECT (SELECT count(*) FROM pg_proc
              WHERE proname = ANY($1) AND provolatile <> 'i' AND pg_function_is_visible(oid))
          + (SELECT count(*) FROM pg_operator o JOIN pg_proc p ON p.oid = o.oprcode
              WHERE o.oprname = ANY($2) AND p.provolatile <> 'i' AND pg_operator_is_visible(o.oid)) AS n`,
    [called, operators],
  )
  return Number(row?.n) === 0
}

/**
 * How many rows one value of an indexable expression has, from a sample of pages (Haas and Stokes, Estimating the
 * Number of Classes in a Finite Population, Duj1, as ANALYZE does). The planner guesses: before there is an index
 * on it, nobody has counted its values. Undefined when the sample can't be read in time.
 */
export async function rowsOfOneValue(
  connection: PrivateConnection,
  table: TableFacts,
  expression: string,
): Promise<number | undefined> {
  const percent = Math.min(100, (100 * SAMPLE.pages) / Math.max(1, table.pages))
  const place = `${table.schema ? `${quoteName(table.schema)}.` : ''}${quoteName(table.name)}`
  await run(connection, 'SAVEPOINT sample')
  try {
    await run(connection, `SET LOCAL statement_timeout = ${SAMPLE.milliseconds}`)
    const [row] = await run(
      connection,
      `SELECT coalesce(sum(rows), 0) AS sampled,
              coalesce(sum(rows) FILTER (WHERE value IS NOT NULL), 0) AS known,
              count(value) AS distinct,
              count(value) FILTER (WHERE rows = 1) AS once
         FROM (SELECT (${expression}) AS value, count(*) AS rows
                 FROM ${place} TABLESAMPLE SYSTEM (${percent}) REPEATABLE (0)
                GROUP BY 1) AS values`,
    )
    await run(connection, 'RELEASE SAVEPOINT sample')
    const [sampled, known, distinct, once] = [row?.sampled, row?.known, row?.distinct, row?.once].map(
      Number,
    ) as [number, number, number, number]
    if (known === 0) return undefined
    const all = Math.max(known, table.rows * (known / sampled))
    const values = (known * distinct) / (known - once + (once * known) / all)
    return Math.max(1, all / values)
  } catch (error) {
    // An expression that fails for some row, no right to read, or too slow.
    if (!isSqlError(error)) throw error
    await run(connection, 'ROLLBACK TO SAVEPOINT sample')
    return undefined
  } finally {
    await run(connection, "SET LOCAL statement_timeout = '10s'")
  }
}
