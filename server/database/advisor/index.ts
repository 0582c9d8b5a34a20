/**
 * Index advice for PostgreSQL and SQLite: what to make for which statement, by what evidence, and what the indexes
 * that are there are worth.
 *
 *     const client = new pg.Client(…)            // its own: no pooler that shares sessions
 *     const { advice, verdicts } = await adviseIndexes(client, [{ text, calls, totalMilliseconds }])
 *     advice[0]?.ddl                              // CREATE INDEX CONCURRENTLY orders_customer_id_1a2b3c ON orders (customer_id)
 *     verdicts[1]?.because                        // why there is no index for the second statement
 *     await findIndexProblems(client)             // duplicate, unused, unfinished, missing ones; statistics; transactions
 */
export { describeIndex } from './ddl'
export { type Normalised, normaliseStatement } from './normalise'
export type { PrivateConnection } from './planner'
export { adviseIndexes } from './postgres'
export { findIndexProblems, type IndexProblem, type ProblemOptions } from './problems'
export { adviseSqliteIndexes } from './sqlite'
export { findSqliteIndexProblems } from './sqlite-problems'
export type {
  Advice as IndexAdvice,
  Advised,
  AdviseOptions,
  Evidence,
  IndexKey,
  IndexShape,
  NoneReason,
  Verdict,
  WorkStatement,
} from './types'
