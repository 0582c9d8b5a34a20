import { isUtf8 } from 'node:buffer'
import type Database from 'better-sqlite3'
import { quoteIdentifier } from '../plan/names'
import type { PlannedColumn, PlannedTable } from '../types'
import type { Chunk, ChunkReader } from './chunks'
import { andStorable } from './misfits'
import { type Bounds, type Key, orderBy, scanOf, within } from './ranges'
import { UnstorableText } from './refusals'
import { DELIMITER, fieldExpression, isTextual } from './render'

/** From this size on a blob is written in pieces: rendering it with its row takes a dozen copies of it. */
const LARGE = 8 * 1024 * 1024
const PIECE = 512 * 1024

/** Blobs alone, some of them large. */
const isLarge = ({ render, evidence }: PlannedColumn) =>
  render === 'bytes' && evidence.maxBytes > LARGE && evidence.texts + evidence.integers + evidence.reals === 0

/** The reader of a table, with rows of large blobs each in a chunk of its own, whose data come in pieces. */
export function withLargeBlobs(db: Database.Database, table: PlannedTable, reader: ChunkReader): ChunkReader {
  const large = table.columns.filter(isLarge)
  if (large.length === 0) return reader
  const scan = scanOf(table)
  const key = scan.columns.map(quoteIdentifier).join(', ')
  const from = `FROM ${quoteIdentifier(table.source)} WHERE`
  const sizes = large.map(({ source }) => `octet_length(${quoteIdentifier(source)}) > ${LARGE}`).join(' OR ')
  /** Key of the next row with a large blob; undefined: not looked for yet. */
  let next: Key | null | undefined

  const keyOf = (range: Bounds, rest: string): Key | null => {
    const { condition, values } = within(scan, range)
    const row = db
      .prepare(`SELECT ${key} ${from} ${condition} ${rest}`)
      .raw()
      .safeIntegers()
      .get(...values)
    return (row as Key | undefined) ?? null
  }

  return {
    copy: reader.copy,
    next({ lo, hi }): Chunk {
      if (next === undefined) next = keyOf({ lo, hi }, `AND (${sizes}) ORDER BY ${orderBy(scan)} LIMIT 1`)
      if (next === null) return reader.next({ lo, hi })
      const backward = orderBy({ ...scan, descending: !scan.descending })
      const before = keyOf({ lo, hi: next }, `ORDER BY ${backward} LIMIT 1 OFFSET 1`)
      if (before) {
        const chunk = reader.next({ lo, hi: before })
        return { ...chunk, position: chunk.position ?? before }
      }
      const position = next
      next = undefined
      const row = readRow(db, table, { lo, hi: position })
      return row ? { ...row, rows: 1, position } : { data: null, rows: 0, position }
    },
  }
}

/** The one row of a range; null when it is not to be stored. */
function readRow(
  db: Database.Database,
  table: PlannedTable,
  range: Bounds,
): Pick<Chunk, 'data' | 'rest'> | null {
  const { condition, values } = within(scanOf(table), range)
  const fields = table.columns.map((column) =>
    isLarge(column)
      ? quoteIdentifier(column.source)
      : `CAST(${fieldExpression(column, isTextual(column))} AS BLOB)`,
  )
  const sql = `SELECT ${fields.join(', ')} FROM ${quoteIdentifier(table.source)} WHERE ${andStorable(condition, table, 'plan')}`
  const row = db
    .prepare(sql)
    .raw()
    .get(...values) as (Buffer | null)[] | undefined
  if (!row) return null
  const plain = row.filter((_, i) => !isLarge(table.columns[i] as PlannedColumn))
  if (plain.some((bytes) => bytes && (bytes.indexOf(0) >= 0 || !isUtf8(bytes))))
    throw new UnstorableText('a text with NUL or not in UTF-8')
  return { data: Buffer.alloc(0), rest: pieces(table, row) }
}

function* pieces({ columns }: PlannedTable, row: (Buffer | null)[]): Iterable<Buffer> {
  for (const [i, column] of columns.entries()) {
    if (i > 0) yield Buffer.from(DELIMITER)
    const value = row[i] ?? null
    if (!isLarge(column)) yield value ?? Buffer.alloc(0)
    else if (value === null) yield Buffer.from('\\N')
    else {
      yield Buffer.from('\\\\x')
      for (let at = 0; at < value.length; at += PIECE) {
        yield Buffer.from(value.subarray(at, at + PIECE).toString('hex'), 'latin1')
      }
    }
  }
  yield Buffer.from('\n')
}
