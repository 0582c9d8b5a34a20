import type Database from 'better-sqlite3'
import type { ForeignKeyAction, NotCarried, SourceFacts } from '../types'
import { inspectForeignKeys, inspectIndexes } from './keys'
import { sourceFacts } from './open'
import { inspectTriggers, inspectViews, type SourceTrigger, type SourceView } from './programs'
import type { Deferrable } from './sqltext'
import { type CheckClause, type GeneratedClause, tableClauses } from './table-sql'
import { inspectVirtual } from './virtual'

export interface SourceColumn {
  name: string
  declaredType: string
  notNull: boolean
  /** SQL text of the default. */
  defaultSql: string | null
  /** What it is computed from. */
  generated: GeneratedClause | null
  /** In upper case; null: BINARY. */
  collation: string | null
}

export interface SourceIndex {
  name: string
  unique: boolean
  origin: 'c' | 'u' | 'pk'
  partial: boolean
  columns: { name: string | null; descending: boolean; collation: string }[]
  sql: string | null
}

export interface SourceForeignKey {
  columns: string[]
  table: string
  /** null: the parent's primary key, left implicit. */
  references: string[] | null
  onDelete: ForeignKeyAction
  onUpdate: ForeignKeyAction
  deferrable: Deferrable
}

export interface SourceTable {
  name: string
  sql: string
  withoutRowid: boolean
  columns: SourceColumn[]
  /** In the order of the key. */
  primaryKey: { name: string; descending: boolean }[]
  /** The INTEGER PRIMARY KEY that is the rowid itself. */
  rowidAlias: string | null
  /** A name by which the hidden rowid can be read; null when there is none or columns took all three. */
  rowidName: string | null
  indexes: SourceIndex[]
  foreignKeys: SourceForeignKey[]
  checks: CheckClause[]
  /** Columns and constraints with an ON CONFLICT that does other than fail. */
  conflicts: string[]
  /** sqlite_sequence, decimal text. */
  sequence: string | null
}

export interface SourceSchema {
  facts: SourceFacts
  tables: SourceTable[]
  views: SourceView[]
  triggers: SourceTrigger[]
  /** Virtual tables, and what was left out. */
  notCarried: NotCarried[]
}

/** Reads the whole schema; `exclude` leaves tables out by name, `plain` reads virtual tables as plain ones. */
export function inspect(
  db: Database.Database,
  exclude: readonly string[] = [],
  plain: readonly string[] = [],
): SourceSchema {
  const among = (names: readonly string[], name: string) =>
    names.some((one) => one.toLowerCase() === name.toLowerCase())
  const listed = db.prepare(
    `SELECT l.name, l.type, l.wr, s.sql FROM pragma_table_list l JOIN sqlite_schema s ON s.name = l.name AND s.type = 'table'
     WHERE l.schema = 'main' AND l.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND l.name NOT GLOB 'holdfast_capture_*' ORDER BY s.rowid`,
  )
  const tables: SourceTable[] = []
  const notCarried: NotCarried[] = []
  for (const row of listed.all() as { name: string; type: string; wr: number; sql: string }[]) {
    const { name, sql } = row
    if (row.type === 'virtual') {
      const read = among(plain, name)
        ? readVirtual(db, row)
        : 'A virtual table and its shadow tables belong to a SQLite module.'
      if (typeof read === 'string') notCarried.push({ kind: 'virtual table', name, reason: read, sql })
      else tables.push(read)
    } else if (row.type === 'table' && among(exclude, name))
      notCarried.push({ kind: 'table', name, reason: 'Left out by choice.' })
    else if (row.type === 'table') tables.push(inspectTable(db, row))
  }
  const programs = { views: inspectViews(db), triggers: inspectTriggers(db) }
  return { facts: sourceFacts(db), tables, ...programs, notCarried }
}

function readVirtual(db: Database.Database, row: { name: string; sql: string }): SourceTable | string {
  try {
    return inspectVirtual(db, row)
  } catch (error) {
    return `SQLite can’t read it as a table: ${(error as Error).message}.`
  }
}

function inspectTable(db: Database.Database, row: { name: string; wr: number; sql: string }): SourceTable {
  const { name, sql } = row
  const clauses = tableClauses(sql)
  const info = db
    .prepare('SELECT name, type, "notnull", dflt_value, pk, hidden FROM pragma_table_xinfo(?)')
    .all(name)
  const columns = (info as Record<string, unknown>[]).map((column) => ({
    name: column.name as string,
    declaredType: column.type as string,
    notNull: column.notnull === 1,
    defaultSql: column.dflt_value as string | null,
    generated: clauses.generated.get((column.name as string).toLowerCase()) ?? null,
    collation: clauses.collations.get((column.name as string).toLowerCase()) ?? null,
    pk: column.pk as number,
  }))
  const indexes = inspectIndexes(db, name)
  const keyIndex = indexes.find((index) => index.origin === 'pk')
  const primaryKey = columns
    .filter((column) => column.pk > 0)
    .sort((a, b) => a.pk - b.pk)
    .map((column) => ({
      name: column.name,
      descending: keyIndex?.columns.find((one) => one.name === column.name)?.descending ?? false,
    }))
  const only = primaryKey.length === 1 ? columns.find((column) => column.pk === 1) : undefined
  const withoutRowid = row.wr === 1
  const alias =
    only && !withoutRowid && !keyIndex && only.declaredType.toUpperCase() === 'INTEGER' ? only.name : null
  const taken = new Set(columns.map((column) => column.name.toLowerCase()))
  const hidden = ['rowid', '_rowid_', 'oid'].find((candidate) => !taken.has(candidate)) ?? null
  return {
    name,
    sql,
    withoutRowid,
    columns: columns.map(({ pk: _, ...column }) => column),
    primaryKey,
    rowidAlias: alias,
    rowidName: withoutRowid ? null : (alias ?? hidden),
    indexes,
    foreignKeys: inspectForeignKeys(db, name, sql),
    checks: clauses.checks,
    conflicts: clauses.conflicts,
    sequence: readSequence(db, name),
  }
}

function readSequence(db: Database.Database, table: string): string | null {
  const exists = db.prepare(`SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_sequence'`).get()
  if (!exists) return null
  const sequence = db
    .prepare('SELECT CAST(max(seq) AS TEXT) FROM sqlite_sequence WHERE name = ?')
    .pluck()
    .get(table)
  return (sequence as string | null) ?? null
}
