import { performance } from 'node:perf_hooks'
import type { SqliteUnit } from '../open'
import type { SqliteBook } from './book'
import { forPost } from './crossing'
import { bindable } from './execute'
import type { Answer, Command, Method, Result, ThreadFile, Value } from './protocol'
import { type Thread, ThreadDied } from './thread'
import type { Turns } from './turns'

/** Runs what writes, strictly one after the other, on the writing thread's connection. */
export class Writes {
  /** Units and single writes that had their turn. */
  begun = 0
  readonly #book: SqliteBook
  readonly #thread: Thread
  readonly #file: ThreadFile
  readonly #turns: Turns
  readonly #waited: (ms: number) => void
  /** Settles when what was sent last is done. */
  #lastEnd: Promise<unknown> = Promise.resolve()

  constructor(
    book: SqliteBook,
    thread: Thread,
    file: ThreadFile,
    turns: Turns,
    waited: (ms: number) => void = () => {},
  ) {
    this.#book = book
    this.#thread = thread
    this.#file = file
    this.#turns = turns
    this.#waited = waited
  }

  /** One statement that commits by itself. */
  async single(sql: string, params: Value[], method: Method): Promise<Result> {
    const end = await this.#turn()
    const asked = this.#ask({ op: 'single', sql, params: forPost(params), method })
    this.#endWith(asked, end)
    return this.#book.resultOf(await asked, sql)
  }

  /** Waits for a turn; the transaction opens with the unit's first query. */
  async begin(): Promise<SqliteUnit> {
    const end = await this.#turn()
    /** The thread's generation in which the transaction was opened. */
    let opened: number | undefined
    let over = false

    const query = async (sql: string, params: readonly unknown[], method: Method) => {
      if (over) throw new Error('A query came after its unit of work had ended.')
      const command = { sql, params: forPost(bindable(params)), method }
      const asked = this.#ask({ op: 'query', begin: opened === undefined, ...command }, opened)
      opened ??= this.#thread.generation
      return this.#book.resultOf(await asked, sql)
    }
    const finish = async (op: 'commit' | 'rollback') => {
      // A second end would be that of the next unit's transaction.
      if (over) return
      over = true
      if (opened === undefined) return end()
      const asked = this.#ask({ op }, opened)
      this.#endWith(asked, end)
      this.#book.resultOf(await asked, op.toUpperCase())
    }
    return { query, commit: () => finish('commit'), rollback: () => finish('rollback') }
  }

  /** Calls `work` while no unit runs and no transaction is open in the thread. */
  async alone<T>(work: () => T): Promise<T> {
    const end = await this.#turn()
    try {
      await this.#lastEnd
      return work()
    } finally {
      end()
    }
  }

  async #turn(): Promise<() => void> {
    const start = performance.now()
    const end = await this.#turns.take()
    this.begun++
    this.#waited(performance.now() - start)
    return end
  }

  /** Ends the turn when the last thing is sent: the thread works off one after the other. */
  #endWith(asked: Promise<unknown>, end: () => void): void {
    this.#lastEnd = asked.catch(() => {})
    end()
  }

  /** @param generation of the thread in which the transaction was opened, if one was. */
  async #ask(command: Command, generation?: number): Promise<Answer> {
    if (generation !== undefined && generation !== this.#thread.generation) throw new ThreadDied('query')
    return this.#thread.ask(this.#file, command)
  }
}
