import type Database from 'better-sqlite3'
import { quoteIdentifier } from '../plan/names'
import type { PlannedColumn, PlannedTable } from '../types'
import { allOf } from './fields'
import { type Bounds, encodeKey, type Key, orderBy, scanOf, within } from './ranges'
import { flawOf, type Reject, showKey, showValue } from './refusals'
import { isTextual } from './render'
import { textEncoding } from './text'

/** What is looked for: values that the plan says don't fit, or every text as well that no database could store. */
export type Care = 'plan' | 'texts'

interface Limit {
  column: PlannedColumn
  kind: Care
  /** SQL condition over the source, true or not. */
  test: string
}

function limitsOf(table: PlannedTable, care: Care): Limit[] {
  const planned = table.columns.flatMap((column): Limit[] =>
    column.fits === undefined ? [] : [{ column, kind: 'plan', test: `((${column.fits}) IS TRUE)` }],
  )
  if (care === 'plan') return planned
  const texts = table.columns.filter(isTextual).map((column): Limit => {
    const bytes = `CAST(${quoteIdentifier(column.source)} AS BLOB)`
    return { column, kind: 'texts', test: `NOT holdfast_flawed(${bytes})` }
  })
  return [...planned, ...texts]
}

/** `condition`, for rows alone that can be stored. */
export function andStorable(condition: string, table: PlannedTable, care: Care): string {
  return allOf([`(${condition})`, ...limitsOf(table, care).map(({ test }) => test)])
}

/** Rows of a range that can't be stored, at most `most`. */
export function findMisfits(
  db: Database.Database,
  table: PlannedTable,
  bounds: Bounds,
  care: Care,
  most: number,
): Reject[] {
  return misfitsWhere(db, table, within(scanOf(table), bounds), care, most)
}

/** The same for the rows of a condition. */
export function misfitsWhere(
  db: Database.Database,
  table: PlannedTable,
  { condition, values }: { condition: string; values: Key },
  care: Care,
  most: number,
): Reject[] {
  const limits = limitsOf(table, care)
  if (limits.length === 0) return []
  const scan = scanOf(table)
  const key = scan.columns.map(quoteIdentifier)
  const picked = limits.flatMap(({ test, column, kind }) => [test, shownOf(column, kind)])
  const rows = db
    .prepare(
      `SELECT ${[...key, ...picked].join(', ')} FROM ${quoteIdentifier(table.source)}
       WHERE (${condition}) AND NOT (${allOf(limits.map(({ test }) => test))}) ORDER BY ${orderBy(scan)} LIMIT ?`,
    )
    .raw()
    .safeIntegers()
    .all(...values, BigInt(most)) as unknown[][]
  return rows.map((row) => {
    const at = row.slice(0, key.length) as Key
    const bad = limits.findIndex((_, i) => row[key.length + 2 * i] !== 1n)
    const { column, kind } = limits[bad] as Limit
    const value = row[key.length + 2 * bad + 1]
    const why = kind === 'plan' ? misfit(column, value) : flaw(value as Buffer, db)
    return { position: encodeKey(at) as string, key: showKey(scan, at), column: column.source, ...why }
  })
}

/** Long values aren't loaded to show their beginning; of a text that may be none, every byte counts. */
function shownOf({ source }: PlannedColumn, kind: Care): string {
  const name = quoteIdentifier(source)
  return kind === 'texts'
    ? `CASE WHEN holdfast_flawed(CAST(${name} AS BLOB)) THEN CAST(${name} AS BLOB) END`
    : `CASE WHEN octet_length(${name}) > 1000 THEN substr(${name}, 1, 250) ELSE ${name} END`
}

function misfit({ type }: PlannedColumn, value: unknown): Pick<Reject, 'value' | 'reason'> {
  const reason =
    value === null
      ? 'The value is missing, and the column was chosen to be NOT NULL.'
      : `The value does not fit ${type}.`
  return { value: showValue(value), reason }
}

function flaw(bytes: Buffer, db: Database.Database): Pick<Reject, 'value' | 'reason'> {
  const encoding = textEncoding(db)
  const reason = flawOf(bytes, encoding) as string
  const text = encoding === 'utf16be' ? Buffer.from(bytes).swap16() : bytes
  const shown = reason.includes('NUL') ? text.toString(encoding === 'utf8' ? 'utf8' : 'utf16le') : bytes
  return { value: showValue(shown), reason }
}
