import { performance } from 'node:perf_hooks'
import BetterSqlite3 from 'better-sqlite3'
import { ByText } from '../by-text'
import { crossing, holdsBytes } from './crossing'
import { execute } from './execute'
import type { Answer, Request } from './protocol'

/** A connection keeps as many to twice as many statements prepared. */
export const PREPARED = 300

/** One file as a SQLite thread holds it: a connection of its own, with its statements. */
export class Connection {
  readonly #client: BetterSqlite3.Database
  readonly #statements: ByText<BetterSqlite3.Statement>

  /** Throws SQLite's error when the file can't be opened. */
  constructor(path: string, readonly: boolean) {
    this.#client = new BetterSqlite3(path, { readonly, fileMustExist: true, timeout: 5_000 })
    this.#client.pragma('synchronous = NORMAL')
    this.#client.pragma('foreign_keys = ON')
    this.#statements = new ByText((sql) => this.#client.prepare(sql), PREPARED)
  }

  /** Answers one request; an error of SQLite is part of the answer. */
  answer(request: Request): Answer {
    const start = performance.now()
    const answer: Answer = { id: request.id, ms: 0 }
    let begun = start
    try {
      if (request.op === 'query' && request.begin) {
        this.#client.exec('BEGIN IMMEDIATE')
        begun = performance.now()
        answer.beginMs = begun - start
      }
      this.#do(request, answer)
    } catch (error) {
      answer.error = crossing(error)
    }
    answer.ms = performance.now() - begun
    return answer
  }

  close(): void {
    this.#client.close()
  }

  #do(request: Request, answer: Answer): void {
    const client = this.#client
    switch (request.op) {
      case 'query':
        // Never by itself: SQLite ends a transaction on some errors, and a new thread knows nothing of it.
        if (!client.inTransaction) throw new Error('The transaction is over.')
        this.#run(request, answer)
        break
      case 'single':
      case 'read':
        this.#run(request, answer)
        if (client.inTransaction) {
          client.exec('ROLLBACK')
          throw new Error('A transaction is opened by a unit of work, not by a statement.')
        }
        break
      case 'commit':
        try {
          client.exec('COMMIT')
        } finally {
          if (client.inTransaction) client.exec('ROLLBACK')
        }
        break
      case 'rollback':
        if (client.inTransaction) client.exec('ROLLBACK')
    }
  }

  #run({ sql, params, method }: Extract<Request, { op: 'query' | 'single' | 'read' }>, answer: Answer): void {
    answer.result = execute(this.#statements.of(sql), params, method)
    answer.bytes = holdsBytes(answer.result.rows)
  }
}
