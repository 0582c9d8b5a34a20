import type { IndexShape, TableFacts } from './types'

const PAGE = 8192
/** Share of a B-tree's leaf pages that is filled when it is built, and the bytes of an entry beside its keys. */
const FILL = 0.9
const ENTRY = 8 + 4

/**
 * Bytes that an index will take (PostgreSQL manual, "Database Page Layout" and "B-Tree Deduplication"): entries of
 * equal keys share one copy of them, with 6 bytes a row.
 */
export function indexBytes(
  { keys, include, where }: IndexShape,
  table: TableFacts,
  rows = table.rows,
): number {
  const columns = [...keys.map(({ name }) => name), ...include].map((name) => table.columns.get(name))
  const width = columns.reduce(
    (sum, facts) => sum + (facts ? aligned(facts.width * (1 - facts.nullShare)) : 16),
    0,
  )
  const distinct = Math.min(
    rows,
    columns.reduce((product, facts) => product * (facts?.distinct ?? rows), 1),
  )
  const plain = rows * (width + ENTRY)
  const shared = include.length > 0 ? plain : distinct * (width + ENTRY) + rows * 6
  const bytes = Math.min(plain, shared) / FILL
  return Math.max(where ? 1 : 2, Math.ceil(bytes / PAGE) + 1) * PAGE
}

const aligned = (width: number): number => Math.ceil(width / 4) * 4
