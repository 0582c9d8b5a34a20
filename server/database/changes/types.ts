import type { IndexAdvice, IndexProblem, Verdict } from '../advisor'

/** Milliseconds a call and calls, of the statements that an index was made for, over one stretch of time. */
export interface MeasuredTime {
  calls: number
  meanMs: number
  from: number
  to: number
}

/** One index that was made or dropped from the console, with what it did to the statements it was for. */
export interface IndexChange {
  id: string
  kind: 'create' | 'drop'
  table: string
  index: string
  ddl: string
  undo: string
  /** `running` while the server builds; `failed` leaves nothing behind: an unfinished index is dropped again. */
  state: 'running' | 'applied' | 'failed' | 'undoing' | 'undone'
  actor: string
  requestedAt: number
  finishedAt: number | null
  undoneAt: number | null
  /** What went wrong, in one sentence. */
  error: string | null
  /** The planner's costs before and after, as advised; null for a drop. */
  expected: { costBefore: number; costAfter: number } | null
  fingerprints: string[]
  before: MeasuredTime | null
  /** Null until the statements ran often enough after it. */
  after: MeasuredTime | null
}

/** One piece of advice as the page shows it. `key` names it in `applyIndex` while the advice stands. */
export interface OfferedIndex extends Omit<IndexAdvice, 'verdicts'> {
  key: string
  verdicts: (Omit<Verdict, 'statement'> & { fingerprint: string; text: string })[]
}

/** What is wrong with indexes and statistics that are there; `key` only where Holdfast can mend it. */
export interface OfferedProblem extends IndexProblem {
  key: string | null
}

export interface OfferedAdvice {
  at: number
  method: 'hypopg' | 'statistics' | 'schema-copy'
  /** Statements that were looked at, and those of them that got no index, with the reason. */
  looked: number
  advice: OfferedIndex[]
  none: { fingerprint: string; text: string; because: string }[]
  problems: OfferedProblem[]
  /** Why there is no advice at all: no rights, database away. */
  missing: string | null
}
