import BetterSqlite3 from 'better-sqlite3'
import { distinctOf, layOut, sampleByRowid, sampleFirst } from './sqlite-sample'
import type { ColumnFacts, ExistingIndex, TableFacts } from './types'

type Handle = BetterSqlite3.Database

export interface SqliteTable extends TableFacts {
  sample: Record<string, unknown>[]
}

/** The file's schema without its rows: what is planned on it is planned as on the file, once the statistics are there. */
export function copySchema(source: Handle): Handle {
  const copy = new BetterSqlite3(':memory:')
  const items = source
    .prepare(
      `SELECT sql FROM sqlite_master
        WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND type IN ('table', 'index', 'view')
        ORDER BY CASE type WHEN 'table' THEN 0 WHEN 'view' THEN 1 ELSE 2 END, rowid`,
    )
    .pluck()
    .all() as string[]
  for (const sql of items) {
    try {
      copy.exec(sql)
    } catch {
      // A table of a module that isn't loaded here: statements on it can't be planned, and say so.
    }
  }
  copy.exec('ANALYZE')
  return copy
}

/** What the file knows of a table, with a sample of its rows; undefined for a view or a table that isn't there. */
export function readSqliteTable(source: Handle, name: string): SqliteTable | undefined {
  const found = source
    .prepare("SELECT name, sql FROM sqlite_master WHERE type = 'table' AND lower(name) = lower(?)")
    .get(name) as { name: string; sql: string } | undefined
  if (!found || /^CREATE VIRTUAL/i.test(found.sql)) return undefined
  const columns = source.pragma(`table_info(${quoted(found.name)})`) as {
    name: string
    type: string
    pk: number
  }[]
  const rowid = !/WITHOUT\s+ROWID/i.test(found.sql)
  const { rows, sample } = rowid ? sampleByRowid(source, found.name) : sampleFirst(source, found.name)
  const pageSize = Number(source.pragma('page_size', { simple: true }))
  const width = sample.reduce((sum, row) => sum + bytesOf(Object.values(row)), 0) / Math.max(1, sample.length)
  return {
    schema: null,
    name: found.name,
    rows,
    pages: Math.ceil((rows * (width + 8)) / pageSize),
    visibleShare: 1,
    columns: new Map(columns.map((column) => [column.name, columnFacts(column, sample, rows)])),
    indexes: [...rowidKey(columns, rowid), ...readIndexes(source, found.name)],
    writes: { inserts: 0, updates: 0, deletes: 0 },
    analysed: true,
    sample,
  }
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

function columnFacts(
  column: { name: string; type: string },
  sample: Record<string, unknown>[],
  rows: number,
): ColumnFacts {
  const values = sample.map((row) => row[column.name])
  const present = values.filter((value) => value !== null)
  const counts = new Map<unknown, number>()
  for (const value of present) counts.set(value, (counts.get(value) ?? 0) + 1)
  const shares = [...counts.values()]
    .filter((count) => count > 1)
    .map((count) => count / Math.max(1, values.length))
  return {
    name: column.name,
    type: column.type,
    distinct: distinctOf(present, rows),
    nullShare: values.length === 0 ? 0 : 1 - present.length / values.length,
    topShare: Math.max(0, ...shares),
    sameShare: shares.reduce((sum, share) => sum + share ** 2, 0),
    width: bytesOf(values) / Math.max(1, values.length),
    correlation: 0,
    needsPatternOperators: false,
    sortable: true,
  }
}

function bytesOf(values: unknown[]): number {
  return values.reduce<number>(
    (sum, value) =>
      sum +
      (typeof value === 'string'
        ? value.length
        : Buffer.isBuffer(value)
          ? value.length
          : value === null
            ? 0
            : 4) +
      1,
    0,
  )
}

/** The primary key of an ordinary table with one INTEGER is the rowid itself, and in no list of indexes. */
function rowidKey(columns: { name: string; type: string; pk: number }[], rowid: boolean): ExistingIndex[] {
  const keys = columns.filter(({ pk }) => pk > 0)
  const [key] = keys
  if (!rowid || keys.length !== 1 || !key || !/^INTEGER$/i.test(key.type)) return []
  return [
    {
      name: 'INTEGER PRIMARY KEY',
      keys: [key.name],
      include: [],
      where: null,
      unique: true,
      primary: true,
      valid: true,
      method: 'btree',
    },
  ]
}

function readIndexes(source: Handle, table: string): ExistingIndex[] {
  const list = source.pragma(`index_list(${quoted(table)})`) as {
    name: string
    unique: number
    origin: string
    partial: number
  }[]
  return list.map((index) => {
    const sql = source
      .prepare("SELECT sql FROM sqlite_master WHERE type = 'index' AND name = ?")
      .pluck()
      .get(index.name) as string | null | undefined
    return {
      name: index.name,
      keys: (source.pragma(`index_info(${quoted(index.name)})`) as { name: string | null }[]).map(
        ({ name }) => name ?? '(expression)',
      ),
      include: [],
      where: index.partial ? (/\bWHERE\b([\s\S]*)$/i.exec(sql ?? '')?.[1]?.trim() ?? '?') : null,
      unique: index.unique === 1,
      primary: index.origin === 'pk',
      valid: true,
      method: 'btree',
    }
  })
}

/** The row of sqlite_stat1 for an index: rows, then how many rows share each prefix of its keys (SQLite manual, ANALYZE). */
export function statOf(table: SqliteTable, keys: string[], held = table.rows): string {
  const share = keys.map((_, at) => {
    const tuples = table.sample.map((row) =>
      JSON.stringify(keys.slice(0, at + 1).map((key) => plain(row[key]))),
    )
    return Math.max(1, Math.round(held / Math.max(1, Math.min(held, distinctOf(tuples, table.rows)))))
  })
  return [Math.max(1, Math.round(held)), ...share].join(' ')
}

const plain = (value: unknown): unknown =>
  typeof value === 'bigint' ? String(value) : Buffer.isBuffer(value) ? value.toString('hex') : value

/** Gives the copy the statistics of a table, of each index that it has, and the sample of its rows. */
export function writeStats(copy: Handle, source: Handle, table: SqliteTable): void {
  const insert = copy.prepare('INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (?, ?, ?)')
  const has = source.prepare("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_stat1'").get()
  const measured = has
    ? (source
        .prepare('SELECT idx, stat FROM sqlite_stat1 WHERE tbl = ? AND idx IS NOT NULL')
        .all(table.name) as { idx: string; stat: string }[])
    : []
  copy.prepare('DELETE FROM sqlite_stat1 WHERE tbl = ?').run(table.name)
  insert.run(table.name, null, String(Math.max(1, table.rows)))
  for (const index of table.indexes) {
    if (index.name === 'INTEGER PRIMARY KEY') continue
    const known = measured.find(({ idx }) => idx === index.name)?.stat
    const held = known?.startsWith(`${table.rows} `) || index.where !== null ? known : undefined
    insert.run(table.name, index.name, held ?? statOf(table, index.keys))
  }
  copy.exec('ANALYZE sqlite_schema')
  layOut(copy, table)
}
