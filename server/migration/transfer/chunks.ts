import { isUtf8 } from 'node:buffer'
import type Database from 'better-sqlite3'
import { quoteIdentifier } from '../plan/names'
import type { PlannedTable } from '../types'
import { andStorable } from './misfits'
import { type Bounds, type Key, keyAt, keyAtBytes, nextKey, scanOf, within } from './ranges'
import { UnstorableText } from './refusals'
import { backslashExpression, isClean, isTextual, lineExpression } from './render'

/** Bytes of COPY text in one chunk: small enough that the socket is served between two. */
const CHUNK_BYTES = 768 * 1024
/** No chunk is asked for whose rows could come to more, were all as long as the longest. */
const CHUNK_LIMIT = 16 * 1024 * 1024

export interface Chunk {
  /** null: no rows. */
  data: Buffer | null
  /** Instead of `data`: pieces of one row that is too large to be rendered at once. */
  rest?: Iterable<Buffer>
  rows: number
  /** Key of the last row; null when the range is exhausted. */
  position: Key | null
}

/** How the chunks of a reader are copied. */
export interface CopyForm {
  format: 'text' | 'binary'
  /** What comes before the first chunk of a COPY and after the last. */
  head?: Buffer
  tail?: Buffer
  /** Bytes that may be written before the last are with the system. */
  ahead: number
}

/** A COPY of text, each of whose chunks has a buffer of its own. */
export const TEXT: CopyForm = { format: 'text', ahead: 1 << 20 }

/** Reads a table chunk by chunk. */
export interface ChunkReader {
  copy: CopyForm
  next(bounds: Bounds): Chunk
  /** The data of the last chunk are not read any more, and may be written over by the next. */
  giveBack?(): void
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
  const statements = new Map<string, Database.Statement>()
  // Of a text in UTF-16 nothing is wrong any more once SQLite has made it UTF-8: NUL aside, it is other text then.
  const flaws = utf16
    ? textual.map((name) => `total(holdfast_flawed(CAST(${quoteIdentifier(name)} AS BLOB)))`)
    : []

  function render(range: Bounds): { data: Buffer | null; rows: number; slashes: number } {
    const { condition, values } = within(scan, range)
    const joined = `group_concat(${lineExpression(table, escaped)}, char(10)) || char(10)`
    const slashed = backslashes === '0' ? '0' : `sum(${backslashes})`
    const sql = `SELECT ${utf16 ? joined : `CAST(${joined} AS BLOB)`}, count(*), ${slashed}, ${flaws.join(' + ') || '0'} FROM ${quoteIdentifier(table.source)} WHERE ${andStorable(condition, table, 'plan')}`
    const statement = statements.get(sql) ?? db.prepare(sql).raw()
    statements.set(sql, statement)
    const [data, rows, slashes, flawed] = statement.get(...values) as [
      Buffer | string | null,
      number,
      number,
      number,
    ]
    if (flawed > 0) throw new UnstorableText('a text with NUL or not in UTF-16')
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
    copy: TEXT,
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
      if (data && (data.indexOf(0) >= 0 || !isUtf8(data)))
        throw new UnstorableText('a text with NUL or not in UTF-8')
      return { data, rows, position }
    },
  }
}
