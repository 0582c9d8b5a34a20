import type Database from 'better-sqlite3'
import type { ForeignKeyAction } from '../types'
import type { SourceForeignKey, SourceIndex } from './source'
import { type Deferrable, deferrableReferences } from './sqltext'

/** Indexes in the order in which they were made, with those of constraints. */
export function inspectIndexes(db: Database.Database, table: string): SourceIndex[] {
  const list = db.prepare(
    `SELECT l.name, l."unique", l.origin, l.partial, s.sql FROM pragma_index_list(?) l
     LEFT JOIN sqlite_schema s ON s.type = 'index' AND s.name = l.name ORDER BY l.seq DESC`,
  )
  const columns = db.prepare(
    'SELECT name, cid, "desc", coll FROM pragma_index_xinfo(?) WHERE key = 1 ORDER BY seqno',
  )
  return (list.all(table) as Record<string, unknown>[]).map((index) => ({
    name: index.name as string,
    unique: index.unique === 1,
    origin: index.origin as SourceIndex['origin'],
    partial: index.partial === 1,
    sql: index.sql as string | null,
    columns: (columns.all(index.name) as Record<string, unknown>[]).map((column) => ({
      name: (column.cid as number) >= 0 ? (column.name as string) : null,
      descending: column.desc === 1,
      collation: column.coll as string,
    })),
  }))
}

/** pragma_foreign_key_list numbers the keys from the last written to the first. */
export function inspectForeignKeys(db: Database.Database, table: string, sql: string): SourceForeignKey[] {
  const rows = db
    .prepare(
      'SELECT id, "table", "from", "to", on_update, on_delete FROM pragma_foreign_key_list(?) ORDER BY id DESC, seq',
    )
    .all(table) as {
    id: number
    table: string
    from: string
    to: string | null
    on_update: string
    on_delete: string
  }[]
  const byId = new Map<number, typeof rows>()
  for (const row of rows) byId.set(row.id, [...(byId.get(row.id) ?? []), row])
  const deferrable = deferrableReferences(sql)
  return [...byId.values()].map((parts, i) => {
    const [first] = parts as [(typeof rows)[number]]
    return {
      columns: parts.map((part) => part.from),
      table: first.table,
      references: first.to === null ? null : parts.map((part) => part.to as string),
      onDelete: first.on_delete as ForeignKeyAction,
      onUpdate: first.on_update as ForeignKeyAction,
      deferrable: deferrable.length === byId.size ? (deferrable[i] as Deferrable) : 'never',
    }
  })
}
