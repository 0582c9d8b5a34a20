import type Database from 'better-sqlite3'
import { decimalTest, shapeTest } from '../plan/fits'
import { type Affinity, affinityOf, decimalOf, isTimeType } from '../plan/mapping'
import { quoteIdentifier } from '../plan/names'
import { type Bounds, type Scan, within } from '../transfer/ranges'
import type { ColumnEvidence, TimeShape } from '../types'

/** What the evidence of a column needs to know of it; travels to a thread. */
export interface EvidenceColumn {
  name: string
  declaredType: string
  /** Form that the first value has; every other is compared with it. */
  shape?: TimeShape
  /** Declared so: its values needn't be counted. */
  notNull?: boolean
}

type Value = bigint | number | string | Buffer | null

const FORM = /^(\d{4}-\d\d-\d\d)(?:([ T])\d\d:\d\d:\d\d(\.\d{3}|\.\d{6})?(Z?))?$/

/** The form of one text, or undefined when it is none that PostgreSQL reads and prints alike. */
export function shapeOf(text: string): TimeShape | undefined {
  const match = FORM.exec(text)
  if (!match) return undefined
  if (match[2] === undefined) return 'date'
  const digits = match[3] === undefined ? 0 : match[3].length - 1
  return `${match[2]}${digits}${match[4]}` as TimeShape
}

/** Of a column without rows. */
export const noEvidence: Readonly<ColumnEvidence> = {
  rows: 0,
  nulls: 0,
  integers: 0,
  reals: 0,
  texts: 0,
  blobs: 0,
  min: null,
  max: null,
  bytes: 0,
  maxBytes: 0,
}

/** Reads every row of a range once for all columns, and again only for columns of mixed storage classes. */
export function readEvidence(
  db: Database.Database,
  scan: Scan,
  bounds: Bounds,
  columns: readonly EvidenceColumn[],
): ColumnEvidence[] {
  const found: ColumnEvidence[] = []
  for (let at = 0; at < columns.length; at += COLUMNS_AT_ONCE)
    found.push(...readColumns(db, scan, bounds, columns.slice(at, at + COLUMNS_AT_ONCE)))
  return found
}

/** SQLite's results have 2,000 columns at most (https://www.sqlite.org/limits.html#max_column). */
const COLUMNS_AT_ONCE = 250

function readColumns(
  db: Database.Database,
  scan: Scan,
  bounds: Bounds,
  columns: readonly EvidenceColumn[],
): ColumnEvidence[] {
  const { condition, values } = within(scan, bounds)
  const from = `FROM ${quoteIdentifier(scan.table)} WHERE ${condition}`
  const statement = db.prepare(`SELECT count(*), ${columns.flatMap(aggregates).join(', ')} ${from}`)
  const row = statement
    .raw()
    .safeIntegers()
    .get(...values) as Value[]
  const rows = Number(row[0])
  return columns.map((column, i) => {
    const [count, min, max, reals, bytes, maxBytes, agreeing] = row.slice(1 + i * 7, 8 + i * 7) as Value[]
    const present = column.notNull ? rows : Number(count)
    const evidence: ColumnEvidence = {
      rows,
      nulls: rows - present,
      integers: 0,
      reals: 0,
      texts: 0,
      blobs: 0,
      min: show(min as Value),
      max: show(max as Value),
      bytes: Number(bytes ?? 0),
      maxBytes: Number(maxBytes ?? 0),
    }
    const classes = [classOf(min as Value), classOf(max as Value)]
    if (affinityOf(column.declaredType) === 'TEXT') {
      // Numbers become text on their way in; `reals` counts the blobs.
      evidence.blobs = Number(reals ?? 0)
      evidence.texts = present - evidence.blobs
    } else if (classes[0] === classes[1] && !isLeastReal(column, min)) {
      if (classes[0] === 'number') {
        evidence.reals = affinityOf(column.declaredType) === 'REAL' ? present : Number(reals ?? 0)
        evidence.integers = present - evidence.reals
      } else if (classes[0] === 'text') evidence.texts = present
      else if (classes[0] === 'blob') evidence.blobs = present
    } else Object.assign(evidence, countClasses(db, column.name, from, values))
    if (column.shape && Number(agreeing ?? 0) === present && String(min) >= '0001')
      evidence.shape = column.shape
    if (decimalOf(column.declaredType)) evidence.decimal = Number(agreeing ?? 0) === present
    if (evidence.bytes === 0) evidence.bytes = 8 * (evidence.integers + evidence.reals)
    return evidence
  })
}

/** -2^63 as a real is the one that equals its integer. */
const isLeastReal = (column: EvidenceColumn, min: Value | undefined): boolean =>
  min === -(2 ** 63) && affinityOf(column.declaredType) === 'INTEGER'

/** Seven results a column: count, min, max, reals (blobs in text columns), bytes, longest, values that agree with what was declared. */
function aggregates({ name, declaredType, shape, notNull }: EvidenceColumn): string[] {
  const column = quoteIdentifier(name)
  const affinity = affinityOf(declaredType)
  const measured = affinity === 'TEXT' || affinity === 'BLOB' || isTimeType(declaredType)
  const decimal = decimalOf(declaredType)
  const short = (side: string) =>
    affinity === 'INTEGER' || affinity === 'REAL'
      ? `${side}(${column})`
      : `CASE WHEN typeof(${side}(${column})) IN ('text', 'blob') THEN substr(${side}(${column}), 1, 40) ELSE ${side}(${column}) END`
  return [
    notNull ? 'NULL' : `count(${column})`,
    affinity === 'TEXT' ? 'NULL' : short('min'),
    affinity === 'TEXT' ? 'NULL' : short('max'),
    others(column, affinity),
    measured ? `sum(octet_length(${column}))` : '0',
    measured ? `max(octet_length(${column}))` : '0',
    shape
      ? `sum(${shapeTest(column, shape)})`
      : decimal
        ? `sum(${decimalTest(column, decimal.precision, decimal.scale)})`
        : '0',
  ]
}

/**
 * Counts blobs in a text column, reals in any other. typeof() would cost as much as all the rest: blobs sort after
 * every text, and a real that INTEGER affinity let stand has a fraction or doesn't fit 64 bits.
 */
function others(column: string, affinity: Affinity): string {
  switch (affinity) {
    case 'TEXT':
      return `sum(${column} COLLATE BINARY >= x'')`
    case 'INTEGER':
      return `sum(${column} COLLATE BINARY <> CAST(${column} AS INTEGER))`
    case 'REAL':
      return 'NULL'
    default:
      return `sum(typeof(${column}) = 'real')`
  }
}

function countClasses(db: Database.Database, name: string, from: string, values: readonly unknown[]) {
  const column = quoteIdentifier(name)
  const counts = ['integer', 'real', 'text', 'blob'].map((type) => `sum(typeof(${column}) = '${type}')`)
  const sql = `SELECT ${counts}, sum(octet_length(${column})), max(octet_length(${column})) ${from}`
  const row = db
    .prepare(sql)
    .raw()
    .get(...values) as number[]
  const [integers, reals, texts, blobs, bytes, maxBytes] = row.map((count) => count ?? 0)
  return { integers, reals, texts, blobs, bytes, maxBytes }
}

function classOf(value: Value): 'null' | 'number' | 'text' | 'blob' {
  if (value === null) return 'null'
  if (typeof value === 'string') return 'text'
  return Buffer.isBuffer(value) ? 'blob' : 'number'
}

function show(value: Value): string | null {
  if (value === null) return null
  if (Buffer.isBuffer(value)) return `x'${value.toString('hex').slice(0, 40)}'`
  return String(value).slice(0, 40)
}

/** Evidence of two ranges of the same column as that of both. */
export function mergeEvidence(a: ColumnEvidence, b: ColumnEvidence): ColumnEvidence {
  const sum = (key: 'rows' | 'nulls' | 'integers' | 'reals' | 'texts' | 'blobs' | 'bytes') => a[key] + b[key]
  const present = (one: ColumnEvidence) => one.rows > one.nulls
  const { shape, decimal, ...rest } = a
  const sameShape = !present(a) ? b.shape : !present(b) || a.shape === b.shape ? a.shape : undefined
  return {
    ...rest,
    rows: sum('rows'),
    nulls: sum('nulls'),
    integers: sum('integers'),
    reals: sum('reals'),
    texts: sum('texts'),
    blobs: sum('blobs'),
    bytes: sum('bytes'),
    maxBytes: Math.max(a.maxBytes, b.maxBytes),
    min: pick(a.min, b.min, a, b, -1),
    max: pick(a.max, b.max, a, b, 1),
    ...(sameShape && { shape: sameShape }),
    ...(decimal !== undefined && { decimal: decimal && (b.decimal ?? true) }),
  }
}

/** Bounds are shown as text: numbers are compared as numbers where both sides hold nothing else. */
function pick(
  x: string | null,
  y: string | null,
  a: ColumnEvidence,
  b: ColumnEvidence,
  sign: 1 | -1,
): string | null {
  if (x === null || y === null) return x ?? y
  const numeric = a.texts + a.blobs + b.texts + b.blobs === 0
  const before = numeric ? compareNumbers(x, y) : x < y ? -1 : 1
  return before * sign >= 0 ? x : y
}

function compareNumbers(x: string, y: string): number {
  if (/^-?\d+$/.test(x) && /^-?\d+$/.test(y)) return BigInt(x) < BigInt(y) ? -1 : 1
  return Number(x) < Number(y) ? -1 : 1
}
