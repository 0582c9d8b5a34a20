import BetterSqlite3 from 'better-sqlite3'
import type { ThreadError, Value } from './protocol'

/** Bytes as a copy of their own: a small Buffer is a window on memory that others share. */
export function forPost(params: Value[]): Value[] {
  return params.some((value) => value instanceof Uint8Array)
    ? params.map((value) => (value instanceof Uint8Array ? new Uint8Array(value) : value))
    : params
}

export function holdsBytes(rows: unknown): boolean {
  if (!rows || typeof rows !== 'object') return false
  if (rows instanceof Uint8Array) return true
  return Array.isArray(rows) ? rows.some(holdsBytes) : Object.values(rows).some(holdsBytes)
}

/** Gives bytes in rows the class that they had in the thread. */
export function withBuffers(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  if (Array.isArray(value)) return value.map(withBuffers)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, withBuffers(item)]))
}

export function crossing(error: unknown): ThreadError {
  const { name, message, code, stack } = error as Error & { code?: string }
  return { name, message, ...(code ? { code } : {}), ...(stack ? { stack } : {}) }
}

/** The error as SQLite raised it, with the stack of its thread behind that of this one. */
export function rebuilt({ name, message, code, stack }: ThreadError): Error {
  const error = code?.startsWith('SQLITE_')
    ? new BetterSqlite3.SqliteError(message, code)
    : Object.assign(new Error(message), { name, ...(code ? { code } : {}) })
  if (stack) error.stack = `${error.stack}\nin the SQLite thread: ${stack}`
  return error
}
