import { Histogram } from '@/server/histogram'
import { MISS_REASONS, type MissReason, type NamespaceFigures } from '../types'

/** What is counted of one namespace, since the start. */
export class Counts {
  hits = 0
  localHits = 0
  staleHits = 0
  readonly misses = Object.fromEntries(MISS_REASONS.map((reason) => [reason, 0])) as Record<
    MissReason,
    number
  >
  sets = 0
  deletes = 0
  computed = 0
  shared = 0

  figures(name: string, local: { entries: number; bytes: number }): NamespaceFigures {
    const { hits, localHits, staleHits, misses, sets, deletes, computed, shared } = this
    return {
      ...{ name, hits, localHits, staleHits, misses: { ...misses }, sets, deletes, computed, shared },
      ...{ localEntries: local.entries, localBytes: local.bytes },
    }
  }
}

/** What is counted over all namespaces. */
export interface Totals {
  fallbacks: number
  rawBytes: number
  storedBytes: number
  compressedValues: number
  localTime: Histogram
}

export const newTotals = (): Totals => ({
  ...{ fallbacks: 0, rawBytes: 0, storedBytes: 0, compressedValues: 0 },
  localTime: new Histogram(),
})
