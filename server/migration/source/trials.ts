import type Database from 'better-sqlite3'
import { quoteIdentifier } from '../plan/names'
import { type Bounds, type Scan, within } from '../transfer/ranges'
import { showValue } from './samples'

const SHOWN = 5

/** A type tried on a column: SQL that is 1 for the values that it holds. */
export interface Trial {
  column: string
  test: string
}

/** How many values fail, and some of them. */
export interface TrialResult {
  refused: number
  misfits: string[]
}

/** SQLite's rows have 2,000 columns at most. */
const AT_ONCE = 1000

/** Tries types on every row of a range, all in one pass; a second one only shows values that fail. */
export function tryTypes(
  db: Database.Database,
  scan: Scan,
  bounds: Bounds,
  trials: readonly Trial[],
): TrialResult[] {
  const parts = Array.from({ length: Math.ceil(trials.length / AT_ONCE) }, (_, i) =>
    trials.slice(i * AT_ONCE, (i + 1) * AT_ONCE),
  )
  return parts.flatMap((part) => tryAtOnce(db, scan, bounds, part))
}

function tryAtOnce(
  db: Database.Database,
  scan: Scan,
  bounds: Bounds,
  trials: readonly Trial[],
): TrialResult[] {
  const { condition, values } = within(scan, bounds)
  const from = `FROM ${quoteIdentifier(scan.table)} WHERE ${condition}`
  const counts = db
    .prepare(`SELECT ${trials.map(({ test }) => `sum(NOT ${test})`).join(', ')} ${from}`)
    .raw()
    .get(...values) as (number | null)[]
  return trials.map(({ column, test }, i) => {
    const refused = counts[i] ?? 0
    if (refused === 0) return { refused, misfits: [] }
    const shown = db
      .prepare(`SELECT DISTINCT ${cut(column)} ${from} AND NOT ${test} LIMIT ${SHOWN}`)
      .pluck()
      .safeIntegers()
      .all(...values)
    return { refused, misfits: shown.map(showValue) }
  })
}

/** Long values are cut before they leave SQLite. */
function cut(name: string): string {
  const column = quoteIdentifier(name)
  return `CASE WHEN typeof(${column}) IN ('text', 'blob') THEN substr(${column}, 1, 61) ELSE ${column} END`
}

export function mergeTrials(a: TrialResult, b: TrialResult): TrialResult {
  return {
    refused: a.refused + b.refused,
    misfits: [...new Set([...a.misfits, ...b.misfits])].slice(0, SHOWN),
  }
}
