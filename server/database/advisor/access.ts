import type { Candidate } from './candidates'
import { indexBytes } from './size'
import type { ColumnFacts } from './types'
import { covers } from './usage'

/** With this many values or fewer, a column's correlation says nothing about the rows of one value. */
const FEW_VALUES = 50

export interface CostSettings {
  seqPage: number
  randomPage: number
  cpuTuple: number
  cpuIndexTuple: number
  cpuOperator: number
  cachePages: number
}

export interface Access {
  /** Rows that the index finds, before the other conditions. */
  found: number
  /** Rows that the index holds: fewer than the table's in a partial one. */
  held: number
}

/** Cost of one read through the index; `lookups` of them share what is cached. */
export function accessCost(
  { shape, demand }: Candidate,
  { found, held }: Access,
  settings: CostSettings,
  { bitmap, lookups = 1, conditions = 1 }: { bitmap: boolean; lookups?: number; conditions?: number },
): number {
  const { table } = demand
  const size = indexBytes(shape, table, held) / 8192
  const share = Math.min(1, found / Math.max(1, held))
  const leaves = Math.max(1, Math.ceil(size * share))
  const height = Math.max(1, Math.ceil(Math.log(Math.max(2, size)) / Math.log(200)))
  const descent =
    Math.ceil(Math.log2(Math.max(2, held))) * settings.cpuOperator + (height + 1) * 50 * settings.cpuOperator
  const inIndex =
    pagesCost(leaves, size, lookups, settings) +
    descent +
    found * (settings.cpuIndexTuple + conditions * settings.cpuOperator)
  const heap = covers({ shape, demand }) ? 1 - table.visibleShare : 1
  const perRow = found * (settings.cpuTuple + settings.cpuOperator)
  const pages = Math.max(1, table.pages)
  const scattered = pagesFetched(found * lookups, pages, settings) / lookups
  const random = scattered * settings.randomPage
  const together = Math.ceil(Math.min(1, found / Math.max(1, table.rows)) * pages)
  const sequential = settings.randomPage + Math.max(0, together - 1) * settings.seqPage
  const [first] = shape.keys
  const correlation = correlationOf(table.columns.get(first?.name ?? '')) * (shape.keys.length > 1 ? 0.75 : 1)
  const plain =
    inIndex + (random + correlation ** 2 * (Math.min(random, sequential) - random)) * heap + perRow
  if (!bitmap) return plain
  // A page is dearer the fewer of them are read, and a bitmap costs an operator a row.
  const fetched = Math.min(pages, scattered)
  const perPage = settings.randomPage - (settings.randomPage - settings.seqPage) * Math.sqrt(fetched / pages)
  const mapped = inIndex + found * 0.1 * settings.cpuOperator + fetched * perPage + perRow
  return heap < 1 ? plain : Math.min(plain, mapped)
}

/** A column of few values seems sorted when one of them fills the table; the rows of another lie anywhere all the same. */
function correlationOf(facts: ColumnFacts | undefined): number {
  return facts && (facts.distinct ?? 0) > FEW_VALUES ? facts.correlation : 0
}

function pagesCost(leaves: number, size: number, lookups: number, settings: CostSettings): number {
  if (lookups <= 1) return leaves * settings.randomPage
  return (pagesFetched(leaves * lookups, Math.max(1, size), settings) * settings.randomPage) / lookups
}

/** Mackert and Lohman's estimate of different pages among `tuples` random reads. */
function pagesFetched(tuples: number, pages: number, { cachePages }: CostSettings): number {
  const cached = Math.max(1, cachePages)
  if (pages <= cached) return Math.min(pages, Math.ceil((2 * pages * tuples) / (2 * pages + tuples)))
  const limit = (2 * pages * cached) / (2 * pages - cached)
  if (tuples <= limit) return Math.ceil((2 * pages * tuples) / (2 * pages + tuples))
  return Math.ceil(cached + ((tuples - limit) * (pages - cached)) / pages)
}
