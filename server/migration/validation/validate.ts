import { createHash } from 'node:crypto'
import type { Bounds } from '../transfer/ranges'
import type { ColumnValidation, PlannedTable, RowDifference, TableValidation } from '../types'
import type { Tally } from './chunk'
import { describeDifference } from './difference'
import { orderedScan } from './order'
import type { Digest } from './ordered'
import { type Side, SUM_MODULUS } from './sets'

/** What of a table's comparison runs in a thread. */
export interface Comparer {
  ordered(table: PlannedTable, bounds: Bounds): Promise<Digest>
  sourceSet(table: PlannedTable, bounds: Bounds): Promise<{ rows: number; columns: Side[] }>
  targetSet(table: PlannedTable): Promise<{ rows: number; columns: Side[] }>
  /** Asked for where sets differ. */
  setDifference(table: PlannedTable): Promise<RowDifference | undefined>
}

/** Compares one table, its ranges side by side. */
export async function compareTable(
  table: PlannedTable,
  ranges: Bounds[],
  comparer: Comparer,
): Promise<TableValidation> {
  if (orderedScan(table)) {
    const digests = await Promise.all(ranges.map((bounds) => comparer.ordered(table, bounds)))
    return summarise(table, joinOrdered(table, digests))
  }
  const target = comparer.targetSet(table)
  target.catch(() => {})
  const parts = await Promise.all(ranges.map((bounds) => comparer.sourceSet(table, bounds)))
  const compared = joinSets(table, parts, await target)
  const summary = summarise(table, compared)
  if (summary.ok) return summary
  const difference = await comparer.setDifference(table)
  return summarise(table, { ...compared, ...(difference && { difference }) })
}

/** One result for a table, whichever way it was compared: columns, then whole rows. */
interface Compared {
  sourceRows: number
  targetRows: number
  columns: ColumnValidation[]
  difference?: RowDifference
}

function joinOrdered(table: PlannedTable, digests: Digest[]): Compared {
  const difference = digests.find((digest) => digest.difference)?.difference
  const columns = table.columns.map((column, i) => {
    const parts = digests.map((digest) => digest.columns[i] as Digest['columns'][number])
    const [source, target] = [
      showTally(parts.map((part) => part.source)),
      showTally(parts.map((part) => part.target)),
    ]
    return {
      column: column.target,
      ok: source === target && !parts.some((part) => part.differs),
      source,
      target,
    }
  })
  const [source, target] = (['source', 'target'] as const).map((side) =>
    hash(digests.flatMap((digest) => digest.rows[side])),
  )
  return {
    sourceRows: digests.reduce((sum, one) => sum + one.sourceRows, 0),
    targetRows: digests.reduce((sum, one) => sum + one.targetRows, 0),
    columns: [...columns, wholeRows(source as string, target as string)],
    ...(difference && { difference }),
  }
}

function wholeRows(source: string, target: string): ColumnValidation {
  return { column: WHOLE_ROWS, ok: source === target, source, target }
}

function showTally(parts: Tally[]): string {
  const count = parts.reduce((sum, part) => sum + part.count, 0).toLocaleString('en')
  const sums = parts.flatMap((part) => part.sum ?? [])
  return sums.length === 0 ? count : `${count} · ${sums.reduce((a, b) => a + BigInt(b), 0n)}`
}

function joinSets(
  table: PlannedTable,
  parts: { rows: number; columns: Side[] }[],
  target: { rows: number; columns: Side[] },
): Compared {
  const columns = target.columns.map((side, i) => {
    const source = parts
      .map((part) => part.columns[i] as Side)
      .reduce((a, b) => ({
        count: a.count + b.count,
        sums: a.sums.map((sum, n) => (sum + (b.sums[n] as number)) % SUM_MODULUS),
      }))
    const [ours, theirs] = [source, side].map(
      (one) => `${one.count.toLocaleString('en')} · ${hash(one.sums)}`,
    )
    return {
      column: table.columns[i]?.target ?? WHOLE_ROWS,
      ok: ours === theirs,
      source: ours as string,
      target: theirs as string,
    }
  })
  return { sourceRows: parts.reduce((sum, part) => sum + part.rows, 0), targetRows: target.rows, columns }
}

function summarise(table: PlannedTable, compared: Compared): TableValidation {
  const ok = compared.sourceRows === compared.targetRows && compared.columns.every((column) => column.ok)
  const { difference } = compared
  return {
    table: table.target,
    ok,
    ...compared,
    ...(difference && { firstDifference: describeDifference(difference) }),
  }
}

const WHOLE_ROWS = '(whole rows)'
const hash = (items: readonly (string | number)[]) =>
  createHash('sha256').update(items.join(' ')).digest('hex').slice(0, 16)
