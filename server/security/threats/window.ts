import { type RecentMap, recentMap } from './recent-map'

/** Counted events of one subject, within one window. */
interface Entry {
  at: number
  seq: number
  value: string | null
  weight: number
  relief: boolean
}

export interface Group {
  /** By time. */
  entries: Entry[]
  /** Weights of what counts, and of what relieves. */
  count: number
  relief: number
  /** How many entries hold each value; null: none has one. */
  values: Map<string, number> | null
  /** Time of the last event that counted for a finding; null: none did. */
  foundAt: number | null
}

/** Entries that a group holds at most: more than any rule asks for. */
const mostEntries = 512

/** Groups of one rule, those that were touched lately; bounded in groups and in entries over all of them. */
export interface Groups {
  map: RecentMap<Group>
  entries: number
}

const mostGroups = 10_000
/** Entries over all groups of a rule. */
export const mostEntriesInAll = 30_000

export function newGroups(): Groups {
  const groups: Groups = {
    entries: 0,
    map: recentMap(mostGroups, (group) => {
      groups.entries -= group.entries.length
    }),
  }
  return groups
}

/** The group of a subject, new where there is none. What was not touched lately goes when there are too many. */
export function touch(groups: Groups, subject: string): Group {
  if (groups.entries >= mostEntriesInAll) groups.map.turn()
  const known = groups.map.get(subject)
  if (known) return known
  const group: Group = { entries: [], count: 0, relief: 0, values: null, foundAt: null }
  groups.map.set(subject, group)
  return group
}

/** Adds an event in its place by time, and lets go what is older than the window. False: it came too late to count. */
export function add(groups: Groups, group: Group, entry: Entry, windowMs: number): boolean {
  const { entries } = group
  const newest = entries.at(-1)?.at ?? entry.at
  if (entry.at <= newest - windowMs) return false
  if (entry.at >= newest) entries.push(entry)
  else entries.splice(placeOf(entries, entry.at), 0, entry)
  groups.entries++
  tally(group, entry, 1)
  expire(groups, group, Math.max(newest, entry.at) - windowMs)
  return true
}

/** Lets go what happened until `since`, and what is too much to hold. */
export function expire(groups: Groups, group: Group, since: number): void {
  const { entries } = group
  let over = Math.max(0, entries.length - mostEntries)
  while (over < entries.length && (entries[over] as Entry).at <= since) over++
  if (over === 0) return
  for (let at = 0; at < over; at++) tally(group, entries[at] as Entry, -1)
  // One at a time is the rule, and needs no second list.
  if (over === 1) entries.shift()
  else entries.splice(0, over)
  groups.entries -= over
}

function placeOf(entries: Entry[], at: number): number {
  let [low, high] = [0, entries.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((entries[middle] as Entry).at <= at) low = middle + 1
    else high = middle
  }
  return low
}

function tally(group: Group, { value, weight, relief }: Entry, by: 1 | -1): void {
  if (relief) {
    group.relief += by * weight
    return
  }
  group.count += by * weight
  if (value === null) return
  group.values ??= new Map()
  const left = (group.values.get(value) ?? 0) + by
  if (left === 0) group.values.delete(value)
  else group.values.set(value, left)
}
