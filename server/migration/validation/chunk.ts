import { createHash } from 'node:crypto'
import type Database from 'better-sqlite3'
import { quoteIdentifier } from '../plan/names'
import { qualified } from '../target/ddl'
import { sourceValue } from '../transfer/chosen'
import { joinFields } from '../transfer/fields'
import type { Bounds, Scan } from '../transfer/ranges'
import type { PlannedColumn, PlannedTable } from '../types'
import { type DigestTask, orderedScan, sourceRows, targetRange } from './order'
import type { Form } from './quick'

/** What of a column both engines add up: values that are not NULL, and their sum or length where that is exact. */
export interface Tally {
  count: number
  /** Sum of integers, decimal text, or bytes of texts and blobs; null where there is no exact one. */
  sum: string | null
}

/** A chunk of rows, as one engine adds it up and hashes it. */
export interface ChunkDigest {
  rows: number
  columns: Tally[]
  /** SHA-256; empty without rows. */
  hash: string
}

/** Results of a query are 1,664 at most in PostgreSQL: further columns count by the hash of the rows alone. */
const TALLIED = 500
const tallied = (table: PlannedTable) => table.columns.slice(0, TALLIED)

/** Reads a chunk of the source. */
export function sourceChunk(
  db: Database.Database,
  task: DigestTask,
  scan: Scan,
  range: Bounds,
  form: Form,
): ChunkDigest {
  const { table, utf16 } = task
  const { from, values } = sourceRows(task, scan, range)
  const tallies = tallied(table).map((column) => tallySource(column, utf16, form))
  const sql = `SELECT count(*), ${joined(rowSource(table, form), utf16)}, ${tallies.join(', ')} FROM ${from}`
  const row = db
    .prepare(sql)
    .raw()
    .safeIntegers()
    .get(...values) as unknown[]
  const rows = Number(row[0])
  return {
    rows,
    hash:
      row[1] === null
        ? ''
        : createHash('sha256')
            .update(row[1] as Buffer | string)
            .digest('hex'),
    columns: table.columns.map((_, i) => {
      if (i >= TALLIED) return { count: rows, sum: null }
      const [count, high, low] = row.slice(2 + 3 * i, 5 + 3 * i) as (bigint | null)[]
      const sum = high == null || low == null ? null : ((high << 32n) + low).toString()
      return { count: count === null ? rows : Number(count), sum }
    }),
  }
}

/** The statement that reads the same chunk of the target; `readChunk` takes its row. */
export function targetChunk({ table, schema, utf16 }: DigestTask, range: Bounds, form: Form): string {
  const { where, order } = targetRange(table, orderedScan(table) as Scan, range)
  const columns = table.columns.map((column) => quoteIdentifier(column.target)).join(', ')
  const tallies = tallied(table)
    .map((column) => tallyTarget(column, utf16))
    .join(', ')
  return `SELECT count(*), encode(sha256(textsend(string_agg(${rowTarget(table, form)}, E'\\n'))), 'hex'), ${tallies} FROM (SELECT ${columns} FROM ${qualified(schema, table.target)} ${where} ORDER BY ${order}) AS chunk`
}

export function readChunk(table: PlannedTable, row: (string | null)[]): ChunkDigest {
  return {
    rows: Number(row[0]),
    hash: row[1] ?? '',
    columns: table.columns.map((_, i) =>
      i < TALLIED
        ? { count: Number(row[2 + 2 * i]), sum: row[3 + 2 * i] ?? null }
        : { count: Number(row[0]), sum: null },
    ),
  }
}

/**
 * Three results a column: count (NULL: all rows), and a sum in two halves, so that no sum of 64-bit integers
 * overflows. The quick form takes the sum as it is, and fails if it does.
 */
function tallySource(column: PlannedColumn, utf16: boolean, { quick }: Form): string {
  const name = sourceValue(column)
  const count = quick && !mayBeNull(column) ? 'NULL' : `count(${name})`
  switch (sumOf(column, utf16)) {
    case 'value':
      return quick ? `${count}, 0, sum(${name})` : `${count}, sum(${name} >> 32), sum(${name} & 4294967295)`
    case 'bytes':
      return `${count}, 0, sum(octet_length(${name}))`
    default:
      return `${count}, NULL, NULL`
  }
}

function tallyTarget(column: PlannedColumn, utf16: boolean): string {
  const name = quoteIdentifier(column.target)
  const value = column.render === 'boolean' ? `${name}::integer` : name
  switch (sumOf(column, utf16)) {
    case 'value':
      return `count(${name}), sum(${value})`
    case 'bytes':
      return `count(${name}), sum(octet_length(${name}))`
    default:
      return `count(${name}), NULL`
  }
}

function sumOf({ render, compare, evidence }: PlannedColumn, utf16: boolean): 'value' | 'bytes' | null {
  if (compare || (utf16 && evidence.texts > 0)) return null
  if (render === 'integer' || render === 'boolean') return 'value'
  return render === 'text' || render === 'bytes' ? 'bytes' : null
}

/** jsonb is compared on its own: SQLite can't print its form. */
const hashed = (table: PlannedTable) => table.columns.filter((column) => column.render !== 'jsonb')

/** Rows of the target can't be NULL in a column that isn't nullable; the source's were none when the plan was made. */
const mayBeNull = (column: PlannedColumn) => column.nullable || column.evidence.nulls > 0

/** A row of values as one text. */
function rowSource(table: PlannedTable, form: Form): string {
  const fields = hashed(table).map((column) => {
    const value = form.source(column)
    return mayBeNull(column) ? `ifnull(${value}, char(1))` : value
  })
  return fields.length === 0
    ? `''`
    : fields.length === 1
      ? (fields[0] as string)
      : joinFields(fields, 'char(31)')
}

function rowTarget(table: PlannedTable, form: Form): string {
  const fields = hashed(table).map((column) => {
    const value = form.target(column)
    return !form.quick || column.compare || mayBeNull(column) ? `coalesce((${value})::text, E'\\x01')` : value
  })
  return fields.length === 0 ? `''` : joinFields(fields, `E'\\x1f'`)
}

/** The blob of a chunk, or its text where a UTF-16 database would give other bytes. */
const joined = (expression: string, utf16: boolean) => {
  const text = `group_concat(${expression}, char(10))`
  return utf16 ? text : `CAST(${text} AS BLOB)`
}
