import type { Known } from './fence'
import type { Seen } from './probe'
import type { NodeRole } from './types'

/** A server as the judge sees it. */
export interface View {
  /** host:port */
  name: string
  /** Null while nothing that it said holds. */
  seen: Seen | null
  /** It failed to answer, the last time it was asked. */
  down: boolean
}

export interface Verdict {
  role: NodeRole
  /** Why it takes no reads or writes although it answers. */
  because: string | null
}

export interface Judgement {
  verdicts: Verdict[]
  /** Index of the server that writes go to; −1 for none. */
  primary: number
  known: Known
}

/**
 * Tells the roles of all servers. The primary is one of the known cluster, on a timeline that is not below the
 * highest that was ever seen: one below was replaced while it was away, and has missed what was written since. Of
 * two primaries on one timeline the one that was written to stays; who took none of ours is not chosen by chance.
 * @param kept the highest timeline that is on the disk for a cluster, asked when it is first seen.
 */
export function judge(
  views: readonly View[],
  known: Known,
  kept: (systemIdentifier: string) => number | null,
): Judgement {
  const system = known.systemIdentifier ?? firstSystem(views)
  const before =
    known.systemIdentifier === null && system !== null ? later(known.timeline, kept(system)) : known.timeline
  const ours = ({ seen }: View) => seen !== null && (seen.systemIdentifier ?? system) === system
  const timeline = views.filter(ours).reduce((high, { seen }) => later(high, seen?.timeline ?? null), before)
  const able = views.filter(
    (view) => ours(view) && !view.seen?.recovering && (view.seen?.timeline ?? null) === timeline,
  )
  const chosen = choose(able, known.primary)
  return {
    verdicts: views.map((view): Verdict => {
      const { seen, down, name } = view
      if (!seen) return down ? { role: 'down', because: 'It does not answer.' } : unknown
      if (!ours(view)) return foreign
      if (seen.recovering) return replica(seen.timeline, timeline)
      if (view === chosen) return { role: 'primary', because: null }
      if (chosen && same(view, chosen))
        return { role: 'primary', because: `It is the same server as ${chosen.name}.` }
      return stale(able.includes(view), seen.timeline, timeline, name)
    }),
    primary: chosen ? views.indexOf(chosen) : -1,
    known: { systemIdentifier: system, timeline, primary: known.primary },
  }
}

const unknown: Verdict = { role: 'unknown', because: 'It has not answered yet.' }
const foreign: Verdict = {
  role: 'foreign',
  because: 'It belongs to another cluster: its system identifier is another one.',
}

function replica(timeline: number | null, highest: number | null): Verdict {
  const behind = timeline !== null && highest !== null && timeline < highest
  return {
    role: 'replica',
    because: behind
      ? `It follows timeline ${timeline}, but ${highest} is the current one, as far as this role may see (pg_read_all_stats sees it at once).`
      : null,
  }
}

function stale(able: boolean, timeline: number | null, highest: number | null, name: string): Verdict {
  return {
    role: 'stale',
    because: able
      ? `${name} and another server are both primary on timeline ${timeline}: one of them must go.`
      : `It is a primary of timeline ${timeline ?? 'unknown'}, but timeline ${highest} has been seen: another server took its place.`,
  }
}

function choose(able: readonly View[], before: string | null): View | undefined {
  const [first] = able
  const again = able.find(({ name }) => name === before)
  return again ?? (first && able.every((view) => same(view, first)) ? (again ?? first) : undefined)
}

/** One server under two addresses: it can't have started at the same microsecond as another one. */
function same(one: View, other: View): boolean {
  return one.seen?.startedAt === other.seen?.startedAt
}

function firstSystem(views: readonly View[]): string | null {
  const primary = views.find(({ seen }) => seen?.systemIdentifier && !seen.recovering)
  return (primary ?? views.find(({ seen }) => seen?.systemIdentifier))?.seen?.systemIdentifier ?? null
}

function later(one: number | null, other: number | null): number | null {
  return one === null || other === null ? (one ?? other) : Math.max(one, other)
}
