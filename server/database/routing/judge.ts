import type { Known } from './fence'
import type { NodeRole } from './types'

/** What a node answered to its last probe. */
export interface Seen {
  recovering: boolean
  /** Null where the role may not read the control file. */
  system: string | null
  timeline: number | null
  /** Written on a primary, replayed on a replica. */
  byte: bigint
}

/** A node as the judge sees it: null when it does not answer. */
export type Looked = Seen | null

export interface Judgement {
  roles: NodeRole[]
  /** Index of the node that takes writes; −1 for none. */
  primary: number
  known: Known
}

/**
 * Tells the roles of all nodes. Writes go to the primary of the highest timeline, which must not be below the
 * highest that was ever seen: one below it was replaced while it was away, and has missed what was written since.
 * Of two primaries of one timeline, which only a copied server can make, the one so far stays.
 */
export function judge(nodes: readonly Looked[], known: Known, primary: number): Judgement {
  const system = known.system ?? nodes.find((node) => node?.system)?.system ?? null
  const ours = (node: Looked) => node !== null && (node.system === null || node.system === system)
  const timelineOf = (node: Seen) => node.timeline ?? known.timeline
  const primaries = nodes.flatMap((node, at) =>
    node && ours(node) && !node.recovering ? [{ node, at }] : [],
  )
  const highest = Math.max(known.timeline, ...primaries.map(({ node }) => timelineOf(node)))
  const able = primaries.filter(({ node }) => timelineOf(node) === highest)
  const chosen = able.find(({ at }) => at === primary) ?? able[0]
  return {
    roles: nodes.map((node, at): NodeRole => {
      if (!node) return 'down'
      if (!ours(node)) return 'foreign'
      if (node.recovering) return 'replica'
      return at === chosen?.at ? 'primary' : 'stale'
    }),
    primary: chosen?.at ?? -1,
    known: { system, timeline: highest },
  }
}
