import { type Query, WRITTEN } from './follow'
import type { Node } from './node'
import { type LogPlace, later, type Position, reaches, type Written } from './position'
import type { Topology } from './topology'

/** Whom a read is for: a replica while one will do, or the primary while there is one. */
export type Preference = 'primary' | 'replica'

export interface Found {
  prefer: Preference
  session: Position | undefined
  /** What this process wrote last: the least that a replica must have in place of the primary. */
  floor: LogPlace | null
  /** Servers that failed this read, and when: they must have answered since. */
  failed: ReadonlyMap<Node, number>
}

const REPLAYED = `SELECT (pg_last_wal_replay_lsn() - '0/0'::pg_lsn)::text AS lsn`
/** Milliseconds after which replicas are asked again how far they are, while no primary answers. */
const AGAIN = 50

/** Finds a server for a read. */
export class Reader {
  readonly #topology: Topology

  constructor(topology: Topology) {
    this.#topology = topology
  }

  /** The server that may answer, when that is known without a question. */
  quick({ prefer, session, failed }: Found): Node | undefined {
    const { primary } = this.#topology
    const main = primary && usable(primary, failed) ? primary : undefined
    if (prefer === 'primary') return main
    if (session?.written) return undefined
    const needed = session?.place ?? null
    return this.#least(needed, failed, true) ?? (needed === null ? main : undefined)
  }

  /** The same, with questions, and waiting for somebody until `until`; undefined when none was found. */
  async find(found: Found, until: number, stop: () => unknown): Promise<Node | undefined> {
    const { prefer, session, floor, failed } = found
    for (;;) {
      const replica = prefer === 'replica' ? await this.#replica(found) : undefined
      if (replica) return replica
      const { primary } = this.#topology
      if (primary && usable(primary, failed)) return primary
      // Without a primary a replica will do that has all of this session and of this process.
      const needed = later(session?.place ?? null, floor)
      const other =
        this.#topology.settled && !session?.written
          ? (this.#least(needed, failed, false) ?? (await this.#asked(needed, failed, false)))
          : undefined
      if (other) return other
      const { lastResort } = this.#topology
      if (lastResort && (needed?.timeline ?? 0) <= (lastResort.seen?.timeline ?? 0)) return lastResort
      const left = until - performance.now()
      if (left <= 0 || stop() !== undefined) return undefined
      let first = true
      await this.#topology.until(
        () => {
          // The next change is waited for, not the state that is known.
          const changed = !first
          first = false
          return changed || undefined
        },
        Math.min(left, AGAIN),
      )
    }
  }

  /** Finds out where a single statement of a session was written. */
  async place(session: Position, node: Node, written: Written): Promise<void> {
    const { primary } = this.#topology
    const told = primary?.seen && primary.seen.sentAt > written.at ? placeOf(primary) : null
    const lsn = told ? null : await lsnOf(node, WRITTEN)
    if (session.written !== written) return session.written?.place()
    if (told) session.settle(told)
    else if (lsn !== null) session.settle({ timeline: written.timeline, lsn })
    else session.giveUp()
  }

  async #replica({ session, failed }: Found): Promise<Node | undefined> {
    await session?.written?.place()
    const needed = session?.place ?? null
    // Another instance has seen a promotion that this one has not: it looks, once.
    if (needed && needed.timeline > (this.#topology.timeline ?? 0)) await this.#topology.round()
    return this.#least(needed, failed, true) ?? (needed ? this.#asked(needed, failed, true) : undefined)
  }

  /** The replica with least to do among those that are known to have replayed `needed`. */
  #least(
    needed: LogPlace | null,
    failed: ReadonlyMap<Node, number>,
    fresh: boolean,
    reached = true,
  ): Node | undefined {
    let best: Node | undefined
    for (const node of this.#topology.nodes) {
      const { seen, verdict } = node
      if (verdict.role !== 'replica' || !seen || !usable(node, failed)) continue
      if (fresh && this.#topology.refusesReads(node) !== null) continue
      if (needed && reached && !reaches(seen.timeline, seen.lsn, needed)) continue
      if (!best || node.load < best.load) best = node
    }
    return best
  }

  /** Asks the one with least to do how far it is by now; the read itself is a statement of its own, after that. */
  async #asked(
    needed: LogPlace | null,
    failed: ReadonlyMap<Node, number>,
    fresh: boolean,
  ): Promise<Node | undefined> {
    const node = this.#least(needed, failed, fresh, false)
    if (!node || !needed || (node.seen?.timeline ?? 0) < needed.timeline) return undefined
    const lsn = await lsnOf(node, REPLAYED)
    if (lsn !== null) node.replayed(lsn)
    return lsn !== null && node.seen && reaches(node.seen.timeline, lsn, needed) ? node : undefined
  }
}

/** How far the log of a primary went when it last answered. */
export function placeOf({ seen }: Node): LogPlace | null {
  return seen?.timeline && seen.lsn !== null ? { timeline: seen.timeline, lsn: seen.lsn } : null
}

function usable(node: Node, failed: ReadonlyMap<Node, number>): boolean {
  const at = failed.get(node)
  return at === undefined || (node.seen !== null && node.seen.sentAt > at)
}

async function lsnOf(node: Node, text: string): Promise<bigint | null> {
  try {
    const { rows } = (await (node.pool.query as unknown as Query)(text)) as { rows: { lsn: string | null }[] }
    return rows[0]?.lsn == null ? null : BigInt(rows[0].lsn)
  } catch {
    return null
  }
}
