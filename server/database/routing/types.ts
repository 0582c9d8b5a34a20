/** How statements find their server: what is known of each node, and what a caller may ask for. */

/** `primary` takes writes; `replica` replays; `stale` calls itself primary but is behind the highest timeline seen; `down` does not answer; `foreign` is another cluster. */
export type NodeRole = 'primary' | 'replica' | 'stale' | 'down' | 'foreign' | 'unknown'

export interface NodeFigures {
  host: string
  port: number
  role: NodeRole
  /** Whether reads are sent there at this moment, and why not. */
  takesReads: boolean
  takesWrites: boolean
  because: string | null
  timeline: number | null
  /** Bytes of WAL behind the primary, and the position replayed (or written, on the primary) as PostgreSQL writes it. */
  lagBytes: number | null
  lsn: string | null
  /** Milliseconds of the last probe's round trip, and when it answered. */
  roundTrip: number | null
  seenAt: number | null
  /** Why the last probe failed. */
  error: string | null
  pool: { min: number; max: number; inUse: number; idle: number; waiting: number }
  queries: number
  reads: number
  writes: number
  errors: number
}

/** A change of who is primary, for the log, the page and the audit log. */
export interface TopologyEvent {
  at: number
  kind:
    | 'primary-lost'
    | 'primary-found'
    | 'primary-changed'
    | 'stale-primary'
    | 'replica-lost'
    | 'replica-back'
  node: string
  message: string
}

export interface Topology {
  /** False while no primary takes writes. */
  writable: boolean
  /** Since when `writable` is as it is. */
  since: number
  highestTimeline: number | null
  systemIdentifier: string | null
  nodes: NodeFigures[]
  /** The newest first, a hundred at most. */
  events: TopologyEvent[]
}
