/** What the main thread and the SQLite threads say to each other: plain data, many messages in one post. */

/** `get`, `all` and `values` answer rows as lists of values, `objects` by column name, `run` no rows. */
export type Method = 'run' | 'get' | 'all' | 'values' | 'objects'

export type Value = string | number | bigint | null | Uint8Array

/** A file as a thread opens it; numbers are never given twice in a process. */
export interface ThreadFile {
  number: number
  path: string
  readonly: boolean
}

/**
 * `query` runs inside the open transaction, which `begin` opens before it; `single` commits by itself; `read`
 * is a read outside of transactions.
 */
export type Command =
  | { op: 'query'; begin: boolean; sql: string; params: Value[]; method: Method }
  | { op: 'single' | 'read'; sql: string; params: Value[]; method: Method }
  | { op: 'commit' | 'rollback' | 'close' }

export type Request = { id: number; file: number } & (
  | Command
  | { op: 'open'; path: string; readonly: boolean }
)

/** Rows as the method asks; of a `get`, the one row. */
export interface Result {
  rows: unknown
  changes?: number
  lastInsertRowid?: number | bigint
}

export interface Answer {
  id: number
  /** Milliseconds that the statement took at the connection, and that the transaction took to begin. */
  ms: number
  beginMs?: number
  result?: Result
  /** Some value of the rows is a Buffer, which arrives as a bare Uint8Array. */
  bytes?: boolean
  error?: ThreadError
}

/** An error as it crosses: cloning one would lose its class and its code. */
export interface ThreadError {
  name: string
  message: string
  code?: string
  stack?: string
}
