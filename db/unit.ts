import type { Db } from './open'
import type { Tables } from './tables'

/** What a unit of work sees: the handle and tables of one open transaction, and the key that signs its audit events. */
export interface Tx {
  db: Db
  tables: Tables
  auditKey?: AuditKey
  /** Of a request with an Idempotency-Key: `made` once this unit does what the request asked for. */
  change?: RequestedChange
}

export interface RequestedChange {
  requestId: string
  made: boolean
}

/** A key and the id under which a verifier finds it. Plain data: a thread that runs units gets a copy of it once. */
export interface AuditKey {
  id: string
  key: Uint8Array
}

/** A transaction body: it yields queries through {@link q} and gets their rows back. */
export type Work<O> = Generator<PromiseLike<unknown>, O, unknown>

/**
 * A named unit of work: everything in it commits together or not at all. Input and result are plain data
 * (structured-cloneable), so that a unit can be posted to another thread by its name.
 */
export interface Unit<I, O> {
  name: string
  work: (tx: Tx, input: I) => Work<O>
}

/** Defines a unit of work, named `subject.verb`. Throwing inside rolls it back, and so does a failing query. */
export function unit<I, O>(name: string, work: (tx: Tx, input: I) => Work<O>): Unit<I, O> {
  return { name, work }
}

/** Runs one query inside a unit: `const rows = yield* q(tx.db.select()…)`. */
export function* q<T>(query: PromiseLike<T>): Generator<PromiseLike<unknown>, T, unknown> {
  return (yield query) as T
}

/**
 * Locks the selected rows until the unit ends, where the dialect has row locks. SQLite has none and needs
 * none: its units run one at a time.
 */
export function locked<Q>(query: Q): Q {
  const lockable = query as { for?: (strength: 'update') => Q }
  return lockable.for ? lockable.for('update') : query
}

/**
 * Like {@link locked}, but leaves out the rows that somebody else holds: for work that waits on nobody and comes
 * again later.
 */
export function lockedIfFree<Q>(query: Q): Q {
  const lockable = query as { for?: (strength: 'update', options: { skipLocked: true }) => Q }
  return lockable.for ? lockable.for('update', { skipLocked: true }) : query
}
