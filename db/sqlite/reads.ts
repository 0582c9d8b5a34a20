import { performance } from 'node:perf_hooks'
import type BetterSqlite3 from 'better-sqlite3'
import { ByText } from '../by-text'
import type { SqliteBook, SqliteStatement } from './book'
import { PREPARED } from './connection'
import { forPost } from './crossing'
import { execute } from './execute'
import { Judge } from './judge'
import type { Method, Result, ThreadFile, Value } from './protocol'
import { type Thread, ThreadDied } from './thread'

/** A read runs on the event loop as long as no call of late took longer. */
const SHORT_MS = 5
/** Tables grow: what a plan says is asked again after so long. */
const JUDGED_MS = 10_000

interface Place {
  statement: BetterSqlite3.Statement
  few: boolean
  judgedAt: number
}

/** Runs reads: at once on the main thread's handle when they are short, otherwise in the reading thread. */
export class Reads {
  inline = 0
  threaded = 0
  readonly #book: SqliteBook
  readonly #thread: Thread
  readonly #file: ThreadFile
  readonly #places: ByText<Place>
  readonly #judge: Judge

  constructor(client: BetterSqlite3.Database, book: SqliteBook, thread: Thread, file: ThreadFile) {
    this.#book = book
    this.#thread = thread
    this.#file = file
    // Before the owner puts anything in its place that counts statements: those of here are counted by the book.
    const prepare = client.prepare.bind(client) as (sql: string) => BetterSqlite3.Statement
    this.#places = new ByText(
      (sql) => ({ statement: prepare(sql), few: false, judgedAt: -Infinity }),
      PREPARED,
    )
    this.#judge = new Judge(client, prepare)
  }

  /** Runs a statement if it is a read; undefined when it is none. */
  run(sql: string, params: Value[], method: Method): Result | Promise<Result> | undefined {
    const counted = this.#book.of(sql)
    const start = performance.now()
    try {
      const place = this.#places.of(sql)
      if (!place.statement.readonly || !place.statement.reader) return undefined
      if (this.#isShort(place, counted, params, start)) {
        const result = execute(place.statement, params, method)
        this.inline++
        this.#book.learn(counted, performance.now() - start)
        return result
      }
    } catch (error) {
      this.#book.learn(counted, performance.now() - start, error)
      throw error
    }
    return this.#inThread(sql, params, method)
  }

  #isShort(place: Place, { text, lately }: SqliteStatement, params: Value[], now: number): boolean {
    if (now - place.judgedAt > JUDGED_MS) {
      place.few = this.#judge.looksAtFewRows(text, params)
      place.judgedAt = now
    }
    return place.few && lately <= SHORT_MS
  }

  /** Asked once more when the thread dies over it: a read changes nothing. */
  async #inThread(sql: string, params: Value[], method: Method): Promise<Result> {
    this.threaded++
    const ask = () => this.#thread.ask(this.#file, { op: 'read', sql, params: forPost(params), method })
    const answer = await ask().catch((error) => {
      if (error instanceof ThreadDied) return ask()
      throw error
    })
    return this.#book.resultOf(answer, sql)
  }
}
