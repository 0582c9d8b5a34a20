import { quoteLiteral } from '../plan/names'
import type { PlannedColumn, PlannedTable, RowDifference } from '../types'
import { type CanonicalRow, readable } from './canonical'

/** Longer values are cut to this many characters around the first that differs. */
const SHOWN = 200
const BEFORE = 40

/** One row side by side, from its canonical values; null where a side has no such row. */
export function rowDifference(
  table: PlannedTable,
  key: string,
  source: CanonicalRow | null,
  target: CanonicalRow | null,
): RowDifference {
  const columns = table.columns.map((column, i) => {
    const [ours, theirs] = [source?.[i] ?? null, target?.[i] ?? null]
    return { column: column.source, ...cutBoth(column, ours, theirs), differs: ours !== theirs }
  })
  if (source && target) return { key, columns }
  return {
    key,
    missing: source ? 'target' : 'source',
    columns: columns.map((column) => ({ ...column, differs: true })),
  }
}

/** The same in one line. */
export function describeDifference({ key, missing, columns }: RowDifference): string {
  if (missing) return `${key}: not in the ${missing}`
  const show = (value: string | null) => (value === null ? 'NULL' : quoteLiteral(value.slice(0, 100)))
  const first = columns.find((column) => column.differs)
  return `${key}, ${first?.column}: source ${show(first?.source ?? null)}, target ${show(first?.target ?? null)}`
}

/** `id = 7, part = 2` by names of the source. */
export function keyText(columns: readonly PlannedColumn[], values: readonly (string | null)[]): string {
  return columns.map((column, i) => `${column.source} = ${values[i] ?? 'NULL'}`).join(', ')
}

function cutBoth(column: PlannedColumn, source: string | null, target: string | null) {
  const [ours, theirs] = [readable(column, source), readable(column, target)]
  if (Math.max(ours?.length ?? 0, theirs?.length ?? 0) <= SHOWN) return { source: ours, target: theirs }
  let at = 0
  while (at < (ours?.length ?? 0) && ours?.[at] === theirs?.[at]) at++
  const from = ours === theirs || at <= BEFORE ? 0 : at - BEFORE
  const cut = (text: string | null) =>
    text === null
      ? null
      : `${from > 0 ? '…' : ''}${text.slice(from, from + SHOWN)}${text.length > from + SHOWN ? '…' : ''}`
  return { source: cut(ours), target: cut(theirs) }
}
