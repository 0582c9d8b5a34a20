import type { Clock } from '@/server/clock'
import type { Log } from '@/server/log'
import { endsWithin } from '@/server/patience'
import { Events } from './events'
import type { Fence, Known } from './fence'
import { judge } from './judge'
import type { Node } from './node'
import { type LogPlace, later } from './position'
import type { Topology as Told, TopologyEvent } from './types'

export interface TopologyDeps {
  log: Log
  clock: Clock
  fence: Fence
  /** Bytes that a replica may be behind and still answer reads. */
  maxLag: number
  told(event: TopologyEvent): void
  /** Called when anything may have changed. */
  changed(): void
}

/** Milliseconds that a server which has said nothing yet is waited for at the start. */
const FIRST_ANSWER = 1_000

/** Who is primary, who is behind, and who may be asked what; judged anew with every probe. */
export class Topology {
  /** The primary, for reads; undefined while none is sure. */
  primary: Node | undefined
  /** The same while it takes writes. */
  writable: Node | undefined
  readonly nodes: Node[] = []
  readonly #deps: TopologyDeps
  readonly #events: Events
  readonly #wakers = new Set<() => void>()
  readonly #openedAt = performance.now()
  #known: Known
  /** What is on the disk, as one text. */
  #kept: string
  #unkept: string | null = null
  /** How far a primary's log went when it was last seen. */
  #written: LogPlace | null = null
  #since: number

  constructor(deps: TopologyDeps) {
    this.#deps = deps
    this.#events = new Events(deps)
    this.#known = deps.fence.read()
    this.#kept = textOf(this.#known)
    this.#since = deps.clock.now()
  }

  /** Adds the servers and begins to ask them. */
  start(nodes: readonly Node[]): void {
    this.nodes.push(...nodes)
    for (const { probe } of nodes) probe.start()
    // One that neither answers nor refuses is not waited for any longer.
    setTimeout(() => this.update(), FIRST_ANSWER).unref()
  }

  /** The highest timeline seen; null before the first. */
  get timeline(): number | null {
    return this.#known.timeline
  }

  /** Everybody has answered or failed to, or had the time. */
  get settled(): boolean {
    return this.nodes.every(({ asked }) => asked) || performance.now() - this.#openedAt >= FIRST_ANSWER
  }

  /** Judges anew, after a probe. */
  update(): void {
    const { fence, changed } = this.#deps
    const { settled } = this
    // Which cluster it is must not depend on who answers first.
    if (settled || this.#known.systemIdentifier !== null) this.#judge(fence, settled)
    changed()
    for (const wake of [...this.#wakers]) wake()
  }

  /** What a node said does not hold: it is asked at once, and gets nothing before it has answered. */
  doubt(node: Node): void {
    node.doubt()
    void node.probe.now()
    this.update()
  }

  /** Waits until `find` answers something, for at most `milliseconds`. */
  until<T>(find: () => T | undefined, milliseconds: number): Promise<T | undefined> {
    const now = find()
    if (now !== undefined || milliseconds <= 0) return Promise.resolve(now)
    for (const { probe } of this.nodes) void probe.now()
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

  /** How many wait. */
  get waiting(): number {
    return this.#wakers.size
  }

  /** Asks every server once more; who takes long is not waited for. */
  async round(): Promise<void> {
    await endsWithin(FIRST_ANSWER, Promise.all(this.nodes.map(({ probe }) => probe.now())))
  }

  /** Bytes that a node is behind what was last seen of the primary's log; null where that is unknown. */
  lagOf(node: Node): number | null {
    if (node.seen?.lsn == null || !this.#written || node.verdict.role === 'foreign') return null
    return Math.max(0, Number(this.#written.lsn - node.seen.lsn))
  }

  /** Why a node gets no reads; null when it does. */
  refusesReads(node: Node): string | null {
    const { role, because } = node.verdict
    if (because !== null) return because
    if (role !== 'replica') return null
    const lag = this.lagOf(node)
    if (lag === null || lag <= this.#deps.maxLag) return null
    return `It is ${lag} bytes behind the primary; DB_MAX_LAG is ${this.#deps.maxLag}.`
  }

  refusesWrites(node: Node): string | null {
    if (node === this.writable) return null
    if (node.verdict.role !== 'primary' || node.verdict.because) return node.verdict.because
    if (node.seen?.readOnly) return 'default_transaction_read_only is on.'
    return this.#unkept ?? 'It is being compared with the others.'
  }

  told(): Told {
    return {
      writable: this.writable !== undefined,
      since: this.#since,
      highestTimeline: this.#known.timeline,
      systemIdentifier: this.#known.systemIdentifier,
      nodes: this.nodes.map((node) => {
        const { role } = node.verdict
        const reads = this.refusesReads(node)
        return node.figures({
          takesReads: reads === null && (role === 'replica' || node === this.primary),
          takesWrites: node === this.writable,
          because: reads ?? (role === 'primary' ? this.refusesWrites(node) : null),
          lagBytes: this.lagOf(node),
        })
      }),
      events: [...this.#events.list],
    }
  }

  /** One line for an error: who is what, and why. */
  summary(): string {
    return this.nodes
      .map((node) => {
        const why = this.refusesWrites(node) ?? (node.verdict.role === 'replica' ? 'It is a replica.' : '')
        return `${node.name}: ${why}`
      })
      .join(' ')
  }

  #judge(fence: Fence, settled: boolean): void {
    const { verdicts, primary, known } = judge(
      this.nodes.map(({ name, seen, down }) => ({ name, seen, down })),
      this.#known,
      (system) => fence.timelineOf(system),
    )
    this.#known = known
    this.nodes.forEach((node, at) => {
      node.verdict = verdicts[at] as Node['verdict']
    })
    const candidate = this.nodes[primary]
    const sure = candidate && this.#isSure(candidate, settled) ? candidate : undefined
    if (sure && !this.#keep(fence, sure)) {
      if (this.#unkept === null) {
        this.#judge(fence, settled)
        return
      }
    }
    this.primary = sure
    const writable = sure && !sure.seen?.readOnly && this.#unkept === null ? sure : undefined
    if ((writable === undefined) !== (this.writable === undefined)) this.#since = this.#deps.clock.now()
    this.writable = writable
    if (sure?.seen?.lsn != null && known.timeline !== null) {
      this.#written = later(this.#written, { timeline: known.timeline, lsn: sure.seen.lsn })
    }
    this.#usePools()
    this.#events.compare(this.nodes, writable)
  }

  /**
   * Somebody else may have been promoted since this one was last seen: it is primary when all who answer have been
   * asked after it was found to be one.
   */
  #isSure(candidate: Node, settled: boolean): boolean {
    const since = candidate.primarySince ?? Number.POSITIVE_INFINITY
    const open = this.nodes.filter((node) => {
      if (node === candidate || node.down) return false
      return node.seen ? node.seen.sentAt < since : node.answered || !settled
    })
    for (const { probe } of open) void probe.now()
    return open.length === 0
  }

  /** Brings to the disk who is about to be written to. False when that failed, or another process knows better. */
  #keep(fence: Fence, primary: Node): boolean {
    const { systemIdentifier, timeline } = this.#known
    const next = { systemIdentifier, timeline, primary: primary.name }
    if (textOf(next) === this.#kept || systemIdentifier === null || timeline === null) {
      this.#known = next
      return true
    }
    try {
      const highest = fence.keep(systemIdentifier, timeline, primary.name)
      this.#unkept = null
      if (highest > timeline) {
        this.#known = { ...this.#known, timeline: highest }
        return false
      }
      this.#kept = textOf(next)
      this.#known = next
      return true
    } catch (error) {
      if (this.#unkept === null) this.#deps.log.error({ error }, 'the timeline could not be kept')
      this.#unkept = `The file ${fence.file}, which must hold its timeline, cannot be written.`
      return false
    }
  }

  /**
   * Where nobody else answers, the data of a replaced primary is better than none, for who has seen nothing newer. It
   * gets reads alone.
   */
  get lastResort(): Node | undefined {
    const alone = this.nodes.filter(({ verdict }) => verdict.role !== 'down' && verdict.role !== 'foreign')
    return alone.every(({ verdict }) => verdict.role === 'stale') ? alone[0] : undefined
  }

  /** Who is away or must not be used loses its connections; who is back opens them again. */
  #usePools(): void {
    const { lastResort } = this
    for (const node of this.nodes) {
      const { pool, verdict } = node
      if (verdict.role === 'primary' || verdict.role === 'replica' || node === lastResort) pool.wake()
      else if (verdict.role !== 'unknown' && !pool.resting) pool.rest()
    }
  }
}

function textOf({ systemIdentifier, timeline, primary }: Known): string {
  return `${systemIdentifier} ${timeline} ${primary}`
}
