import { ByText } from '../by-text'
import { rebuilt, withBuffers } from './crossing'
import type { Answer, Result } from './protocol'
import type { NoTurn } from './turns'

/** What was counted of one text of a statement, wherever it ran. */
export interface SqliteStatement {
  readonly text: string
  calls: number
  errors: number
  /** Milliseconds at the connection. */
  totalMs: number
  maxMs: number
  /** The longest of the last calls; it fades with every later one. */
  lately: number
}

/** Told of what happens on a file; durations in milliseconds. */
export interface Observer {
  statement(ms: number, error?: unknown): void
  waited(ms: number): void
  refused(why: NoTurn): void
}

/** A call that took so long a hundred calls ago counts for a seventh of it. */
const FADE = 0.98
const TEXTS = 2_000

/** Statements by their text: the last two to four thousand of them. */
export class SqliteBook {
  readonly #statements = new ByText<SqliteStatement>(
    (text) => ({ text, calls: 0, errors: 0, totalMs: 0, maxMs: 0, lately: 0 }),
    TEXTS,
  )
  readonly #observe: Observer | undefined

  constructor(observe?: Observer) {
    this.#observe = observe
  }

  of(text: string): SqliteStatement {
    return this.#statements.of(text)
  }

  /** Counts one call and learns from its time. */
  learn(statement: SqliteStatement, ms: number, error?: unknown): void {
    statement.calls++
    if (error !== undefined) statement.errors++
    statement.totalMs += ms
    if (ms > statement.maxMs) statement.maxMs = ms
    statement.lately = Math.max(ms, statement.lately * FADE)
    this.#observe?.statement(ms, error)
  }

  /** Counts what a thread answered about a statement and unpacks it. Throws the error that SQLite raised. */
  resultOf({ ms, beginMs, result, bytes, error }: Answer, sql: string): Result {
    const raised = error && rebuilt(error)
    if (beginMs !== undefined) this.learn(this.of('BEGIN IMMEDIATE'), beginMs)
    this.learn(this.of(sql), ms, raised)
    if (raised) throw raised
    if (!result) return { rows: [] }
    return bytes ? { ...result, rows: withBuffers(result.rows) } : result
  }

  /** Those that were answered at least once. */
  list(): SqliteStatement[] {
    return this.#statements.list().filter(({ calls }) => calls > 0)
  }
}
