import type BetterSqlite3 from 'better-sqlite3'
import { getTableName } from 'drizzle-orm'
import type { Tables } from '@/db/tables'

/**
 * Change capture on the console's own store: triggers note the key of every row that is written from now on.
 * The row itself is read when it is brought over, so a key that is noted twice, or needlessly, does no harm.
 */
export const CAPTURE_TABLE = 'store_changes'

/** A key that was written to, and the number under which it was noted: a later write to it gets a larger one. */
export interface Change {
  seq: number
  key: string | number
}

type Client = BetterSqlite3.Database

/** Starts noting. Calling it again starts anew. */
export function startCapture(client: Client, tables: Tables): void {
  client.transaction(() => {
    drop(client)
    // Numbers are never given twice, so that forgetting a key cannot hit a later write to it.
    client.exec(`
      CREATE TABLE ${CAPTURE_TABLE} (
        seq   INTEGER PRIMARY KEY AUTOINCREMENT,
        name  TEXT NOT NULL,
        key   NOT NULL,
        UNIQUE (name, key)
      )`)
    for (const table of Object.values(tables)) {
      const name = getTableName(table)
      const key = keyOf(client, name)
      client.exec(trigger(name, key, 'INSERT', ['NEW']))
      client.exec(trigger(name, key, 'UPDATE', ['OLD', 'NEW']))
      client.exec(trigger(name, key, 'DELETE', ['OLD']))
    }
  })()
}

/** Stops noting and removes every trace of it. */
export function stopCapture(client: Client): void {
  client.transaction(() => drop(client))()
}

export function isCapturing(client: Client): boolean {
  return (
    client.prepare(`SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?`).get(CAPTURE_TABLE) !==
    undefined
  )
}

/** How many keys are noted. */
export function countChanges(client: Client): number {
  return client.prepare(`SELECT count(*) FROM ${CAPTURE_TABLE}`).pluck().get() as number
}

/** Noted keys of one table, oldest first. */
export function readChanges(client: Client, table: string, after: number, limit: number): Change[] {
  return client
    .prepare(`SELECT seq, key FROM ${CAPTURE_TABLE} WHERE name = ? AND seq > ? ORDER BY seq LIMIT ?`)
    .all(table, after, limit) as Change[]
}

/** Forgets keys that have arrived, unless they were written to again since they were read. */
export function forgetChanges(client: Client, changes: readonly Change[]): void {
  const forget = client.prepare(`DELETE FROM ${CAPTURE_TABLE} WHERE seq = ?`)
  client.transaction(() => {
    for (const { seq } of changes) forget.run(seq)
  })()
}

function drop(client: Client): void {
  const triggers = client
    .prepare(`SELECT name FROM sqlite_schema WHERE type = 'trigger' AND name GLOB '${CAPTURE_TABLE}_*'`)
    .pluck()
    .all() as string[]
  for (const name of triggers) client.exec(`DROP TRIGGER "${name}"`)
  client.exec(`DROP TABLE IF EXISTS ${CAPTURE_TABLE}`)
}

/** By DELETE and INSERT: an OR clause in a trigger gives way to one of the statement that fires it (SQLite manual, CREATE TRIGGER). */
function trigger(
  table: string,
  key: string,
  on: 'INSERT' | 'UPDATE' | 'DELETE',
  rows: ('OLD' | 'NEW')[],
): string {
  const note = (row: string) => `
      DELETE FROM ${CAPTURE_TABLE} WHERE name = '${table}' AND key = ${row}."${key}";
      INSERT INTO ${CAPTURE_TABLE} (name, key) VALUES ('${table}', ${row}."${key}");`
  return `
    CREATE TRIGGER "${CAPTURE_TABLE}_${table}_${on.toLowerCase()}" AFTER ${on} ON "${table}"
    BEGIN${rows.map(note).join('')}
    END`
}

/** The one column of a table's primary key. */
function keyOf(client: Client, table: string): string {
  const keys = client
    .prepare('SELECT name FROM pragma_table_info(?) WHERE pk > 0')
    .pluck()
    .all(table) as string[]
  if (keys.length !== 1) throw new Error(`The table ${table} has no primary key of one column.`)
  return keys[0] as string
}
