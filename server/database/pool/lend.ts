import type { CustomTypesConfig } from 'pg'
import utils from 'pg/lib/utils.js'
import type { PgConnection, PgHandle } from '@/db/open'
import type { Connection } from './connection'
import type { Job } from './pipeline-query'
import type { Statement, StatementBook } from './pipeline-statement'

/** A query as pg takes it. */
export interface Asked {
  text: string
  values?: unknown[]
  rowMode?: 'array'
  types?: CustomTypesConfig
  /** Milliseconds, instead of the pool's queryTimeout. */
  query_timeout?: number
}

/** COPY streams and cursors: they answer at once and speak with the connection themselves. */
interface Submittable {
  submit(connection: unknown): void
}

export function isSubmittable(asked: unknown): asked is Submittable {
  return typeof (asked as { submit?: unknown } | null)?.submit === 'function'
}

/** Makes a job of what pg's query() takes. Throws what a value's own conversion throws. */
export function jobOf(
  statement: Statement,
  asked: string | Asked,
  given: unknown[] | undefined,
  resolve: Job['resolve'],
  reject: Job['reject'],
): Job {
  const values = given ?? (typeof asked === 'string' ? undefined : asked.values)
  const { rowMode, types } = typeof asked === 'string' ? NOTHING : asked
  return { statement, values: values?.map(onWire), rowMode, types, resolve, reject }
}

const NOTHING: Partial<Asked> = {}

function onWire(value: unknown): unknown {
  return typeof value === 'string' ? value : utils.prepareValue(value)
}

export function textOf(asked: string | Asked): string {
  const text = typeof asked === 'string' ? asked : asked?.text
  if (typeof text !== 'string') throw new TypeError('A query needs a text.')
  return text
}

/** Gives the error the stack of who asked, below `below`: the parser's own leads nowhere. */
export function restack(error: unknown, below: (...args: never[]) => unknown): unknown {
  if (error instanceof Error) Error.captureStackTrace(error, below)
  return error
}

const BEGIN = /^\s*begin\s*;?\s*$/i
const BEGUN = { command: 'BEGIN', rowCount: null, oid: null }

/** What a borrower gets. After release it is of no use any more. */
export function lend(
  connection: Connection,
  book: StatementBook,
  release: (destroy: boolean) => void,
): PgConnection {
  let returned = false
  const query = (asked: string | Asked, values?: unknown[]): unknown => {
    if (returned) return Promise.reject(new Error('This connection was given back already.'))
    if (isSubmittable(asked)) {
      connection.sendBegin()
      return connection.client.query(asked as never)
    }
    const text = typeof asked === 'string' ? asked : asked?.text
    if (BEGIN.test(text) && connection.begin()) return Promise.resolve({ ...BEGUN, rows: [], fields: [] })
    return ask(asked, values)
  }
  const ask = async (asked: string | Asked, values?: unknown[]): Promise<unknown> => {
    try {
      return await new Promise((resolve, reject) => {
        const job = jobOf(book.of(textOf(asked)), asked, values, resolve, reject)
        connection.send(job, typeof asked === 'string' ? undefined : asked.query_timeout)
      })
    } catch (error) {
      throw restack(error, query)
    }
  }
  return {
    query: query as unknown as PgHandle['query'],
    release: (destroy?: boolean) => {
      if (returned) return
      returned = true
      release(destroy === true)
    },
  }
}
