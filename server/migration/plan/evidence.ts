import type Database from 'better-sqlite3'
import type { Pool } from '../engine/pool'
import { mergeEvidence, readEvidence } from '../source/evidence'
import type { SourceTable } from '../source/source'
import { mergeTrials, type TrialResult } from '../source/trials'
import { type Bounds, EVERYTHING, type Scan } from '../transfer/ranges'
import type { ColumnEvidence, TableEvidence, TypeOption } from '../types'
import { fitsTest } from './fits'
import { quoteIdentifier } from './names'
import { type Candidate, candidates } from './options'

/** Rows that one thread reads for evidence before another table or range has its turn. */
const EVIDENCE_ROWS = 250_000n

/** A virtual table that was chosen after the others were read: without other types to choose from. */
export function readOnce(db: Database.Database, table: SourceTable): TableEvidence {
  const scan: Scan = { table: table.name, columns: [table.rowidName ?? ''], descending: false }
  const columns = readEvidence(db, scan, EVERYTHING, table.columns)
  return {
    names: table.columns.map((column) => column.name),
    columns,
    rows: columns[0]?.rows ?? 0,
    rowids: table.rowidName === null ? null : readRowids(db, table.name, table.rowidName),
  }
}

export async function readTable(
  pool: Pool,
  db: Database.Database,
  table: SourceTable,
): Promise<TableEvidence> {
  const rowids = table.rowidName === null ? null : readRowids(db, table.name, table.rowidName)
  const scan: Scan = {
    table: table.name,
    columns: table.rowidName === null ? table.primaryKey.map((column) => column.name) : [table.rowidName],
    descending: false,
  }
  const ranges = evidenceRanges(rowids)
  const sampled = await pool.run({ kind: 'samples', scan, columns: table.columns })
  const columns = sampled.map(({ name, declaredType, shape }, i) => ({
    ...{ name, declaredType, shape },
    notNull: table.columns[i]?.notNull,
  }))
  const parts = await Promise.all(
    ranges.map((bounds) => pool.run({ kind: 'evidence', scan, bounds, columns })),
  )
  const merged = parts.reduce((a, b) => a.map((one, i) => mergeEvidence(one, b[i] as ColumnEvidence)))
  const offers = sampled.map((column, i) => candidates(column, merged[i] as ColumnEvidence))
  return {
    names: table.columns.map((column) => column.name),
    columns: merged,
    rows: merged[0]?.rows ?? 0,
    rowids,
    samples: sampled.map((column) => column.samples),
    options: await tryCandidates(pool, scan, ranges, table.columns, offers),
  }
}

/** Counts what each candidate refuses where the evidence doesn't say it: one more pass, and only for such columns. */
async function tryCandidates(
  pool: Pool,
  scan: Scan,
  ranges: Bounds[],
  columns: readonly { name: string }[],
  offers: Candidate[][],
): Promise<TypeOption[][]> {
  const trials = offers.flatMap((found, i) => {
    const { name } = columns[i] as { name: string }
    return found.flatMap((one) => {
      const test = one.refused === 0 ? null : fitsTest(quoteIdentifier(name), one)
      return test === null ? [] : [{ one, trial: { column: name, test } }]
    })
  })
  const results = new Map<Candidate, TrialResult>()
  if (trials.length > 0) {
    const tests = trials.map(({ trial }) => trial)
    const parts = await Promise.all(
      ranges.map((bounds) => pool.run({ kind: 'trials', scan, bounds, trials: tests })),
    )
    const merged = parts.reduce((a, b) => a.map((one, i) => mergeTrials(one, b[i] as TrialResult)))
    trials.forEach(({ one }, i) => {
      results.set(one, merged[i] as TrialResult)
    })
  }
  return offers.map((found) =>
    found.map((one) => ({ ...one, ...(results.get(one) ?? { refused: 0, misfits: [] }) })),
  )
}

function readRowids(
  db: Database.Database,
  table: string,
  rowid: string,
): { min: string; max: string } | null {
  const read = (side: 'min' | 'max') =>
    db
      .prepare(`SELECT ${side}(${quoteIdentifier(rowid)}) FROM ${quoteIdentifier(table)}`)
      .pluck()
      .safeIntegers()
      .get() as bigint | null
  const [min, max] = [read('min'), read('max')]
  return min === null || max === null ? null : { min: min.toString(), max: max.toString() }
}

function evidenceRanges(rowids: { min: string; max: string } | null): Bounds[] {
  if (!rowids) return [EVERYTHING]
  const min = BigInt(rowids.min)
  const span = BigInt(rowids.max) - min + 1n
  const parts = span / EVIDENCE_ROWS + 1n
  const count = parts > 64n ? 64n : parts
  const cuts: (bigint[] | null)[] = [null]
  for (let i = 1n; i < count; i++) cuts.push([min + (span * i) / count - 1n])
  cuts.push(null)
  return cuts.slice(1).map((hi, i) => ({ lo: cuts[i] ?? null, hi }))
}
