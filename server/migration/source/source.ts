import { closeSync, openSync, readSync, statSync } from 'node:fs'
import Database from 'better-sqlite3'
import { MigrationError } from '../failure'
import { quoteIdentifier } from '../plan/names'
import type { ForeignKeyAction, NotCarried, SourceFacts } from '../types'
import { missingBytes } from './cut-off'
import { inspectForeignKeys, inspectIndexes } from './keys'
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

/**
 * Says why a file can't be a SQLite database, by its first 16 bytes (https://www.sqlite.org/fileformat.html#magic_header_string).
 * Only for a process that has the file not open by SQLite: closing this descriptor drops the process's locks.
 */
export function checkHeader(file: string): MigrationError | null {
  try {
    if (!statSync(file).isFile()) {
      return new MigrationError('SOURCE_NOT_SQLITE', `${file} is not a file.`, 'Name a SQLite database file.')
    }
    const header = Buffer.alloc(16)
    const descriptor = openSync(file, 'r')
    let read = 0
    try {
      read = readSync(descriptor, header, 0, 16, 0)
    } finally {
      closeSync(descriptor)
    }
    if (read === 0) {
      return new MigrationError(
        'SOURCE_NOT_SQLITE',
        `${file} is empty.`,
        'Name a SQLite database file with tables.',
      )
    }
    if (header.toString('latin1') !== 'SQLite format 3\0') {
      return new MigrationError(
        'SOURCE_NOT_SQLITE',
        `${file} is not a SQLite database, or it is encrypted: its header is not SQLite's.`,
        'Name a SQLite 3 file; decrypt an encrypted one first.',
      )
    }
    const missing = missingBytes(file)
    if (missing > 0) {
      return new MigrationError(
        'SOURCE_CORRUPT',
        `${file} is cut off: ${missing.toLocaleString('en')} bytes are missing at its end.`,
        'Copy or upload it again, whole; else restore a backup, or save what can be read with `sqlite3 FILE .recover`.',
      )
    }
    return null
  } catch (error) {
    return new MigrationError(
      'SOURCE_UNREADABLE',
      `${file} can't be read: ${(error as Error).message}`,
      'Check that the file exists and that the user of this process may read it and its folder.',
      { cause: error, heals: (error as NodeJS.ErrnoException).code === 'ENOENT' },
    )
  }
}

/** Opens a database read-only; statements wait up to 5 s for a writer's lock. */
export function openSource(file: string): Database.Database {
  try {
    const db = new Database(file, { readonly: true, fileMustExist: true, timeout: 5000 })
    db.pragma('cache_size = -8000')
    db.prepare('SELECT count(*) FROM sqlite_schema').get()
    return db
  } catch (error) {
    throw sourceError(error, file)
  }
}

/** SQLite's error as ours. */
export function sourceError(error: unknown, file: string): MigrationError {
  if (error instanceof MigrationError) return error
  const { code = '', message = String(error) } = error as { code?: string; message?: string }
  if (code === 'SQLITE_NOTADB') {
    return new MigrationError(
      'SOURCE_NOT_SQLITE',
      `${file} is not a SQLite database, or it is encrypted.`,
      'Name a SQLite 3 file; decrypt an encrypted one first.',
      { cause: error },
    )
  }
  if (code.startsWith('SQLITE_CORRUPT')) {
    return new MigrationError(
      'SOURCE_CORRUPT',
      `${file} is damaged: ${message}`,
      'Restore a backup, or save what can be read with `sqlite3 FILE .recover`.',
      { cause: error },
    )
  }
  if (code.startsWith('SQLITE_BUSY')) {
    return new MigrationError(
      'SOURCE_BUSY',
      `${file} is locked by another program that is writing to it.`,
      'Wait for the writer or stop it, then resume.',
      { cause: error },
    )
  }
  return new MigrationError(
    'SOURCE_UNREADABLE',
    `${file} can't be read: ${message}`,
    'Check the rights on the file and its folder (a WAL database needs its -shm file beside it).',
    { cause: error },
  )
}

export function sourceFacts(db: Database.Database): SourceFacts {
  const size = db
    .prepare('SELECT page_count * page_size FROM pragma_page_count, pragma_page_size')
    .pluck()
    .get()
  return {
    file: db.name,
    sizeBytes: Number(size),
    sqliteVersion: db.prepare('SELECT sqlite_version()').pluck().get() as string,
    journalMode: db.pragma('journal_mode', { simple: true }) as string,
    encoding: db.pragma('encoding', { simple: true }) as string,
  }
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

/** A foreign key with the parent's columns made explicit. */
export interface ReferenceKey {
  table: string
  columns: string[]
  parent: string
  references: string[]
  /** A column of the parent has a collation other than BINARY. */
  folded?: boolean
}

/**
 * Rows whose parent is missing. Children come in the order of the key, so that the lookups walk the parent's tree once
 * from left to right: 15 times as fast as pragma foreign_key_check on a table that exceeds the cache.
 */
export function countOrphans(db: Database.Database, key: ReferenceKey): number {
  const columns = key.columns.map(quoteIdentifier)
  const present = columns.map((column) => `${column} IS NOT NULL`).join(' AND ')
  const match = key.references
    .map((name, i) => {
      const equal = `p.${quoteIdentifier(name)} = c.k${i}`
      // PostgreSQL compares keys by their characters: what matches under another collation alone is an orphan there.
      return key.folded ? `${equal} AND ${equal} COLLATE BINARY` : equal
    })
    .join(' AND ')
  return db
    .prepare(
      `SELECT count(*) FROM (SELECT ${columns.map((column, i) => `${column} AS k${i}`).join(', ')} FROM ${quoteIdentifier(key.table)} WHERE ${present} ORDER BY ${columns.join(', ')}) AS c
       WHERE NOT EXISTS (SELECT 1 FROM ${quoteIdentifier(key.parent)} AS p WHERE ${match})`,
    )
    .pluck()
    .get() as number
}

/** The parent's columns of each foreign key, or why there are none. */
export function resolveReference(
  schema: SourceSchema,
  table: SourceTable,
  key: SourceForeignKey,
): ReferenceKey | string {
  const parent = schema.tables.find((one) => one.name.toLowerCase() === key.table.toLowerCase())
  const where = `${table.name} (${key.columns.join(', ')})`
  if (!parent) return `${where}: the table ${key.table} is not there`
  const references = key.references ?? parent.primaryKey.map((column) => column.name)
  const known = references.every((name) =>
    parent.columns.some((column) => column.name.toLowerCase() === name.toLowerCase()),
  )
  if (!known || references.length !== key.columns.length) return `${where}: ${key.table} has no such columns`
  const folded = parent.columns.some((column) => column.collation !== null)
  return { table: table.name, columns: key.columns, parent: parent.name, references, folded }
}
