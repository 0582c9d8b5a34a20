import type { Log } from '@/server/log'
import type { Fence, Known } from './fence'
import { judge } from './judge'
import { type Lsn, later } from './lsn'
import type { Node } from './node'
import type { Topology as Told, TopologyEvent } from './types'

export interface TopologyDeps {
  log: Log
  fence: Fence
  /** Bytes that a replica may be behind and still answer reads. */
  maxLag: number
  /** Told of every change of who is what. */
  event(event: TopologyEvent): void
  /** A node is not to be used as it was: its waiting callers and connections must go. */
  leave(node: Node): void
}

const EVENTS = 100

/** Who is primary, who is behind, and who may be asked what; judged anew with every probe. */
export class Topology {
  readonly nodes: Node[] = []
  readonly #deps: TopologyDeps
  readonly #events: TopologyEvent[] = []
  readonly #wakers = new Set<() => void>()
  #known: Known
  #primary = -1
  /** The last place of a primary's log that was seen. */
  #written: Lsn | undefined
  #since = Date.now()
  #lostAt = 0

  constructor(deps: TopologyDeps) {
    this.#deps = deps
    this.#known = deps.fence.read()
  }

  get primary(): Node | undefined {
    return this.nodes[this.#primary]
  }

  get timeline(): number {
    return this.#known.timeline
  }

  /** Every node answered or failed to, at least once. */
  get probed(): boolean {
    return this.nodes.every(({ probed }) => probed)
  }

  /** Judges anew, after a node's probe. */
  update(): void {
    const before = this.primary
    const roles = this.nodes.map(({ role }) => role)
    const judged = judge(
      this.nodes.map(({ seen }) => seen),
      this.#known,
      this.#primary,
    )
    const { system, timeline } = judged.known
    if (system !== null && (system !== this.#known.system || timeline > this.#known.timeline)) {
      // On the disk before the first write to it: a restart must not go back behind it.
      this.#deps.fence.write({ system, timeline })
    }
    this.#known = judged.known
    this.#primary = judged.primary
    this.nodes.forEach((node, at) => {
      node.role = judged.roles[at] ?? 'unknown'
    })
    const { primary } = this
    if (primary?.seen) {
      this.#written = later(this.#written, { timeline: this.timeline, byte: primary.seen.byte })
    }
    this.#tell(before, roles)
    for (const wake of [...this.#wakers]) wake()
  }

  /** Waits until `find` answers something, for at most `milliseconds`. Probes at once, so as to know sooner. */
  async until<T>(find: () => T | undefined, milliseconds: number): Promise<T | undefined> {
    const now = find()
    if (now !== undefined || milliseconds <= 0) return now
    for (const node of this.nodes) void node.probe()
    return new Promise((resolve) => {
      const done = (found: T | undefined) => {
        clearTimeout(timer)
        this.#wakers.delete(look)
        resolve(found)
      }
      const look = () => {
        const found = find()
        if (found !== undefined) done(found)
      }
      const timer = setTimeout(() => done(find()), milliseconds)
      this.#wakers.add(look)
    })
  }

  /** Bytes that a node is behind what was last seen of the primary's log; null where that is unknown. */
  lagOf(node: Node): number | null {
    if (!node.seen || !this.#written || node.role === 'foreign') return null
    return Math.max(0, Number(this.#written.byte - node.seen.byte))
  }

  /** Why a node gets no reads; null when it does. A replica that follows nobody of the highest timeline is behind. */
  refusesReads(node: Node): string | null {
    const { role, seen } = node
    if (role === 'primary') return null
    if (role !== 'replica' || !seen) return REASONS[role] ?? 'It was not asked yet.'
    if (seen.timeline !== null && seen.timeline < this.timeline) {
      return 'It still follows a primary that was replaced.'
    }
    const lag = this.lagOf(node)
    return lag !== null && lag > this.#deps.maxLag ? 'It is too far behind the primary.' : null
  }

  told(): Told {
    return {
      writable: this.#primary !== -1,
      since: this.#since,
      highestTimeline: this.timeline || null,
      systemIdentifier: this.#known.system,
      nodes: this.nodes.map((node) => {
        const because = this.refusesReads(node)
        return node.figures({
          takesReads: because === null,
          takesWrites: node === this.primary,
          because,
          lagBytes: this.lagOf(node),
        })
      }),
      events: [...this.#events],
    }
  }

  #tell(before: Node | undefined, roles: readonly string[]): void {
    const { primary } = this
    if (primary !== before) {
      this.#since = Date.now()
      if (before) this.#deps.leave(before)
      if (!primary) {
        this.#lostAt = performance.now()
        this.#note('primary-lost', before as Node, `${before?.name} is lost as primary: writes wait.`)
      } else if (before) {
        this.#note('primary-changed', primary, `${primary.name} is primary in place of ${before.name}.`)
      } else if (this.#lostAt > 0) {
        const away = Math.round(performance.now() - this.#lostAt)
        this.#note('primary-found', primary, `${primary.name} is primary, after ${away} ms without one.`)
      } else this.#note('primary-found', primary, `${primary.name} is primary.`)
    }
    this.nodes.forEach((node, at) => {
      const was = roles[at]
      if (node.role === was || node === primary || node === before) return
      if (node.role === 'stale') {
        this.#deps.leave(node)
        this.#note(
          'stale-primary',
          node,
          `${node.name} calls itself primary but was replaced: it gets nothing.`,
        )
      } else if (was === 'replica') {
        this.#deps.leave(node)
        this.#note('replica-lost', node, `${node.name} is lost as replica.`)
      } else if (node.role === 'replica') this.#note('replica-back', node, `${node.name} is replica.`)
    })
  }

  #note(kind: TopologyEvent['kind'], node: Node, message: string): void {
    const event = { at: Date.now(), kind, node: node.name, message }
    this.#events.unshift(event)
    this.#events.length = Math.min(this.#events.length, EVENTS)
    const level =
      kind === 'primary-lost' || kind === 'stale-primary' || kind === 'replica-lost' ? 'warn' : 'info'
    this.#deps.log[level]({ node: node.name, kind }, message)
    this.#deps.event(event)
  }
}

/** Roles that take no reads. */
const REASONS: Partial<Record<Node['role'], string>> = {
  down: 'It does not answer.',
  foreign: 'It belongs to another cluster.',
  stale: 'It calls itself primary, but another one took its place and it has missed what was written since.',
}
