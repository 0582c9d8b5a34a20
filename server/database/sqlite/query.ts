import type { SqliteDriver } from '@/db/sqlite/driver'

/** Rows by column name, and how many there are or were changed. */
export interface Answer<Row = Record<string, unknown>> {
  rows: Row[]
  rowCount: number
}

/**
 * Runs one statement of SQL with `?` for its parameters. With `read` a read runs where it disturbs nobody; without
 * it the statement is a write of its own, in its turn, whatever it is. Throws SQLite's errors.
 */
export async function querySqlite<Row = Record<string, unknown>>(
  driver: SqliteDriver,
  sql: string,
  params: readonly unknown[] = [],
  { read = false }: { read?: boolean } = {},
): Promise<Answer<Row>> {
  const ask = read ? driver.query.bind(driver) : driver.write.bind(driver)
  const { rows, changes } = await ask(sql, params, 'objects')
  return { rows: rows as Row[], rowCount: changes ?? (rows as Row[]).length }
}
