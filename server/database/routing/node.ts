import type { Log } from '@/server/log'
import { explainFailure } from '../failures'
import type { FullConfig } from '../pool/config'
import { PostgresPool } from '../pool/pool'
import type { Seen } from './judge'
import { lsnText } from './lsn'
import { Probe } from './probe'
import type { NodeFigures, NodeRole } from './types'

export interface NodeDeps {
  log: Log
  /** Milliseconds from probe to probe. */
  period: number
  changed(node: Node): void
  functions(names: string[]): void
}

/** One server: its pool, and what its last probe told. */
export class Node {
  readonly pool: PostgresPool
  readonly name: string
  role: NodeRole = 'unknown'
  /** The last answer; null while it is silent. */
  seen: Seen | null = null
  /** Probed at least once, whatever came of it. */
  probed = false
  error: string | null = null
  reads = 0
  writes = 0
  /** Statements and borrowed connections at this moment. */
  load = 0
  #roundTrip: number | null = null
  #seenAt: number | null = null
  readonly #probe: Probe

  constructor(deps: NodeDeps, config: FullConfig) {
    this.name = `${config.host}:${config.port}`
    this.pool = new PostgresPool({ log: deps.log }, config)
    this.#probe = new Probe({
      config,
      period: deps.period,
      functions: deps.functions,
      answered: (seen, roundTrip) => {
        this.seen = seen
        this.error = null
        this.#roundTrip = roundTrip
        this.#seenAt = Date.now()
        this.probed = true
        deps.changed(this)
      },
      silent: (error) => {
        this.seen = null
        this.error = explainFailure(config, error).detail
        this.probed = true
        deps.changed(this)
      },
    })
  }

  probe(): Promise<void> {
    return this.#probe.now()
  }

  async close(graceMs?: number): Promise<void> {
    await Promise.all([this.#probe.end(), this.pool.close(graceMs)])
  }

  figures(judged: Pick<NodeFigures, 'takesReads' | 'takesWrites' | 'because' | 'lagBytes'>): NodeFigures {
    const { host, port } = this.pool.config
    const { queries, errors } = this.pool.metrics
    return {
      host,
      port,
      role: this.role,
      ...judged,
      timeline: this.seen?.timeline ?? null,
      lsn: this.seen ? lsnText(this.seen.byte) : null,
      roundTrip: this.#roundTrip,
      seenAt: this.#seenAt,
      error: this.error,
      pool: this.pool.figures(),
      queries,
      reads: this.reads,
      writes: this.writes,
      errors: [...errors.values()].reduce((sum, count) => sum + count, 0),
    }
  }
}
