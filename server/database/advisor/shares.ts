import type { Demand } from './demands'

/** Rows above which something that is done for each of them is felt. */
export const MANY_ROWS = 500

/** The share of rows that a condition leaves for the value that the most rows have; a constant's is known. */
export function frequentShare(demand: Demand, rows: number): number {
  const { kind, facts } = demand
  if (demand.rows !== null) return demand.rows / Math.max(1, rows)
  if (kind !== 'equal' && kind !== 'in') return 1
  return Math.max(facts.topShare, 1 / Math.max(1, facts.distinct ?? 1))
}

/** The same for the other values: what the most frequent one leaves, evenly. 0 where nobody has counted. */
export function rareShare(demand: Demand, rows: number): number {
  const { kind, facts } = demand
  if (demand.rows !== null) return demand.rows / Math.max(1, rows)
  if (kind !== 'equal' && kind !== 'in') return 1
  if (facts.distinct === null) return 0
  if (facts.distinct < 2) return 1 - facts.nullShare
  const top = Math.max(facts.topShare, 1 / facts.distinct)
  return Math.max(0, 1 - facts.nullShare - top) / (facts.distinct - 1)
}
