import type { Client } from 'pg'
import type { PgConnection, PgHandle } from '@/db/open'
import type { Log } from '@/server/log'
import { cannotConnect, cutOff, isLasting, poolClosed } from '../failures'
import { DatabaseMetrics } from '../metrics'
import {
  DEFAULTS,
  type FullConfig,
  type PoolConfig,
  type PoolFigures,
  type PoolMode,
  type PostgresConfig,
} from './config'
import { Connection } from './connection'
import type { ConnectionEvents } from './connection-events'
import { boundSilence, openClient, readSurroundings } from './connection-open'
import { type DirectConnection, openDirect } from './direct'
import { Dispatch } from './dispatch'
import { Growth } from './growth'
import { STUCK_MS } from './lanes'
import { type Leak, Loans, traceOf } from './leaks'
import { type Asked, isSubmittable, jobOf, lend, restack, textOf } from './lend'
import { Noise } from './pipeline-noise'
import { type Statement, StatementBook } from './pipeline-statement'

export type { PoolConfig, PoolFigures, PoolMode, PostgresConfig } from './config'
export type { DirectConnection } from './direct'
export type { Leak } from './leaks'

export interface PoolDeps {
  log: Log
  /** Answers a single statement that failed in another way, or throws. */
  rescue?: (error: unknown, asked: string | Asked, values: unknown[] | undefined) => unknown
}

/**
 * A pool over pg's Client. Single statements share connections, several on their way at once; transactions,
 * cursors and COPY have one of their own, as have statements known to be slow. pg's own Pool destroys a
 * connection on any SQL error of `pool.query`, opens no minimum, has one timeout for connecting and for
 * waiting, and an unbounded queue; this one does not.
 */
export class PostgresPool implements PgHandle {
  readonly metrics = new DatabaseMetrics()
  readonly config: Readonly<FullConfig>
  readonly #log: Log
  readonly #rescue: PoolDeps['rescue']
  readonly #noise = new Noise()
  readonly #book = new StatementBook(this.#noise)
  readonly #members = new Set<Connection>()
  readonly #direct = new Set<Connection>()
  readonly #loans: Loans
  readonly #dispatch: Dispatch
  readonly #growth: Growth
  readonly #events: ConnectionEvents
  readonly #upkeep: NodeJS.Timeout
  #closing: Promise<void> | undefined
  /** Whether a pooler stands between; null before the first connection. */
  #pooler: boolean | null = null
  #named: boolean

  constructor({ log, rescue }: PoolDeps, config: PostgresConfig & PoolConfig) {
    this.#log = log
    this.#rescue = rescue
    this.config = { ...DEFAULTS, ...config }
    this.#named = this.config.prepared === 'on'
    this.#loans = new Loans(this.config.leakTimeout, log)
    this.#dispatch = this.#makeDispatch()
    this.#growth = this.#makeGrowth()
    this.#events = this.#makeEvents()
    this.#upkeep = setInterval(() => {
      this.#noise.read()
      this.#keepUp()
    }, 1_000).unref()
    this.#keepUp()
  }

  /** Runs one statement; it may share a connection with others. An SQL error keeps the connection. */
  readonly query: PgHandle['query'] = (async (asked: string | Asked, values?: unknown[]) => {
    if (isSubmittable(asked)) throw new TypeError('COPY and cursors need a connection: connect().')
    const statement = this.#book.of(textOf(asked))
    try {
      return await new Promise((resolve, reject) => {
        const job = jobOf(statement, asked, values, resolve, reject)
        this.#dispatch.run(job, typeof asked === 'string' ? undefined : asked.query_timeout)
      })
    } catch (error) {
      const told = restack(error, this.query as never)
      if (this.#rescue) return this.#rescue(told, asked, values)
      throw told
    }
  }) as unknown as PgHandle['query']

  /**
   * Lends a connection, to the longest waiting caller first: for transactions, cursors and COPY. Throws
   * DATABASE_UNAVAILABLE after `acquireTimeout`.
   */
  connect(): Promise<PgConnection> {
    const trace = traceOf(this.connect)
    return new Promise((resolve, reject) => {
      this.#dispatch.lend((connection) => resolve(this.#lend(connection, trace)), reject)
    })
  }

  /**
   * Opens a connection outside the pool, at DB_DIRECT_HOST if that is given: for LISTEN, session locks, long
   * COPY and DDL. It has no deadline. Release ends it.
   */
  direct(): Promise<DirectConnection> {
    if (this.#closing) return Promise.reject(poolClosed())
    return openDirect(this.config, this.#book, this.#events, this.#direct)
  }

  figures(): PoolFigures {
    const idle = this.#dispatch.idle.length
    const { min, max } = this.config
    return { min, max, inUse: this.#members.size - idle, idle, waiting: this.#dispatch.line.size }
  }

  mode(): PoolMode {
    const sessions = this.#pooler === false || this.config.direct !== undefined
    return { pooler: this.#pooler, prepared: this.#named, pipelined: this.#pooler === false, sessions }
  }

  /** Connections that were borrowed too long ago, with their borrowers' stacks. */
  leaks(): Leak[] {
    return this.#loans.leaks()
  }

  /** Process ids of its sessions at the server; none behind a pooler, which keeps them to itself. */
  processes(): number[] {
    if (this.#pooler !== false) return []
    return [...this.#members, ...this.#direct].map(({ processId }) => processId)
  }

  /** What was asked since the start, by text: calls, times, errors. */
  statements(): Readonly<Statement>[] {
    return this.#book.list()
  }

  /** Single statements and others that were answered since the start. */
  answered(): { reads: number; others: number } {
    return this.#book.answered
  }

  /**
   * Cuts every connection and refuses those who wait, now and until {@link wake}: the server is away, or must not
   * be used. What was on its way fails as lost.
   */
  rest(): void {
    this.#dispatch.resting = () => cutOff(this.config)
    this.#dispatch.line.refuseAll(cutOff(this.config))
    for (const connection of this.#dispatch.idle.splice(0)) this.#remove(connection)
    for (const connection of [...this.#members, ...this.#direct]) {
      connection.broken = true
      connection.cut()
    }
  }

  get resting(): boolean {
    return this.#dispatch.resting !== undefined
  }

  /** Lets the pool be used again, and opens its minimum. */
  wake(): void {
    if (!this.#dispatch.resting || this.#closing) return
    this.#dispatch.resting = undefined
    this.#growth.freshen()
  }

  /** Lets borrowed connections come back for at most `graceMs`, then ends all. Waiting callers are refused. */
  close(graceMs = 3_000): Promise<void> {
    this.#closing ??= this.#end(graceMs)
    return this.#closing
  }

  readonly #stuckMs = (): number => STUCK_MS + this.#noise.ms * 2

  #makeDispatch(): Dispatch {
    const { config, metrics } = this
    return new Dispatch({
      ...{ config, metrics, book: this.#book, stuckMs: this.#stuckMs },
      shares: () => this.#pooler === false,
      full: () => this.#members.size + this.#growth.opening >= config.max,
      grow: (more) => this.#growth.grow(more),
      lastFailure: () => this.#growth.lastFailure,
      remove: (connection) => {
        this.#remove(connection)
        this.#keepUp()
      },
    })
  }

  #makeGrowth(): Growth {
    const { config, metrics } = this
    return new Growth({
      ...{ log: this.#log, metrics },
      open: () => this.#open(),
      wanted: () =>
        this.#dispatch.resting ? 0 : Math.max(this.#dispatch.line.size, config.min - this.#members.size),
      room: () => config.max - this.#members.size,
      opened: (connection) => {
        this.#members.add(connection)
        // It was being opened when the server was found to be of no use.
        if (this.#dispatch.resting) connection.broken = true
        this.#dispatch.settle(connection)
      },
      // A wrong password stays wrong, and a server that never answered is a mistake in the configuration.
      failed: (error) => {
        if (metrics.connectionsOpened > 0 && !isLasting(error)) return
        this.#dispatch.line.refuseAll(cannotConnect(config, error))
      },
    })
  }

  #makeEvents(): ConnectionEvents {
    const { metrics } = this
    return {
      statement: this.config.metrics ? (ms, error) => metrics.statement(ms, error) : () => {},
      homeless: (job, timeout) => this.#dispatch.run(job, timeout),
      moved: (connection) => this.#dispatch.moved(connection),
      overdue: () => {
        metrics.statementTimeouts++
        this.#dispatch.trouble()
      },
      trouble: () => this.#dispatch.trouble(),
      stuckMs: this.#stuckMs,
      named: () => this.#named,
      namesFail: () => {
        if (this.config.prepared !== 'auto' || !this.#named) return
        this.#named = false
        this.#pooler = true
        this.#log.warn({}, 'prepared statements are mixed up by a pooler: they are not used any more')
      },
    }
  }

  #lend(connection: Connection, trace: { stack?: string }): PgConnection {
    connection.lend()
    const end = this.#loans.begin(trace)
    return lend(connection, this.#book, (destroy) => {
      end()
      if (destroy || connection.beginning) connection.broken = true
      // What the borrower did not wait for must end first.
      if (connection.load > 0) connection.use = 'returned'
      else this.#dispatch.settle(connection)
    })
  }

  async #open(): Promise<Connection> {
    let connection: Connection | undefined
    const client = await openClient(this.config, (error) => connection && this.#lost(connection, error))
    if (this.#pooler === null) await this.#look(client)
    if (this.#pooler === false) await boundSilence(client)
    connection = new Connection(client, this.config, this.#book, this.#events)
    return connection
  }

  /** Finds out once whether a pooler stands between: then sessions change from statement to statement. */
  async #look(client: Client): Promise<void> {
    const { pooler } = await readSurroundings(client, this.config.connectTimeout)
    if (this.#pooler !== null) return
    this.#pooler = pooler
    this.#named = this.config.prepared === 'on' || (this.config.prepared === 'auto' && !pooler)
    if (pooler) this.#log.info({ prepared: this.#named }, 'the database is behind a pooler')
  }

  #lost(connection: Connection, error?: unknown): void {
    connection.die()
    if (!this.#dispatch.leaveIdle(connection)) return
    if (error !== undefined) this.metrics.connectionFailures++
    this.#dispatch.trouble()
    this.#remove(connection)
  }

  #remove(connection: Connection): void {
    if (!this.#members.delete(connection)) return
    this.metrics.connectionsClosed++
    connection.end()
  }

  /** Closes what is too old or unused for too long, reports leaks, and opens up to the minimum. */
  #keepUp(): void {
    const now = Date.now()
    this.metrics.leaks += this.#loans.report()
    for (const lane of this.#dispatch.lanes) if (now >= lane.retireAt) lane.reserved = true
    for (const connection of [...this.#dispatch.idle]) {
      const unused = now - connection.idleSince > this.config.idleTimeout
      const spare = unused && this.#members.size > this.config.min
      if (!spare && now < connection.retireAt) continue
      this.#dispatch.leaveIdle(connection)
      this.#remove(connection)
    }
    this.#growth.grow()
  }

  async #end(graceMs: number): Promise<void> {
    clearInterval(this.#upkeep)
    this.#growth.end()
    this.#noise.end()
    this.#dispatch.close()
    const until = Date.now() + graceMs
    for (const connection of this.#dispatch.idle.splice(0)) this.#remove(connection)
    while (this.#members.size > 0 && Date.now() < until) await new Promise((done) => setTimeout(done, 10))
    for (const connection of [...this.#members, ...this.#direct]) connection.cut()
    this.#members.clear()
    this.#direct.clear()
  }
}
