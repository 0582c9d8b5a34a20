import { setTimeout } from 'node:timers/promises'
import type BetterSqlite3 from 'better-sqlite3'
import type { SqliteHandle, SqliteUnit } from '../open'
import { type Observer, SqliteBook, type SqliteStatement } from './book'
import { bindable } from './execute'
import type { Method, Result } from './protocol'
import { Reads } from './reads'
import { builtWorker, sharedThread, type Thread, ThreadDied } from './thread'
import { type NoTurn, Turns } from './turns'
import { Writes } from './writes'

export interface SqliteOptions {
  observe?: Observer
  /** Makes the error for what can't be served. */
  unavailable?: (why: Unavailable, cause?: unknown) => Error
  /** The threads; otherwise those that all files of the process share. */
  threads?: { writer: Thread; reader: Thread }
}

/** One sentence for a user, and what to do. */
export interface Unavailable {
  message: string
  remedy: string
  /** `lost`: nothing of it was written, so that it may be run again (db/errors.ts). */
  details?: { reason: 'lost' | 'outcome-unknown' }
}

export interface SqliteFigures {
  /** Whether a unit or a single write runs now, and how many wait for their turn. */
  writing: boolean
  waiting: number
  /** Units and single writes that had their turn since the start. */
  writes: number
  /** Reads on the event loop, and in the reading thread, since the start. */
  inlineReads: number
  threadReads: number
}

const LIMITS = { most: 10_000, patienceMs: 30_000 }

let files = 0

/**
 * A SQLite file without blocking the event loop. Short reads run at once on the handle of the main thread; long
 * ones, and those that might be, on a connection in a reading thread; units of work and single writes on one in
 * a writing thread.
 */
export class SqliteDriver implements SqliteHandle {
  /** The main thread's handle. Write through it in {@link alone} only. */
  readonly client: BetterSqlite3.Database
  readonly #book: SqliteBook
  readonly #turns: Turns
  readonly #reads: Reads
  readonly #writes: Writes
  readonly #options: SqliteOptions
  readonly #disconnect: () => Promise<unknown>
  #leaving: Promise<void> | undefined

  /** @param client an open handle on a file in WAL mode; the driver closes it. */
  constructor(client: BetterSqlite3.Database, options: SqliteOptions = {}) {
    const { observe, threads } = options
    this.client = client
    this.#options = options
    this.#book = new SqliteBook(observe)
    this.#turns = new Turns((why) => this.#noTurn(why), LIMITS)
    const reader = threads?.reader ?? sharedThread('reader', builtWorker())
    const writer = threads?.writer ?? sharedThread('writer', builtWorker())
    const read = { number: ++files, path: client.name, readonly: true }
    const written = { number: ++files, path: client.name, readonly: false }
    this.#reads = new Reads(client, this.#book, reader, read)
    this.#writes = new Writes(this.#book, writer, written, this.#turns, observe?.waited)
    this.#disconnect = () => Promise.all([reader.close(read), writer.close(written)])
  }

  /** Runs one statement outside of units: a read where it belongs, anything else as a write of its own. */
  async query(sql: string, params: readonly unknown[], method: Method): Promise<Result> {
    if (this.#leaving) throw this.#closed()
    const values = bindable(params)
    const read = this.#reads.run(sql, values, method)
    return read instanceof Promise
      ? read.catch((error) => this.#explain(error))
      : (read ?? this.write(sql, values, method))
  }

  /** Runs one statement as a write of its own, in its turn, whatever it is: `PRAGMA optimize`, `CREATE INDEX`. */
  async write(sql: string, params: readonly unknown[], method: Method): Promise<Result> {
    return this.#writes.single(sql, bindable(params), method).catch((error) => this.#explain(error))
  }

  /** Waits for a turn and begins a unit of work. */
  async begin(): Promise<SqliteUnit> {
    const unit = await this.#writes.begin()
    return {
      query: (sql, params, method) => unit.query(sql, params, method).catch((error) => this.#explain(error)),
      commit: () => unit.commit().catch((error) => this.#explain(error)),
      rollback: () => unit.rollback(),
    }
  }

  /**
   * Calls `work` with the main thread's handle while no unit runs and none has a transaction open: the one way
   * to write through that handle. It may not wait for anything.
   */
  alone<T>(work: (client: BetterSqlite3.Database) => T): Promise<T> {
    return this.#writes.alone(() => work(this.client))
  }

  figures(): SqliteFigures {
    return {
      writing: this.#turns.taken,
      waiting: this.#turns.waiting,
      writes: this.#writes.begun,
      inlineReads: this.#reads.inline,
      threadReads: this.#reads.threaded,
    }
  }

  /** What was asked since the start, by text: calls, times, errors. */
  statements(): Readonly<SqliteStatement>[] {
    return this.#book.list()
  }

  /**
   * Closes the connections in the threads and leaves the main thread's handle open for its owner. A running unit
   * may end within `graceMs`; who waits for a turn is refused, and so is everybody who comes later.
   */
  leave(graceMs = 3_000): Promise<void> {
    this.#leaving ??= this.#end(graceMs)
    return this.#leaving
  }

  async close(graceMs?: number): Promise<void> {
    await this.leave(graceMs)
    this.client.close()
  }

  async #end(graceMs: number): Promise<void> {
    await this.#turns.close(graceMs)
    // A long read on its way is not waited for: its connection is closed when it has ended.
    const grace = new AbortController()
    await Promise.race([
      this.#disconnect(),
      setTimeout(graceMs, undefined, { signal: grace.signal }).catch(() => {}),
    ])
    grace.abort()
  }

  #explain(error: unknown): never {
    if (!(error instanceof ThreadDied)) throw error
    throw this.#unavailable(error.op === 'commit' || error.op === 'single' ? UNKNOWN : LOST, error)
  }

  #noTurn(why: NoTurn): Error {
    this.#options.observe?.refused(why)
    return why === 'closed' ? this.#closed() : this.#unavailable(why === 'full' ? FULL : LATE)
  }

  #closed(): Error {
    return this.#unavailable(CLOSED)
  }

  #unavailable(why: Unavailable, cause?: unknown): Error {
    return (
      this.#options.unavailable?.(why, cause) ??
      Object.assign(new Error(why.message, { cause }), { code: 'DATABASE_UNAVAILABLE', details: why.details })
    )
  }
}

const LOST: Unavailable = {
  message: 'The SQLite thread died, and nothing was written.',
  remedy: 'Try again.',
  details: { reason: 'lost' },
}
const UNKNOWN: Unavailable = {
  message: 'The SQLite thread died during a write: whether it was kept is unknown.',
  remedy: 'Look whether the change is there before you make it again.',
  details: { reason: 'outcome-unknown' },
}
const BUSY = 'Try again in a moment; the database page shows what takes long.'
const FULL: Unavailable = {
  message: `${LIMITS.most} writes wait for the SQLite store already.`,
  remedy: BUSY,
}
const LATE: Unavailable = {
  message: `A write waited ${LIMITS.patienceMs / 1000} s for its turn on the SQLite store.`,
  remedy: BUSY,
}
const CLOSED: Unavailable = {
  message: 'The SQLite store is closed.',
  remedy: 'Try again when Holdfast has started.',
}
