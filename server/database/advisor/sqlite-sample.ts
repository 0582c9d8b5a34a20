import type BetterSqlite3 from 'better-sqlite3'
import type { SqliteTable } from './sqlite-copy'

/** A few rows that stand for a whole table, and what is told from them. */

type Handle = BetterSqlite3.Database

/** Rows of a table that stand for all of them. */
const SAMPLE = 2_000
/** Multiples of it lie evenly between whole numbers, and in step with nothing. */
const GOLDEN = (Math.sqrt(5) - 1) / 2

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

/**
 * A row of each of as many stretches of the rowids, in none at the same place: of values that come again at even
 * distances all are seen. A gap gives the next row. Their number is the highest rowid, less the gaps seen.
 */
export function sampleByRowid(
  source: Handle,
  name: string,
): { rows: number; sample: Record<string, unknown>[] } {
  const [low, high] = source
    .prepare(`SELECT min(rowid), max(rowid) FROM ${quoted(name)}`)
    .raw()
    .get() as [number | null, number | null]
  if (low === null || high === null) return { rows: 0, sample: [] }
  const span = high - low + 1
  if (span <= SAMPLE * 2) {
    const all = source.prepare(`SELECT * FROM ${quoted(name)} LIMIT ${SAMPLE * 2}`).all() as Record<
      string,
      unknown
    >[]
    return { rows: all.length, sample: all }
  }
  const next = source.prepare(
    `SELECT rowid AS "sample rowid", * FROM ${quoted(name)} WHERE rowid >= ? LIMIT 1`,
  )
  const sample = new Map<number, Record<string, unknown>>()
  let hits = 0
  for (let at = 0; at < SAMPLE; at++) {
    const wanted = low + Math.floor((span * (at + ((at * GOLDEN) % 1))) / SAMPLE)
    const { 'sample rowid': rowid, ...row } = next.get(wanted) as { 'sample rowid': number }
    if (rowid === wanted) hits++
    sample.set(rowid, row)
  }
  // A table of few rows under large numbers is counted: it is quick to count where most look-ups miss.
  const rows =
    hits > SAMPLE / 2
      ? Math.round((span * hits) / SAMPLE)
      : (source
          .prepare(`SELECT count(*) FROM ${quoted(name)}`)
          .pluck()
          .get() as number)
  return { rows, sample: [...sample.values()] }
}

export function sampleFirst(
  source: Handle,
  name: string,
): { rows: number; sample: Record<string, unknown>[] } {
  const rows = source
    .prepare(`SELECT count(*) FROM ${quoted(name)}`)
    .pluck()
    .get() as number
  return {
    rows,
    sample: source.prepare(`SELECT * FROM ${quoted(name)} LIMIT ${SAMPLE}`).all() as Record<
      string,
      unknown
    >[],
  }
}

/**
 * Different values in the whole table, told from a sample: n·d / (n − f1 + f1·n/N), as ANALYZE of PostgreSQL does
 * (Haas and Stokes, IBM Research Report RJ 10025).
 */
export function distinctOf(values: unknown[], rows: number): number {
  const counts = new Map<unknown, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  const [n, d] = [values.length, counts.size]
  if (n === 0) return 1
  const once = [...counts.values()].filter((count) => count === 1).length
  return Math.min(rows, Math.max(d, (n * d) / (n - once + (once * n) / Math.max(rows, n))))
}

/** Lays the sample of a table beside the copy, where conditions can be tried on it. */
export function layOut(copy: Handle, table: SqliteTable): void {
  const columns = [...table.columns.values()]
  copy.exec(
    `CREATE TEMP TABLE ${sampleName(table)} (${columns.map(({ name, type }) => `${quoted(name)} ${type}`).join(', ')})`,
  )
  const insert = copy.prepare(
    `INSERT INTO temp.${sampleName(table)} VALUES (${columns.map(() => '?').join(', ')})`,
  )
  copy.transaction(() => {
    for (const row of table.sample) insert.run(columns.map(({ name }) => row[name]))
  })()
}

const sampleName = ({ name }: SqliteTable): string => quoted(`sample of ${name}`)

/** How many rows of the table a condition without parameters leaves; null when it cannot be tried. */
export function countIn(copy: Handle, table: SqliteTable, alias: string, condition: string): number | null {
  if (table.sample.length === 0) return 0
  try {
    const found = copy
      .prepare(`SELECT count(*) FROM temp.${sampleName(table)} AS ${quoted(alias)} WHERE ${condition}`)
      .pluck()
      .get() as number
    // What is in no row of the sample may be in some of the table.
    return (Math.max(found, 0.5) / table.sample.length) * table.rows
  } catch {
    return null
  }
}
