import { isUtf8 } from 'node:buffer'
import type Database from 'better-sqlite3'
import { MigrationError } from '../failure'
import { quoteIdentifier } from '../plan/names'
import type { PlannedTable } from '../types'
import { type Bounds, type Key, keyAt, keyAtBytes, nextKey, scanOf, within } from './ranges'
import { backslashExpression, isClean, isTextual, lineExpression } from './render'

/** Bytes of COPY text in one chunk: small enough that the socket is served between two. */
const CHUNK_BYTES = 384 * 1024
/** No chunk is asked for whose rows could come to more, were all as long as the longest. */
const CHUNK_LIMIT = 16 * 1024 * 1024

export interface Chunk {
  /** null: no rows. */
  data: Buffer | null
  rows: number
  /** Key of the last row; null when the range is exhausted. */
  position: Key | null
}

/** Reads a table chunk by chunk: the place where another reader and encoder can come in. */
export interface ChunkReader {
  next(bounds: Bounds): Chunk
}

/** Rows a chunk from the table's mean, and whether single long rows need a closer look. */
function measure(table: PlannedTable): { rows: number; measured: string[] | null } {
  const mean = table.bytes / Math.max(1, table.rows) + 4 * table.columns.length
  const rows = Math.min(20_000, Math.max(1, Math.floor(CHUNK_BYTES / mean)))
  const longest = table.columns.reduce((sum, column) => sum + Math.max(24, 2 * column.evidence.maxBytes), 0)
  const measured = table.columns
    .filter((column) => column.evidence.maxBytes > 1024)
    .map((column) => column.source)
  return { rows, measured: rows * longest > CHUNK_LIMIT ? measured : null }
}

/** Text COPY rendered by SQLite. `utf16`: a database whose texts have to pass through a string. */
export function openReader(db: Database.Database, table: PlannedTable, utf16: boolean): ChunkReader {
  const scan = scanOf(table)
  const { rows: step, measured } = measure(table)
  const backslashes = backslashExpression(table)
  const textual = table.columns.filter(isTextual).map((column) => column.source)
  const escaped = new Set<string>()

  function render(range: Bounds): { data: Buffer | null; rows: number; slashes: number } {
    const { condition, values } = within(scan, range)
    const joined = `group_concat(${lineExpression(table, escaped)}, char(10)) || char(10)`
    const sql = `SELECT ${utf16 ? joined : `CAST(${joined} AS BLOB)`}, count(*), sum(${backslashes}) FROM ${quoteIdentifier(table.source)} WHERE ${condition}`
    const [data, rows, slashes] = db
      .prepare(sql)
      .raw()
      .get(...values) as [Buffer | string | null, number, number]
    return { data: typeof data === 'string' ? Buffer.from(data) : data, rows, slashes }
  }

  /** Text columns of the range that hold a character with a meaning for COPY. */
  function findDirty(range: Bounds): string[] {
    const { condition, values } = within(scan, range)
    const tests = textual.map((name) => {
      const column = quoteIdentifier(name)
      return `max(instr(${column}, '\\') OR instr(${column}, char(10)) OR instr(${column}, char(13)) OR instr(${column}, char(31)))`
    })
    if (tests.length === 0) return []
    const sql = `SELECT ${tests.join(', ')} FROM ${quoteIdentifier(table.source)} WHERE ${condition}`
    const row = db
      .prepare(sql)
      .raw()
      .get(...values) as (number | null)[]
    return textual.filter((_, i) => row[i] === 1)
  }

  return {
    next(bounds) {
      const position = measured?.length
        ? (keyAtBytes(db, scan, bounds, step, CHUNK_BYTES, measured) ?? keyAt(db, scan, bounds, step))
        : nextKey(db, table, scan, bounds, step)
      const range = { lo: bounds.lo, hi: position ?? bounds.hi }
      let { data, rows, slashes } = render(range)
      if (data && escaped.size < textual.length && !isClean(data, rows, table.columns.length, slashes)) {
        for (const name of findDirty(range)) escaped.add(name)
        ;({ data, rows, slashes } = render(range))
      }
      if (data && (data.indexOf(0) >= 0 || !isUtf8(data))) throw badText(db, table, range)
      return { data, rows, position }
    },
  }
}

/** Finds the text that PostgreSQL has no room for: with a NUL character or not in UTF-8. */
function badText(db: Database.Database, table: PlannedTable, range: Bounds): MigrationError {
  const scan = scanOf(table)
  const { condition, values } = within(scan, range)
  const key = scan.columns.map(quoteIdentifier).join(', ')
  for (const column of table.columns.filter(isTextual)) {
    const name = quoteIdentifier(column.source)
    const sql = `SELECT CAST(${name} AS BLOB), ${key} FROM ${quoteIdentifier(table.source)} WHERE ${condition} AND typeof(${name}) = 'text'`
    for (const row of db
      .prepare(sql)
      .raw()
      .safeIntegers()
      .iterate(...values) as Iterable<unknown[]>) {
      const bytes = row[0] as Buffer
      const nul = bytes.indexOf(0) >= 0
      if (!nul && isUtf8(bytes)) continue
      return new MigrationError(
        'VALUE_REFUSED',
        `${table.source}.${column.source} holds a text ${nul ? 'with a NUL character' : 'that is not valid UTF-8'} in the row ${scan.columns.join(', ')} = ${row.slice(1).map(String).join(', ')}.`,
        'PostgreSQL can’t store it as text: correct the row in the source, then resume.',
        { table: table.source, column: column.source },
      )
    }
  }
  return new MigrationError(
    'VALUE_REFUSED',
    `${table.source} holds a text that is not valid UTF-8.`,
    'Correct it in the source.',
    {
      table: table.source,
    },
  )
}
