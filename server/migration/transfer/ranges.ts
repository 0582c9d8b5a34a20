import type Database from 'better-sqlite3'
import { quoteIdentifier } from '../plan/names'
import type { PlannedTable } from '../types'

/** A value of a key as SQLite returns it with safe integers. */
export type KeyValue = bigint | number | string | Buffer
export type Key = KeyValue[]

/** Rows with lo < key ≤ hi; null is open. */
export interface Bounds {
  lo: Key | null
  hi: Key | null
}

export const EVERYTHING: Bounds = { lo: null, hi: null }

/** A table of the source with the columns that order it. */
export interface Scan {
  table: string
  columns: string[]
  descending: boolean
}

export function scanOf(table: PlannedTable): Scan {
  const { scan } = table
  return scan.kind === 'rowid'
    ? { table: table.source, columns: [scan.name], descending: false }
    : { table: table.source, columns: scan.columns, descending: scan.descending }
}

/** SQL condition for the rows of a range, by row values (https://www.sqlite.org/rowvalue.html). */
export function within(scan: Scan, bounds: Bounds): { condition: string; values: Key } {
  const [after, until] = scan.descending ? ['<', '>='] : ['>', '<=']
  const columns = tuple(scan.columns.map(quoteIdentifier))
  const marks = tuple(scan.columns.map(() => '?'))
  const parts: string[] = []
  if (bounds.lo) parts.push(`${columns} ${after} ${marks}`)
  if (bounds.hi) parts.push(`${columns} ${until} ${marks}`)
  return { condition: parts.join(' AND ') || 'true', values: [...(bounds.lo ?? []), ...(bounds.hi ?? [])] }
}

function tuple(items: string[]): string {
  return items.length === 1 ? (items[0] as string) : `(${items.join(', ')})`
}

export function orderBy(scan: Scan): string {
  return scan.columns.map((name) => quoteIdentifier(name) + (scan.descending ? ' DESC' : '')).join(', ')
}

/** Key of the n-th row of a range, null past its end. `narrow` adds to the condition of the rows that count. */
export function keyAt(
  db: Database.Database,
  scan: Scan,
  bounds: Bounds,
  n: number,
  narrow = (condition: string) => condition,
): Key | null {
  const { condition, values } = within(scan, bounds)
  const columns = scan.columns.map(quoteIdentifier).join(', ')
  const sql = `SELECT ${columns} FROM ${quoteIdentifier(scan.table)} WHERE ${narrow(condition)} ORDER BY ${orderBy(scan)} LIMIT 1 OFFSET ?`
  const row = db
    .prepare(sql)
    .raw()
    .safeIntegers()
    .get(...values, BigInt(n - 1))
  return (row as Key | undefined) ?? null
}

/**
 * Key at which the next `n` rows of a range end at the latest; null when they go to its end. Dense rowids are counted
 * on without looking, which saves a walk over the rows; past the plan's last rowid and for other keys they are looked up.
 */
export function nextKey(
  db: Database.Database,
  table: PlannedTable,
  scan: Scan,
  bounds: Bounds,
  n: number,
): Key | null {
  const dense = denseRowids(table)
  if (dense && scan.columns.length === 1 && scan.columns[0] === dense.name) {
    const until = (bounds.lo ? (bounds.lo[0] as bigint) : dense.min - 1n) + BigInt(n)
    if (until < dense.max && (!bounds.hi || until < (bounds.hi[0] as bigint))) return [until]
  }
  return keyAt(db, scan, bounds, n)
}

/** Rowids with hardly a gap: at least every second one is there. */
function denseRowids({ scan, rows }: PlannedTable): { name: string; min: bigint; max: bigint } | null {
  if (scan.kind !== 'rowid') return null
  const [min, max] = [BigInt(scan.min), BigInt(scan.max)]
  return max - min + 1n <= BigInt(rows) * 2n ? { name: scan.name, min, max } : null
}

/**
 * Key of the first row at which the values of a range, added up in order, pass `bytes`; looks at `n` rows
 * at most and returns null when they stay below. octet_length doesn't load a value.
 */
export function keyAtBytes(
  db: Database.Database,
  scan: Scan,
  bounds: Bounds,
  n: number,
  bytes: number,
  measured: readonly string[],
): Key | null {
  const { condition, values } = within(scan, bounds)
  const columns = scan.columns.map(quoteIdentifier).join(', ')
  const size = measured.map((name) => `ifnull(octet_length(${quoteIdentifier(name)}), 0)`).join(' + ')
  const sql = `SELECT ${columns} FROM (
      SELECT ${columns}, sum(${size}) OVER (ORDER BY ${orderBy(scan)} ROWS UNBOUNDED PRECEDING) AS "holdfast bytes"
      FROM (SELECT * FROM ${quoteIdentifier(scan.table)} WHERE ${condition} ORDER BY ${orderBy(scan)} LIMIT ?)
    ) WHERE "holdfast bytes" >= ? LIMIT 1`
  const hidden = scan.columns.length === 1 && /^(rowid|_rowid_|oid)$/i.test(scan.columns[0] as string)
  const named = hidden ? sql.replace('SELECT * FROM', `SELECT ${columns} AS ${columns}, * FROM`) : sql
  const row = db
    .prepare(named)
    .raw()
    .safeIntegers()
    .get(...values, BigInt(n), BigInt(bytes))
  return (row as Key | undefined) ?? null
}

/** Cuts a table into about `parts` ranges of equal numbers of rows; the first and last are open. */
export function splitTable(db: Database.Database, table: PlannedTable, parts: number): Bounds[] {
  const cuts = parts < 2 ? [] : cutPoints(db, table, parts)
  const edges = [null, ...cuts, null]
  return edges.slice(1).map((hi, i) => ({ lo: edges[i] ?? null, hi }))
}

/** Dense rowids are cut by arithmetic; sparse ones and other keys by walking the tree. */
function cutPoints(db: Database.Database, table: PlannedTable, parts: number): Key[] {
  const dense = denseRowids(table)
  if (dense) {
    const span = dense.max - dense.min + 1n
    return Array.from({ length: parts - 1 }, (_, i) => [
      dense.min + (span * BigInt(i + 1)) / BigInt(parts) - 1n,
    ])
  }
  const scan = scanOf(table)
  const step = Math.ceil(table.rows / parts)
  const cuts: Key[] = []
  for (let last: Key | null = null; cuts.length < parts - 1; cuts.push(last)) {
    last = keyAt(db, scan, { lo: last, hi: null }, step)
    if (!last) break
  }
  return cuts
}

/** A key as JSON text with its storage classes: integers past 2^53, reals and blobs come back the same. */
export function encodeKey(key: Key | null): string | null {
  if (!key) return null
  return JSON.stringify(
    key.map((value) => {
      if (typeof value === 'bigint') return { i: value.toString() }
      if (typeof value === 'number') return { r: realBits(value) }
      return typeof value === 'string' ? { t: value } : { b: Buffer.from(value).toString('hex') }
    }),
  )
}

export function decodeKey(text: string | null): Key | null {
  if (text === null) return null
  return (JSON.parse(text) as { i?: string; r?: string; t?: string; b?: string }[]).map((value) => {
    if (value.i !== undefined) return BigInt(value.i)
    if (value.r !== undefined) return Buffer.from(value.r, 'hex').readDoubleBE()
    return value.t ?? Buffer.from(value.b ?? '', 'hex')
  })
}

function realBits(value: number): string {
  const bytes = Buffer.alloc(8)
  bytes.writeDoubleBE(value)
  return bytes.toString('hex')
}
