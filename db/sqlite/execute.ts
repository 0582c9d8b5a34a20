import type BetterSqlite3 from 'better-sqlite3'
import type { Method, Result, Value } from './protocol'

/** Runs a statement as drizzle's proxy driver wants its rows. */
export function execute(
  statement: BetterSqlite3.Statement,
  params: readonly Value[],
  method: Method,
): Result {
  if (!statement.reader) {
    const { changes, lastInsertRowid } = statement.run(params)
    return { rows: method === 'get' ? undefined : [], changes, lastInsertRowid }
  }
  if (method === 'get') return { rows: statement.raw(true).get(params) }
  const rows = statement.raw(method !== 'objects').all(params)
  return { rows: method === 'run' ? [] : rows }
}

/**
 * Values as SQLite takes them: booleans as 0 and 1, undefined as null. Throws for what it can't bind, before
 * anything is sent: one value that can't be posted would hold up everybody's messages.
 */
export function bindable(params: readonly unknown[]): Value[] {
  return params.map((value) => {
    switch (typeof value) {
      case 'string':
      case 'number':
      case 'bigint':
        return value
      case 'boolean':
        return value ? 1 : 0
      case 'undefined':
        return null
    }
    if (value === null || value instanceof Uint8Array) return value
    throw new TypeError('SQLite takes strings, numbers, bigints, booleans, bytes and null.')
  })
}
