/** A key that was written to, and the number under which it was noted: a later write to it gets a larger one. */
export interface Change {
  seq: number
  key: string | number
}

/**
 * Where one side of a move notes which rows are written. The row itself is read when it is brought over, so a key
 * that is noted twice, or needlessly, does no harm.
 */
export interface ChangeLog {
  /** How many keys are noted. */
  count(): Promise<number>
  /** The tables of which keys are noted, by their names in SQL, and the highest number so far. */
  noted(): Promise<{ tables: Set<string>; upTo: number }>
  /** Noted keys of one table, up to a number; `after` is the last one of the former answer. */
  read(table: string, range: { after: Change | null; upTo: number }, limit: number): Promise<Change[]>
  /** Forgets keys that have arrived, unless they were written to again since they were read. */
  forget(table: string, changes: readonly Change[]): Promise<void>
}
