import * as pg from 'drizzle-orm/pg-core'
import * as sqlite from 'drizzle-orm/sqlite-core'

/** The name in SQL of a column, as drizzle's snake_case casing makes it of the property. */
export const columnName = (property: string) =>
  property.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

/** The column makers of PostgreSQL. Their types are the canonical ones of the store. */
export const pgColumns = {
  table: pg.pgTable,
  text: () => pg.text(),
  /** A whole number below 2^31. */
  int: () => pg.integer(),
  /** A whole number below 2^53: sequence numbers, sizes in bytes. */
  big: () => pg.bigint({ mode: 'number' }),
  /** A moment, UTC milliseconds since 1970. */
  time: () => pg.bigint({ mode: 'number' }),
  bool: () => pg.boolean(),
  json: () => pg.jsonb(),
  index: pg.index,
  uniqueIndex: pg.uniqueIndex,
}

export type Columns = typeof pgColumns

/** The same makers for SQLite, seen through PostgreSQL's types so that one definition serves both. */
export const sqliteColumns = {
  table: sqlite.sqliteTable,
  text: () => sqlite.text(),
  int: () => sqlite.integer(),
  big: () => sqlite.integer(),
  time: () => sqlite.integer(),
  bool: () => sqlite.integer({ mode: 'boolean' }),
  json: () => sqlite.text({ mode: 'json' }),
  index: sqlite.index,
  uniqueIndex: sqlite.uniqueIndex,
} as unknown as Columns
