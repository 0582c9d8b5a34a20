/**
 * Index advice for PostgreSQL and SQLite: what to make for which statement, by what evidence, and what the indexes
 * that are there are worth.
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
