import type { NodeFacts } from '@/components/cache/types'

/** Slots of a Redis Cluster. */
export const SLOTS = 16_384

export interface SlotRange {
  from: number
  to: number
}

/** A primary with its slots, numbered in the order in which they stand. */
export interface SlotOwner {
  number: number
  address: string
  /** False for one that doesn't answer: the cluster still counts its slots to it. */
  answers: boolean
  ranges: SlotRange[]
  slots: number
}

/** Primaries that serve slots, by their first slot. */
export function ownersOf(nodes: readonly NodeFacts[]): SlotOwner[] {
  return nodes
    .filter(({ slots }) => slots.length > 0)
    .map(({ address, error, slots }) => ({
      address,
      answers: error === null,
      ranges: [...slots].sort((a, b) => a.from - b.from),
    }))
    .sort((a, b) => (a.ranges[0]?.from ?? 0) - (b.ranges[0]?.from ?? 0))
    .map((owner, at) => ({ ...owner, number: at + 1, slots: sizeOf(owner.ranges) }))
}

/** Ranges that no primary serves. */
export function gapsOf(owners: readonly SlotOwner[]): SlotRange[] {
  const gaps: SlotRange[] = []
  let next = 0
  for (const { from, to } of owners.flatMap(({ ranges }) => ranges).sort((a, b) => a.from - b.from)) {
    if (from > next) gaps.push({ from: next, to: from - 1 })
    next = Math.max(next, to + 1)
  }
  if (next < SLOTS) gaps.push({ from: next, to: SLOTS - 1 })
  return gaps
}

export const sizeOf = (ranges: readonly SlotRange[]) =>
  ranges.reduce((sum, { from, to }) => sum + to - from + 1, 0)

/** `0–5460, 10923` and, for what is cut, `and 3 more`. */
export function rangesText(ranges: readonly SlotRange[], most = 6): string {
  const text = ranges
    .slice(0, most)
    .map(({ from, to }) => (from === to ? `${from}` : `${from}–${to}`))
    .join(', ')
  return ranges.length > most ? `${text} and ${ranges.length - most} more` : text
}
