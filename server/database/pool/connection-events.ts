import type { Connection } from './connection'
import type { Job } from './pipeline-query'

/**
 * `lane`: several statements of one kind at once; `alone`: one statement; `lent`: a borrower has it;
 * `returned`: he has given it back before all was answered.
 */
export type ConnectionUse = 'idle' | 'checking' | 'lent' | 'returned' | 'alone' | 'lane'

/** What a connection tells its pool. */
export interface ConnectionEvents {
  /** A statement was answered; `milliseconds` from its sending. */
  statement(milliseconds: number, error: unknown): void
  /** A statement that was not sent yet needs another connection. */
  homeless(job: Job, timeout: number): void
  /** The head of a lane has moved, or nothing is on its way any more. */
  moved(connection: Connection): void
  /** A statement met its deadline: nothing more is sent on this connection. */
  overdue(): void
  /** The connection broke: what has been idle since before it must be checked. */
  trouble(): void
  /** A prepared statement was unknown or known already: something between mixes connections up. */
  namesFail(): void
  /** Milliseconds after which what runs counts as stuck. */
  stuckMs(): number
  /** Whether statements are prepared by name. */
  named(): boolean
}
