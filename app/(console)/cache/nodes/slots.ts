import type { NodeFacts } from '@/components/cache/types'
import { formatCount, formatNumber } from '@/components/ui/format'

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

/** What is seen in the bar: `3 primaries serve all 16,384 slots, 5,461 to 5,462 each.` */
export function slotsSentence(owners: readonly SlotOwner[]): string {
  const served = sizeOf(owners.flatMap(({ ranges }) => ranges))
  const sizes = owners.map(({ slots }) => slots)
  if (sizes.length === 0) return 'No primary serves a slot.'
  const [least, greatest] = [Math.min(...sizes), Math.max(...sizes)].map((size) => formatNumber(size))
  const all =
    served === SLOTS ? `all ${formatNumber(SLOTS)}` : `${formatNumber(served)} of ${formatNumber(SLOTS)}`
  const each = least === greatest ? `${least} each` : `${least} to ${greatest} each`
  return owners.length === 1
    ? `1 primary serves ${all} slots.`
    : `${formatCount(owners.length, 'primary', 'primaries')} serve ${all} slots, ${each}.`
}

/** Every range with the primary that serves it, in their order; those that none serves have no primary. */
export function slotRows(owners: readonly SlotOwner[]): (string | number | null)[][] {
  const rows = [
    ...owners.flatMap(({ number, address, answers, ranges }) =>
      ranges.map((range) => ({ ...range, number, address, answers: answers ? 'yes' : 'no' })),
    ),
    ...gapsOf(owners).map((range) => ({ ...range, number: null, address: null, answers: null })),
  ].sort((a, b) => a.from - b.from)
  return [
    ['number', 'primary', 'answers', 'first slot', 'last slot', 'slots'],
    ...rows.map(({ number, address, answers, from, to }) => [
      number,
      address,
      answers,
      from,
      to,
      to - from + 1,
    ]),
  ]
}
