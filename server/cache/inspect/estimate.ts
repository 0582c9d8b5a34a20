import type { SampleReport } from './types'

export interface Group {
  id: string
  name: string
  ours: boolean
}

export interface Drawn {
  /** The same for the same key: draws are put back. */
  id: string
  bytes: number
  group: Group
}

/** What was drawn on one master. */
export interface Stratum {
  /** Keys that it holds. */
  size: number
  /** Draws, with those that didn't count. */
  tries: number
  /** Whether all of its keys that count were looked at. */
  exact: boolean
  drawn: Drawn[]
}

/** Of the normal distribution, 95 % lie within so many standard deviations. */
const Z95 = 1.96

interface Sums extends Group {
  sampled: number
  keys: number
  bytes: number
  variance: number
  /** What the sample itself holds: the truth can't be less. */
  seen: number
}

/**
 * Keys and bytes of each group, largest first, with a 95 % interval of the bytes; and keys in all.
 * The estimator of stratified sampling: Cochran, Sampling Techniques, 3rd edition, 5.3 and 5.4, a master each stratum.
 */
export function estimate(strata: readonly Stratum[]): { groups: SampleReport['groups']; total: number } {
  const groups = new Map<string, Sums>()
  let total = 0
  for (const stratum of strata) {
    const { size, tries, drawn, exact } = stratum
    if (tries === 0) continue
    total += (size * drawn.length) / tries
    for (const [group, own] of byGroup(drawn)) {
      const sums = groups.get(group.id) ?? empty(group)
      groups.set(group.id, sums)
      const mean = own.reduce((sum, { bytes }) => sum + bytes, 0) / tries
      const squares = own.reduce((sum, { bytes }) => sum + bytes * bytes, 0)
      // Draws of other groups count as zero bytes of this one.
      const spread = tries > 1 ? (squares - tries * mean * mean) / (tries - 1) : 0
      sums.sampled += own.length
      sums.keys += (size * own.length) / tries
      sums.bytes += size * mean
      sums.variance += exact ? 0 : (size * size * Math.max(spread, 0)) / tries
      sums.seen += distinctBytes(own)
    }
  }
  const report = [...groups.values()].map((sums) => {
    const off = Z95 * Math.sqrt(sums.variance)
    const bytes = Math.round(sums.bytes)
    return {
      name: sums.name,
      ours: sums.ours,
      sampled: sums.sampled,
      keys: Math.round(sums.keys),
      bytes,
      bytesLow: Math.min(bytes, Math.max(Math.round(sums.bytes - off), sums.seen)),
      bytesHigh: Math.round(sums.bytes + off),
    }
  })
  return { groups: report.sort((a, b) => b.bytes - a.bytes), total: Math.round(total) }
}

function byGroup(drawn: readonly Drawn[]): [Group, Drawn[]][] {
  const found = new Map<string, [Group, Drawn[]]>()
  for (const draw of drawn) {
    const known = found.get(draw.group.id)
    if (known) known[1].push(draw)
    else found.set(draw.group.id, [draw.group, [draw]])
  }
  return [...found.values()]
}

function distinctBytes(drawn: readonly Drawn[]): number {
  const distinct = new Map(drawn.map(({ id, bytes }) => [id, bytes]))
  return [...distinct.values()].reduce((sum, bytes) => sum + bytes, 0)
}

function empty(group: Group): Sums {
  return { ...group, sampled: 0, keys: 0, bytes: 0, variance: 0, seen: 0 }
}
