import type Database from 'better-sqlite3'
import { quoteIdentifier } from '../plan/names'
import type { SourceTable } from './source'

/**
 * A virtual table as the plain one that SELECT shows: its columns by the rowid, which full-text tables don't name.
 * Throws SQLite's error when its module isn't there or gives no rowid.
 */
export function inspectVirtual(
  db: Database.Database,
  { name, sql }: { name: string; sql: string },
): SourceTable {
  db.prepare(`SELECT rowid, * FROM ${quoteIdentifier(name)} LIMIT 1`).get()
  const info = db.prepare('SELECT name, type, hidden FROM pragma_table_xinfo(?)').all(name)
  const plain = { notNull: false, defaultSql: null, generated: null, collation: null }
  const columns = (info as { name: string; type: string; hidden: number }[])
    .filter((column) => column.hidden === 0)
    .map((column) => ({ name: column.name, declaredType: column.type, ...plain }))
  // The first column of an R-tree is its rowid.
  const first = /\bUSING\s+rtree(_i32)?\b/i.test(sql) ? columns[0] : undefined
  if (first) Object.assign(first, { declaredType: 'INTEGER', notNull: true })
  const key = first?.name ?? 'rowid'
  if (!first) columns.unshift({ name: key, declaredType: 'INTEGER', ...plain, notNull: true })
  return {
    name,
    sql,
    withoutRowid: false,
    columns,
    primaryKey: [{ name: key, descending: false }],
    rowidAlias: key,
    rowidName: first ? key : 'rowid',
    indexes: [],
    foreignKeys: [],
    checks: [],
    conflicts: [],
    sequence: null,
  }
}
