import type { PgConnection, PgHandle } from '@/db/open'
import type { Traced } from '@/db/traced'
import { type Clock, systemClock } from '@/server/clock'
import type { Log } from '@/server/log'
import { wasLost, wasNotSent } from '../failures'
import { type DatabaseCounts, sumOf } from '../metrics'
import { DEFAULTS, type FullConfig } from '../pool/config'
import { type Asked, isSubmittable, textOf } from '../pool/lend'
import type { Statement } from '../pool/pipeline-statement'
import type {
  DirectConnection,
  Leak,
  PoolConfig,
  PoolFigures,
  PoolMode,
  PostgresConfig,
  PostgresPool,
} from '../pool/pool'
import { Fence } from './fence'
import { follow, plain, type Query } from './follow'
import { Node } from './node'
import { Patience } from './patience'
import { currentPosition } from './position'
import { type Preference, Reader } from './reader'
import { ReadBook, VOLATILE_FUNCTIONS } from './statement'
import { Topology } from './topology'
import { isRefusedWrite, isReplicasOwn, outcomeUnknown } from './trouble'
import type { Topology as Told, TopologyEvent } from './types'
import { WrittenPlaces } from './written'

export interface RoutingConfig {
  /** Further servers of the same cluster: replicas, one of which may become the primary. */
  replicas?: readonly { host: string; port: number }[]
  /** Milliseconds that writes wait for a primary. */
  failoverWait?: number
  /** Bytes of WAL that a replica may be behind and still answer reads. */
  maxLag?: number
  /** Where the highest timeline is kept; without, a restart forgets it. */
  fenceFile?: string
}

export interface RoutingDeps {
  log: Log
  clock?: Clock
  /** Told of every change of who is primary, and of replicas that come and go. */
  topologyChanged?: ((event: TopologyEvent) => void) | undefined
  /** Gives every statement of the store a span. */
  traced?: Traced | undefined
}

const FAILOVER_WAIT = 10_000
const MAX_LAG = 16 * 2 ** 20
/** Milliseconds from probe to probe: of a cluster, of one that looks for its primary, of one server alone. */
const PERIOD = 250
const SEARCHING = 100
const LONE_PERIOD = 1_000
/** Connections that break under one read: then it may be the reason itself. */
const MOST_LOSSES = 3
/** Milliseconds after which functions that somebody added are known. */
const FUNCTIONS_MS = 300_000
const FUNCTIONS_AGAIN_MS = 1_000

/** A statement that is routed already: its failure comes back here. */
const ROUTED = Symbol('routed')

/**
 * One PostgreSQL cluster: a pool for each of its servers, and the choice among them. Writes go to the primary,
 * whoever that is; reads to a replica that has replayed what their session wrote. One server alone is asked
 * straight away while it is well.
 */
export class PostgresCluster implements PgHandle {
  readonly #book = new ReadBook()
  readonly #topology: Topology
  readonly #reader: Reader
  readonly #places: WrittenPlaces
  readonly #patience: Patience
  readonly #config: FullConfig
  readonly #failoverWait: number
  readonly #alone: boolean
  /** The pool of one server alone, while it takes everything. */
  #straight: PostgresPool | undefined
  #functionsAt = Number.NEGATIVE_INFINITY
  #closed = false

  constructor(deps: RoutingDeps, config: PostgresConfig & PoolConfig & RoutingConfig) {
    const { log, clock = systemClock, topologyChanged = () => {} } = deps
    const { replicas = [], failoverWait = FAILOVER_WAIT, maxLag = MAX_LAG, fenceFile, ...given } = config
    this.#config = { ...DEFAULTS, ...given }
    this.#failoverWait = failoverWait
    const { direct, ...shared } = this.#config
    const places = distinct([this.#config, ...replicas])
    this.#alone = places.length === 1
    this.#topology = new Topology({
      ...{ log, clock, maxLag },
      fence: new Fence(fenceFile ?? null, places.map(nameOf)),
      told: topologyChanged,
      changed: () => this.#changed(),
    })
    this.#reader = new Reader(this.#topology)
    this.#places = new WrittenPlaces(this.#topology, this.#reader)
    const { acquireTimeout, maxWaiting } = this.#config
    this.#patience = new Patience(this.#topology, this.#reader, { failoverWait, acquireTimeout, maxWaiting })
    const nodeDeps = {
      ...{ log, clock },
      period: () => this.#period(),
      changed: () => this.#topology.update(),
      ...(this.#alone
        ? {
            rescue: (error: unknown, asked: string | Asked, values: unknown[] | undefined) =>
              this.#rescue(error, asked, values),
          }
        : {}),
    }
    const nodes = places.map(
      ({ host, port }, at) => new Node(nodeDeps, at === 0 ? this.#config : { ...shared, host, port }),
    )
    this.#topology.start(nodes)
  }

  /** Runs one statement: a read on the primary while there is one, a write on nothing else. */
  readonly query: PgHandle['query'] = ((asked: string | Asked, values?: unknown[]) =>
    this.#straight
      ? this.#straight.query(asked as string, values)
      : this.#routed(asked, values, 'primary')) as unknown as PgHandle['query']

  /** The same for statements that a replica may answer; those that write go to the primary all the same. */
  readonly reads: Pick<PgHandle, 'query'> = {
    query: ((asked: string | Asked, values?: unknown[]) =>
      this.#straight
        ? this.#straight.query(asked as string, values)
        : this.#routed(asked, values, 'replica')) as unknown as PgHandle['query'],
  }

  /**
   * Lends a connection to the primary, for a transaction. Throws DATABASE_READ_ONLY when there is none within
   * DB_FAILOVER_WAIT.
   */
  async connect(): Promise<PgConnection> {
    const until = performance.now() + this.#failoverWait
    for (;;) {
      const node = this.#topology.writable ?? (await this.#patience.writable(until))
      try {
        const connection = await node.pool.connect()
        return this.#alone ? plain(connection) : this.#followed(node, connection)
      } catch (error) {
        if (!wasNotSent(error)) throw error
      }
    }
  }

  /**
   * Opens a connection outside the pools: to the primary, or to whoever answers where there is none. It has no
   * deadline. Release ends it.
   */
  async direct(): Promise<DirectConnection> {
    const { nodes } = this.#topology
    await this.#topology.until(() => this.#topology.settled || undefined, this.#config.connectTimeout)
    const answering = nodes.find(({ seen, verdict }) => seen && verdict.role !== 'foreign')
    return (this.#topology.primary ?? answering ?? this.#first).pool.direct()
  }

  /** Resolves when it is known who is who, as far as that can be found out at once. */
  async ready(): Promise<{ writable: boolean }> {
    const topology = this.#topology
    await topology.until(
      () => (topology.settled && (topology.writable || topology.nodes.every(answeredOrDown))) || undefined,
      this.#config.connectTimeout,
    )
    return { writable: topology.writable !== undefined }
  }

  topology(): Told {
    return this.#topology.told()
  }

  /** How the primary is reached and its pool behaves; before one is known, the first server's. */
  get config(): Readonly<FullConfig> {
    return (this.#topology.primary ?? this.#first).pool.config
  }

  counts(): DatabaseCounts {
    return sumOf(this.#pools.map(({ metrics }) => metrics.counts()))
  }

  /** Of all pools together. */
  figures(): PoolFigures {
    const all = this.#pools.map((pool) => pool.figures())
    const sum = (of: keyof PoolFigures) => all.reduce((total, figures) => total + figures[of], 0)
    const [inUse, idle, waiting] = [sum('inUse'), sum('idle'), sum('waiting')]
    return { min: sum('min'), max: sum('max'), inUse, idle, waiting: waiting + this.#topology.waiting }
  }

  mode(): PoolMode {
    return (this.#topology.primary ?? this.#first).pool.mode()
  }

  leaks(): Leak[] {
    return this.#pools.flatMap((pool) => pool.leaks())
  }

  /** Process ids of our connections at the primary. */
  processes(): number[] {
    return (this.#topology.primary ?? this.#first).pool.processes()
  }

  /** What was asked since the start, by text and server. */
  statements(): Readonly<Statement>[] {
    return this.#pools.flatMap((pool) => pool.statements())
  }

  async close(graceMs?: number): Promise<void> {
    this.#closed = true
    await Promise.all(this.#topology.nodes.map((node) => node.close(graceMs)))
  }

  get #first(): Node {
    return this.#topology.nodes[0] as Node
  }

  get #pools(): PostgresPool[] {
    return this.#topology.nodes.map(({ pool }) => pool)
  }

  #period(): number {
    if (!this.#topology.writable) return SEARCHING
    return this.#alone ? LONE_PERIOD : PERIOD
  }

  #changed(): void {
    const { primary, writable } = this.#topology
    this.#straight = this.#alone && !this.#closed ? writable?.pool : undefined
    if (this.#alone) return
    this.#places.probed()
    const answering = primary ?? this.#topology.nodes.find(({ verdict }) => verdict.role === 'replica')
    if (answering && performance.now() - this.#functionsAt > FUNCTIONS_MS) void this.#learn(answering)
  }

  /** Reads the names of functions that may write. */
  async #learn(node: Node): Promise<void> {
    this.#functionsAt = performance.now()
    try {
      const { rows } = (await ask(node)(VOLATILE_FUNCTIONS)) as { rows: { name: string }[] }
      this.#book.learnFunctions(rows.map(({ name }) => name))
      this.#topology.update()
    } catch {
      this.#functionsAt += FUNCTIONS_AGAIN_MS - FUNCTIONS_MS
    }
  }

  async #routed(asked: string | Asked, values: unknown[] | undefined, prefer: Preference): Promise<unknown> {
    if (isSubmittable(asked)) throw new TypeError('COPY and cursors need a connection: connect().')
    const text = textOf(asked)
    return this.#book.reads(text)
      ? this.#read(text, asked, values, this.#book.complete ? prefer : 'primary')
      : this.#write(asked, values)
  }

  async #write(asked: string | Asked, values: unknown[] | undefined): Promise<unknown> {
    const until = performance.now() + this.#failoverWait
    for (;;) {
      const node = this.#topology.writable ?? (await this.#patience.writable(until))
      node.load++
      try {
        const result = await this.#send(node, asked, values)
        if (!this.#alone) this.#places.wrote(node)
        return result
      } catch (error) {
        // Both say that nothing was written.
        if (isRefusedWrite(error)) this.#topology.doubt(node)
        else if (wasLost(error)) {
          this.#topology.doubt(node)
          throw outcomeUnknown(error)
        } else if (!wasNotSent(error)) throw error
        if (performance.now() >= until) throw this.#patience.nobodyWrites()
      } finally {
        node.load--
      }
    }
  }

  /**
   * A read changes nothing. When its server is lost, or found to be of no use, it is sent again: to another one, or
   * to the same when that answers again.
   */
  async #read(
    text: string,
    asked: string | Asked,
    values: unknown[] | undefined,
    prefer: Preference,
    failed = new Map<Node, number>(),
  ): Promise<unknown> {
    const until = performance.now() + this.#config.acquireTimeout
    let preference = prefer
    for (let losses = failed.size; ; ) {
      const session = currentPosition()
      const find = { prefer: preference, session, floor: this.#places.floor, failed }
      const node = this.#reader.quick(find) ?? (await this.#patience.readable(find, until))
      node.load++
      try {
        return await this.#send(node, asked, values)
      } catch (error) {
        const lost = wasLost(error)
        if (lost || wasNotSent(error)) {
          if ((lost && ++losses > MOST_LOSSES) || performance.now() >= until) throw error
          failed.set(node, performance.now())
          if (lost) this.#topology.doubt(node)
        } else if (node !== this.#topology.primary && isReplicasOwn(error) && preference === 'replica') {
          preference = 'primary'
          if (!isRefusedWrite(error)) continue
          // Something that it calls writes: the list of functions is out of date, or a view hides it.
          this.#book.learnWrite(text)
          this.#functionsAt = Number.NEGATIVE_INFINITY
          return await this.#write(asked, values)
        } else throw error
      } finally {
        node.load--
      }
    }
  }

  /** What the pool of one server alone could not answer. */
  #rescue(error: unknown, asked: string | Asked, values: unknown[] | undefined): unknown {
    const routed = typeof asked === 'object' && ROUTED in asked
    const lost = wasLost(error)
    if (routed || this.#closed || !(lost || wasNotSent(error) || isRefusedWrite(error))) throw error
    if (lost || isRefusedWrite(error)) this.#topology.doubt(this.#first)
    const text = textOf(asked)
    if (this.#book.reads(text))
      return this.#read(text, asked, values, 'primary', new Map([[this.#first, performance.now()]]))
    if (lost) throw outcomeUnknown(error)
    return this.#write(asked, values)
  }

  #send(node: Node, asked: string | Asked, values: unknown[] | undefined): Promise<unknown> {
    if (!this.#alone) return ask(node)(asked, values)
    const marked = typeof asked === 'string' ? { text: asked } : asked
    return ask(node)({ ...marked, [ROUTED]: true } as Asked, values)
  }

  #followed(node: Node, connection: PgConnection): PgConnection {
    node.load++
    return follow(connection, {
      committed: (lsn) => this.#places.committed(node, lsn),
      refused: () => this.#topology.doubt(node),
      released: () => {
        node.load--
      },
    })
  }
}

function answeredOrDown({ seen, down }: Node): boolean {
  return seen !== null || down
}

function ask(node: Node): Query {
  return node.pool.query as unknown as Query
}

function nameOf({ host, port }: { host: string; port: number }): string {
  return `${host}:${port}`
}

function distinct<T extends { host: string; port: number }>(places: readonly T[]): T[] {
  return places.filter((place, at) => places.findIndex((other) => nameOf(other) === nameOf(place)) === at)
}
