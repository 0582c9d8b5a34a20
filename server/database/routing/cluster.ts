import type { PgConnection, PgHandle } from '@/db/open'
import type { Log } from '@/server/log'
import { type DatabaseCounts, sumOf } from '../metrics'
import { DEFAULTS, type FullConfig } from '../pool/config'
import { type Asked, textOf } from '../pool/lend'
import type { Statement } from '../pool/pipeline-statement'
import type { DirectConnection, Leak, PoolConfig, PoolFigures, PoolMode, PostgresConfig } from '../pool/pool'
import { type Fence, fenceInMemory } from './fence'
import { byteOf, type Lsn, later } from './lsn'
import { Node } from './node'
import { currentPosition } from './position'
import { ReadBook } from './statement'
import { Topology } from './topology'
import { isLostOnTheWay, isMoved, isRefusedWrite, moved, readOnly, unreadable } from './trouble'
import type { Topology as ToldTopology, TopologyEvent } from './types'

export interface RoutingConfig {
  /** Further servers of the same cluster: replicas, one of which may become the primary. */
  replicas?: readonly { host: string; port: number }[]
  /** Milliseconds that writes wait for a primary. */
  failoverWait?: number
  /** Bytes of the log that a replica may be behind and still answer reads. */
  maxLag?: number
}

export interface RoutingDeps {
  log: Log
  /** Where the highest timeline is kept; in memory without. */
  fence?: Fence | undefined
  event?: ((event: TopologyEvent) => void) | undefined
}

const FAILOVER_WAIT = 10_000
const MAX_LAG = 16 * 2 ** 20
const PERIOD = 250
/** One server alone has nobody to change places with: it is looked at now and then. */
const LONE_PERIOD = 2_000
/** Times that a read is sent again; each waits for a server that answers. */
const READ_TRIES = 5

type Query = (asked: string | Asked, values?: unknown[]) => Promise<unknown>

/**
 * One PostgreSQL cluster: a pool for each of its servers, and the choice among them. Writes go to the primary,
 * whoever that is; reads marked as such to a replica that has seen what their session wrote.
 */
export class PostgresCluster implements PgHandle {
  readonly config: Readonly<FullConfig>
  readonly #book = new ReadBook()
  readonly #topology: Topology
  readonly #failoverWait: number
  /** One server: its pool does by itself whatever it can do. */
  readonly #alone: boolean
  /** How far the log went with this process's last write. */
  #floor: Lsn | undefined

  constructor(
    { log, fence = fenceInMemory(), event = () => {} }: RoutingDeps,
    {
      replicas = [],
      failoverWait = FAILOVER_WAIT,
      maxLag = MAX_LAG,
      ...given
    }: PostgresConfig & PoolConfig & RoutingConfig,
  ) {
    this.config = { ...DEFAULTS, ...given }
    this.#failoverWait = failoverWait
    this.#alone = replicas.length === 0
    this.#topology = new Topology({
      ...{ log, fence, maxLag, event },
      leave: (node) => {
        if (!this.#alone) node.pool.leave(moved())
      },
    })
    const deps = {
      log,
      period: this.#alone ? LONE_PERIOD : PERIOD,
      changed: () => this.#topology.update(),
      functions: (names: string[]) => this.#book.learnFunctions(names),
    }
    const { direct, ...shared } = this.config
    this.#topology.nodes.push(
      new Node(deps, this.config),
      ...replicas.map((place) => new Node(deps, { ...shared, ...place })),
    )
  }

  /** Runs one statement: a read on the primary while there is one, a write on nothing else. */
  readonly query: PgHandle['query'] = ((asked: string | Asked, values?: unknown[]) =>
    this.#query(asked, values, 'primary')) as unknown as PgHandle['query']

  /** The same handle for statements that a replica may answer; those that write go to the primary all the same. */
  readonly reads: Pick<PgHandle, 'query'> = {
    query: ((asked: string | Asked, values?: unknown[]) =>
      this.#query(asked, values, 'replica')) as unknown as PgHandle['query'],
  }

  /** Lends a connection to the primary. Throws DATABASE_READ_ONLY when there is none within the bound. */
  async connect(): Promise<PgConnection> {
    for (;;) {
      const node = await this.#writable()
      try {
        const connection = await node.pool.connect()
        node.writes++
        return this.#alone ? connection : this.#followed(node, connection)
      } catch (error) {
        if (!isMoved(error)) throw error
      }
    }
  }

  /** Opens a connection outside the pools, to the primary, or to whoever answers where there is none. */
  direct(): Promise<DirectConnection> {
    const { primary, nodes } = this.#topology
    const node = primary ?? nodes.find(({ seen }) => seen !== null) ?? this.#first
    return node.pool.direct()
  }

  /** Resolves when every server was asked once what it is. */
  async ready(): Promise<{ writable: boolean }> {
    await this.#topology.until(() => this.#topology.probed || undefined, this.config.connectTimeout)
    return { writable: this.#topology.primary !== undefined }
  }

  topology(): ToldTopology {
    return this.#topology.told()
  }

  counts(): DatabaseCounts {
    return sumOf(this.#pools.map(({ metrics }) => metrics.counts()))
  }

  /** Of all pools together. */
  figures(): PoolFigures {
    const all = this.#pools.map((pool) => pool.figures())
    const sum = (of: keyof PoolFigures) => all.reduce((total, figures) => total + figures[of], 0)
    return {
      min: sum('min'),
      max: sum('max'),
      inUse: sum('inUse'),
      idle: sum('idle'),
      waiting: sum('waiting'),
    }
  }

  mode(): PoolMode {
    return (this.#topology.primary ?? this.#first).pool.mode()
  }

  leaks(): Leak[] {
    return this.#pools.flatMap((pool) => pool.leaks())
  }

  processes(): number[] {
    return (this.#topology.primary ?? this.#first).pool.processes()
  }

  statements(): Readonly<Statement>[] {
    return this.#pools.flatMap((pool) => pool.statements())
  }

  async close(graceMs?: number): Promise<void> {
    await Promise.all(this.#topology.nodes.map((node) => node.close(graceMs)))
  }

  get #first(): Node {
    return this.#topology.nodes[0] as Node
  }

  get #pools() {
    return this.#topology.nodes.map(({ pool }) => pool)
  }

  #query(
    asked: string | Asked,
    values: unknown[] | undefined,
    prefer: 'primary' | 'replica',
  ): Promise<unknown> {
    const text = textOf(asked)
    return this.#book.reads(text) ? this.#read(text, asked, values, prefer) : this.#write(asked, values)
  }

  async #write(asked: string | Asked, values: unknown[] | undefined): Promise<unknown> {
    const until = performance.now() + this.#failoverWait
    for (;;) {
      const node = await this.#writable(until)
      try {
        node.writes++
        const result = await (node.pool.query as unknown as Query)(asked, values)
        if (!this.#alone) await this.#advance(node.pool.query as unknown as Query)
        return result
      } catch (error) {
        // Both say that nothing was written.
        if (isRefusedWrite(error)) void node.probe()
        else if (!isMoved(error)) throw error
        if (this.#alone || performance.now() >= until) throw error
        await this.#topology.until(
          () => (this.#topology.primary !== node ? true : undefined),
          until - performance.now(),
        )
      }
    }
  }

  /** A read changes nothing: it is sent again when its server is lost, to another one or when it is back. */
  async #read(
    text: string,
    asked: string | Asked,
    values: unknown[] | undefined,
    prefer: 'primary' | 'replica',
  ): Promise<unknown> {
    let begun: number | undefined
    for (let tries = 1; ; tries++) {
      const node = this.#choose(prefer) ?? (await this.#reader(prefer))
      node.reads++
      node.load++
      try {
        return await (node.pool.query as unknown as Query)(asked, values)
      } catch (error) {
        begun ??= performance.now()
        if (isRefusedWrite(error) && node !== this.#topology.primary) {
          this.#book.learnWrite(text)
          return await this.#write(asked, values)
        }
        const again = isMoved(error) || isLostOnTheWay(error)
        if (!again || tries > READ_TRIES || performance.now() - begun > this.config.acquireTimeout)
          throw error
        void node.probe()
      } finally {
        node.load--
      }
    }
  }

  /** The server for a read at this moment; undefined when none will do. */
  #choose(prefer: 'primary' | 'replica'): Node | undefined {
    if (this.#alone) return this.#first
    const { primary, nodes } = this.#topology
    if (primary && prefer === 'primary') return primary
    const position = currentPosition()
    const needed = position ? position.lsn : prefer === 'replica' ? this.#floor : undefined
    let best: Node | undefined
    for (const node of nodes) {
      if (node === primary || this.#topology.refusesReads(node) !== null) continue
      if (needed && (node.seen?.byte ?? -1n) < needed.byte) continue
      if (!best || node.load < best.load) best = node
    }
    if (best ?? primary) return best ?? primary
    return this.#stale(needed)
  }

  /** Where nobody else answers, a replaced primary is better than nothing, for who has seen nothing newer. */
  #stale(needed: Lsn | undefined): Node | undefined {
    const { nodes, probed } = this.#topology
    if (!probed || nodes.some(({ role }) => role === 'replica' || role === 'primary')) return undefined
    return nodes.find(
      ({ role, seen }) => role === 'stale' && (needed?.timeline ?? 0) <= (seen?.timeline ?? 0),
    )
  }

  async #reader(prefer: 'primary' | 'replica'): Promise<Node> {
    const wait = this.config.acquireTimeout
    const node = await this.#topology.until(() => this.#choose(prefer), wait)
    if (!node) throw unreadable(wait)
    return node
  }

  /** The primary. One server alone that is silent is left to its pool, which knows how to wait for it. */
  async #writable(until = performance.now() + this.#failoverWait): Promise<Node> {
    const find = (): Node | undefined => {
      const { primary, probed } = this.#topology
      if (!probed) return undefined
      return primary ?? (this.#alone && this.#first.role === 'down' ? this.#first : undefined)
    }
    const node = find() ?? (await this.#topology.until(find, until - performance.now()))
    if (node) return node
    const why = this.#topology.nodes.map(({ name, role }) => `${name} is ${SAID[role]}`).join(', ')
    throw readOnly(this.#failoverWait, `${why}.`)
  }

  /** The connection with an eye on its commits: each tells how far the log went. */
  #followed(node: Node, connection: PgConnection): PgConnection {
    node.load++
    const send = connection.query as unknown as Query
    let wrote = false
    const query: Query = async (asked, values) => {
      const text = typeof asked === 'string' ? asked : asked?.text
      try {
        const result = await send.call(connection, asked, values)
        if (COMMIT.test(text)) {
          if (wrote) await this.#advance((asked) => send.call(connection, asked))
          wrote = false
        } else if (!wrote && !BEGIN.test(text)) wrote = !this.#book.reads(text)
        return result
      } catch (error) {
        if (isRefusedWrite(error)) void node.probe()
        throw error
      }
    }
    return {
      query: ((asked: string | Asked | { submit(): void }, values?: unknown[]) => {
        if (typeof (asked as { submit?: unknown }).submit !== 'function') return query(asked as Asked, values)
        wrote = true
        return (send as (asked: unknown) => unknown).call(connection, asked)
      }) as unknown as PgHandle['query'],
      release: (destroy) => {
        node.load--
        connection.release(destroy)
      },
    }
  }

  /** Notes how far the log goes after a write; where that can't be known, further than anything replayed so far. */
  async #advance(query: Query): Promise<void> {
    const { timeline } = this.#topology
    const byte = await query('SELECT pg_current_wal_insert_lsn()::text AS lsn').then(
      (result) => byteOf(String((result as { rows: { lsn: string }[] }).rows[0]?.lsn)),
      () => undefined,
    )
    const lsn = { timeline, byte: byte ?? UNKNOWN }
    this.#floor = later(this.#floor, lsn)
    currentPosition()?.advance(lsn)
  }
}

const COMMIT = /^\s*(?:commit|end)\b/i
const BEGIN = /^\s*(?:begin|start|rollback|savepoint|release)\b/i
/** Beyond every log: only a primary will do, until the timeline changes. */
const UNKNOWN = 0xffff_ffff_ffff_ffffn

const SAID: Record<Node['role'], string> = {
  primary: 'primary',
  replica: 'a replica',
  stale: 'a primary that was replaced',
  down: 'not answering',
  foreign: 'of another cluster',
  unknown: 'not known yet',
}
