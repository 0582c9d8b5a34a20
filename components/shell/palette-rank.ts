import { defaultFilter } from 'cmdk'
import type { PaletteEntry } from './palette'

/** Below it, letters lie too far apart to be what was meant. */
const LEAST = 0.1
/** What the server found stands behind names that begin with the text, and before those that only have its letters. */
const FOUND = 0.5

export interface RankedGroup {
  name: string
  entries: readonly PaletteEntry[]
}

/** Entries that a text means, in their groups, the best first; all in their own order without a text. */
export function ranked(entries: readonly PaletteEntry[], text: string): RankedGroup[] {
  const sought = text.trim()
  const scored = entries.map((entry) => ({ entry, score: sought === '' ? 1 : scoreOf(entry, sought) }))
  const groups = new Map<string, typeof scored>()
  for (const each of scored.filter(({ score }) => score >= LEAST).sort((a, b) => b.score - a.score)) {
    groups.set(each.entry.group, [...(groups.get(each.entry.group) ?? []), each])
  }
  return [...groups].map(([name, members]) => ({ name, entries: members.map(({ entry }) => entry) }))
}

function scoreOf({ found, label, keywords }: PaletteEntry, sought: string): number {
  return found ? FOUND : Math.max(...[label, ...(keywords ?? [])].map((name) => defaultFilter(name, sought)))
}
