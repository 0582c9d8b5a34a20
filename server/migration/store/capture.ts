import type BetterSqlite3 from 'better-sqlite3'
import { getTableName } from 'drizzle-orm'
import type { Tables } from '@/db/tables'
import type { Change, ChangeLog } from './change-log'
import type { SqliteSide } from './own-store'

/** Change capture on the console's own store: triggers note the key of every row that is written from now on. */
export const CAPTURE_TABLE = 'store_changes'

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

/** What is noted in a SQLite store. */
export function sqliteLog({ client, alone }: Pick<SqliteSide, 'client' | 'alone'>): ChangeLog {
  const all = (sql: string, ...values: unknown[]) => client.prepare(sql).all(...values)
  const pluck = (sql: string) => client.prepare(sql).pluck()
  return {
    count: async () => pluck(`SELECT count(*) FROM ${CAPTURE_TABLE}`).get() as number,
    noted: async () => ({
      tables: new Set(pluck(`SELECT DISTINCT name FROM ${CAPTURE_TABLE}`).all() as string[]),
      upTo: Number(pluck(`SELECT max(seq) FROM ${CAPTURE_TABLE}`).get()),
    }),
    read: async (table, { after, upTo }, limit) =>
      all(
        `SELECT seq, key FROM ${CAPTURE_TABLE} WHERE name = ? AND seq > ? AND seq <= ? ORDER BY seq LIMIT ?`,
        table,
        after?.seq ?? 0,
        upTo,
        limit,
      ) as Change[],
    forget: (_table, changes) =>
      alone((writable) => {
        const forget = writable.prepare(`DELETE FROM ${CAPTURE_TABLE} WHERE seq = ?`)
        writable.transaction(() => {
          for (const { seq } of changes) forget.run(seq)
        })()
      }),
  }
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
