import type { SqliteDriver } from '@/db/sqlite/driver'
import { quoteName } from '../advisor/normalise'
import { marked } from './mark'
import { type Ask, type Measured, measure, type Tree } from './sqlite-sizes'
import type { IndexFigures, TableFigures } from './types'

/** Figures are read anew after so many milliseconds. */
const KEPT = 15_000
const MOST = 1_000

const TABLES = `
  SELECT name, wr
    FROM pragma_table_list
   WHERE schema = 'main' AND type IN ('table', 'shadow') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
   LIMIT ${MOST}`

const INDEXES = `
  SELECT l.name, t.name AS "table", l."unique", l.origin, s.sql,
         (SELECT group_concat(coalesce(i.name, '(expression)'), ', ') FROM pragma_index_info(l.name) i) AS columns
    FROM sqlite_schema t, pragma_index_list(t.name) l
    LEFT JOIN sqlite_schema s ON s.type = 'index' AND s.name = l.name
   WHERE t.type = 'table'`

/**
 * Reads the tables of a file and their indexes, the largest first, ${MOST} at most. A file that is too large to be
 * gone through is sampled: its sizes are `estimated`.
 */
export function readSqliteTables(
  driver: SqliteDriver,
): () => Promise<{ tables: TableFigures[]; missing: null }> {
  const ask: Ask = async (sql, params = []) =>
    (await driver.query(marked(sql), params, 'objects')).rows as Record<string, unknown>[]
  let last: { at: number; tables: TableFigures[] } | undefined
  return async () => {
    const now = performance.now()
    if (!last || now - last.at > KEPT) last = { at: now, tables: await read(ask) }
    return { tables: last.tables, missing: null }
  }
}

async function read(ask: Ask): Promise<TableFigures[]> {
  const tables = await ask(TABLES)
  const indexes = await ask(INDEXES)
  const trees: Tree[] = tables.map((row) => ({
    name: String(row.name),
    table: String(row.name),
    keyed: Number(row.wr) === 1,
  }))
  for (const row of indexes) {
    // The tree of a table without rowid is that of its primary key.
    if (!isTable(row, tables)) trees.push({ name: String(row.name), table: String(row.table), keyed: true })
  }
  const sizes = await measure(ask, trees)
  return tables
    .map(({ name }) => {
      const of = indexes.filter((row) => row.table === name)
      return toTable(
        String(name),
        of.map((row) => toIndex(row, sizes)),
        sizes.get(String(name)),
      )
    })
    .sort((a, b) => b.tableBytes + b.indexBytes - a.tableBytes - a.indexBytes)
}

function isTable({ table, origin }: Record<string, unknown>, tables: Record<string, unknown>[]): boolean {
  return origin === 'pk' && tables.some(({ name, wr }) => name === table && Number(wr) === 1)
}

function toTable(name: string, indexes: IndexFigures[], size: Measured | undefined): TableFigures {
  return {
    schema: null,
    name,
    rows: size?.rows ?? null,
    tableBytes: size?.bytes ?? 0,
    indexBytes: indexes.reduce((sum, { bytes }) => sum + bytes, 0),
    ...(size?.exact ? {} : { estimated: true }),
    ...UNKNOWN,
    indexes,
  }
}

/** What SQLite does not count. */
const UNKNOWN = {
  deadRows: null,
  vacuumAt: null,
  lastVacuumAt: null,
  lastAnalyzeAt: null,
  sequentialScans: null,
  indexScans: null,
  inserts: null,
  updates: null,
  deletes: null,
}

/** An index that a constraint made has no text of its own. */
function toIndex(row: Record<string, unknown>, sizes: ReadonlyMap<string, Measured>): IndexFigures {
  const primary = row.origin === 'pk'
  const constraint = `${primary ? 'PRIMARY KEY' : 'UNIQUE'} (${row.columns}) of ${quoteName(String(row.table))}`
  return {
    name: String(row.name),
    ddl: row.sql === null ? constraint : String(row.sql),
    bytes: sizes.get(String(row.name))?.bytes ?? 0,
    scans: null,
    unique: Number(row.unique) === 1,
    primary,
    valid: true,
  }
}
