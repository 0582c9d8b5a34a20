import type { Clock } from '@/server/clock'
import type { Log } from '@/server/log'
import { explainFailure } from '../failures'
import type { FullConfig } from '../pool/config'
import { type PoolDeps, PostgresPool } from '../pool/pool'
import type { Verdict } from './judge'
import { formatLsn } from './position'
import { Probe, type Seen } from './probe'
import type { NodeFigures } from './types'

export interface NodeDeps {
  log: Log
  clock: Clock
  /** Milliseconds from probe to probe. */
  period(): number
  changed(node: Node): void
  rescue?: PoolDeps['rescue']
}

/** One server: its pool, and what its last probe told. */
export class Node {
  readonly pool: PostgresPool
  readonly probe: Probe
  /** host:port */
  readonly name: string
  verdict: Verdict = { role: 'unknown', because: 'It has not answered yet.' }
  /** The last answer; null while it doesn't hold any more, or not yet. */
  seen: Seen | null = null
  /** It failed to answer, the last time it was asked. */
  down = false
  /** It has answered or failed at least once, and answered at least once. */
  asked = false
  answered = false
  /** Since when it has been seen as a primary without a gap, by performance.now(). */
  primarySince: number | null = null
  failure: unknown
  /** Statements and borrowed connections at this moment. */
  load = 0
  #startedAt: string | undefined
  #seenAt: number | null = null
  #roundTrip: number | null = null

  constructor(deps: NodeDeps, config: FullConfig) {
    this.name = `${config.host}:${config.port}`
    this.pool = new PostgresPool({ log: deps.log, ...(deps.rescue ? { rescue: deps.rescue } : {}) }, config)
    this.probe = new Probe({
      config,
      period: deps.period,
      answered: () => {
        const { reads, others } = this.pool.answered()
        return reads + others
      },
      seen: (seen) => {
        this.#note(seen)
        this.#seenAt = deps.clock.now()
        deps.changed(this)
      },
      broke: () => {
        this.doubt()
        deps.changed(this)
      },
      failed: (error) => {
        this.doubt()
        this.down = true
        this.asked = true
        this.failure = error
        deps.changed(this)
      },
    })
  }

  /** What was known of it does not hold until it answers again. */
  doubt(): void {
    this.seen = null
    this.primarySince = null
  }

  /** A later answer about its log, from somewhere else than the probe. */
  replayed(lsn: bigint): void {
    if (this.seen?.lsn != null && lsn > this.seen.lsn) this.seen.lsn = lsn
  }

  figures(takes: Pick<NodeFigures, 'takesReads' | 'takesWrites' | 'because' | 'lagBytes'>): NodeFigures {
    const { host, port } = this.pool.config
    const { metrics } = this.pool
    const { reads, others } = this.pool.answered()
    return {
      host,
      port,
      role: this.verdict.role,
      ...takes,
      timeline: this.seen?.timeline ?? null,
      lsn: this.seen?.lsn == null ? null : formatLsn(this.seen.lsn),
      roundTrip: this.#roundTrip,
      seenAt: this.#seenAt,
      error: this.down ? explainFailure(this.pool.config, this.failure).detail : null,
      pool: this.pool.figures(),
      queries: metrics.queries,
      reads,
      writes: others,
      errors: [...metrics.errors.values()].reduce((sum, count) => sum + count, 0),
    }
  }

  async close(graceMs?: number): Promise<void> {
    await Promise.all([this.probe.close(), this.pool.close(graceMs)])
  }

  #note(seen: Seen): void {
    // Another server answers at this address: connections to the one before must not be used.
    if (this.#startedAt !== undefined && this.#startedAt !== seen.startedAt) this.pool.rest()
    this.#startedAt = seen.startedAt
    this.#roundTrip = seen.roundTrip
    this.seen = seen
    this.down = false
    this.asked = true
    this.answered = true
    this.failure = undefined
    if (seen.recovering) this.primarySince = null
    else this.primarySince ??= seen.sentAt
  }
}
