import { performance } from 'node:perf_hooks'
import type { Client } from 'pg'
import type { PgConnection, PgHandle } from '@/db/open'
import type { Log } from '@/server/log'
import { Connection, type ConnectionEvents } from './connection'
import { openClient, readSurroundings } from './connection-open'
import { acquireTimeout, cannotConnect, isLasting, poolClosed, queueFull } from './failures'
import { DatabaseMetrics } from './metrics'
import { Noise } from './pipeline-noise'
import type { Job } from './pipeline-query'
import { type Statement, StatementBook } from './pipeline-statement'
import {
  DEFAULTS,
  type FullConfig,
  type PoolConfig,
  type PoolFigures,
  type PoolMode,
  type PostgresConfig,
} from './pool-config'
import { type DirectConnection, openDirect } from './pool-direct'
import { Growth } from './pool-growth'
import { bestLane, gathers, mustEmpty, STUCK_MS, takes } from './pool-lanes'
import { type Leak, Loans, traceOf } from './pool-leaks'
import { type Asked, isSubmittable, jobOf, lend, restack, textOf } from './pool-lend'
import { type Waiter, type WaiterKind, WaitingLine } from './pool-queue'

export type { PoolConfig, PoolFigures, PoolMode, PostgresConfig } from './pool-config'
export type { DirectConnection } from './pool-direct'
export type { Leak } from './pool-leaks'

/** Milliseconds in which a connection that has been idle since before some trouble must answer. */
const CHECK_TIMEOUT = 1_000

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
  readonly #noise = new Noise()
  readonly #book = new StatementBook(this.#noise)
  readonly #loans: Loans
  readonly #line: WaitingLine
  readonly #members = new Set<Connection>()
  readonly #direct = new Set<Connection>()
  readonly #idle: Connection[] = []
  readonly #lanes: Connection[] = []
  #alone = 0
  #closing: Promise<void> | undefined
  /** When a connection was last lost: what has been idle since before is checked before it is handed out. */
  #troubleAt = 0
  #pooler: boolean | null = null
  #named: boolean
  readonly #upkeep: NodeJS.Timeout
  readonly #events: ConnectionEvents
  readonly #growth: Growth

  constructor({ log }: { log: Log }, config: PostgresConfig & PoolConfig) {
    this.#log = log
    this.config = { ...DEFAULTS, ...config }
    this.#loans = new Loans(this.config.leakTimeout, log)
    this.#line = new WaitingLine(this.config.maxWaiting)
    this.#named = this.config.prepared === 'on'
    this.#events = this.#makeEvents()
    this.#growth = new Growth({
      log,
      metrics: this.metrics,
      open: () => this.#open(),
      wanted: () => Math.max(this.#line.size, this.config.min - this.#members.size),
      room: () => this.config.max - this.#members.size,
      opened: (connection) => {
        this.#members.add(connection)
        this.#settle(connection)
      },
      // A wrong password stays wrong, and a server that never answered is a mistake in the configuration.
      failed: (error) => {
        if (this.metrics.connectionsOpened > 0 && !isLasting(error)) return
        this.#line.refuseAll(cannotConnect(this.config, error))
      },
    })
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
        this.#run(job, typeof asked === 'string' ? undefined : asked.query_timeout)
      })
    } catch (error) {
      throw restack(error, this.query as never)
    }
  }) as unknown as PgHandle['query']

  /**
   * Lends a connection, to the longest waiting caller first: for transactions, cursors and COPY. Throws
   * DATABASE_UNAVAILABLE after `acquireTimeout`.
   */
  connect(): Promise<PgConnection> {
    const trace = traceOf(this.connect)
    return new Promise((resolve, reject) => {
      const go = (connection: Connection) => resolve(this.#lend(connection, trace))
      const connection = this.#closing ? undefined : this.#takeIdle()
      if (connection) go(connection)
      else this.#wait({ kind: 'lend', go, refuse: reject })
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
    const idle = this.#idle.length
    const { min, max } = this.config
    return { min, max, inUse: this.#members.size - idle, idle, waiting: this.#line.size }
  }

  mode(): PoolMode {
    const sessions = this.#pooler === false || this.config.direct !== undefined
    return { pooler: this.#pooler, prepared: this.#named, pipelined: this.#pooler === false, sessions }
  }

  /** Connections that were borrowed too long ago, with their borrowers' stacks. */
  leaks(): Leak[] {
    return this.#loans.leaks()
  }

  /** What was asked since the start, by text: calls, times, errors. */
  statements(): Readonly<Statement>[] {
    return this.#book.list()
  }

  /** Lets borrowed connections come back for at most `graceMs`, then ends all. Waiting callers are refused. */
  close(graceMs = 3_000): Promise<void> {
    this.#closing ??= this.#end(graceMs)
    return this.#closing
  }

  #run(job: Job, timeout: number | undefined): void {
    const { statement } = job
    const kind = this.#kindOf(statement)
    const connection = this.#closing ? undefined : this.#place(statement, kind)
    if (connection) {
      if (this.config.metrics) this.metrics.waitTime.record(0)
      connection.send(job, timeout)
      return
    }
    const start = performance.now()
    const go = (given: Connection) => {
      if (this.config.metrics) this.metrics.waitTime.record(performance.now() - start)
      given.send(job, timeout)
    }
    this.#wait({ kind, statement, go, refuse: job.reject })
  }

  readonly #kindOf = (statement: Statement): WaiterKind =>
    this.#pooler !== false || this.#book.runsAlone(statement) ? 'alone' : 'lane'

  /** Finds a connection for a statement that can take it at once. */
  #place(statement: Statement, kind: WaiterKind): Connection | undefined {
    if (kind === 'alone') {
      return this.#alone < this.#aloneMost ? this.#begin(this.#takeIdle(), statement, kind) : undefined
    }
    const stuckMs = STUCK_MS + this.#noise.ms * 2
    const lane = bestLane(this.#lanes, statement.kind as 'read' | 'write', performance.now(), stuckMs)
    if (lane && gathers(lane)) return lane
    const fresh = this.#takeIdle()
    if (fresh) return this.#begin(fresh, statement, kind)
    if (lane) this.#growth.grow(1)
    return lane
  }

  /** Slow statements leave one connection to the quick ones. */
  get #aloneMost(): number {
    const { max } = this.config
    return this.#pooler === false && max > 1 ? max - 1 : max
  }

  #begin(connection: Connection | undefined, statement: Statement, kind: WaiterKind): Connection | undefined {
    if (!connection) return undefined
    if (kind === 'alone') {
      connection.use = 'alone'
      this.#alone++
    } else {
      connection.use = 'lane'
      connection.kind = statement.kind as 'read' | 'write'
      this.#lanes.push(connection)
    }
    return connection
  }

  #lend(connection: Connection, trace: { stack?: string }): PgConnection {
    connection.lend()
    const end = this.#loans.begin(trace)
    return lend(connection, this.#book, (destroy) => {
      end()
      if (destroy) connection.broken = true
      // What the borrower did not wait for must end first.
      if (connection.load > 0) connection.use = 'returned'
      else this.#settle(connection)
    })
  }

  #takeIdle(): Connection | undefined {
    for (let connection = this.#idle.pop(); connection; connection = this.#idle.pop()) {
      if (connection.idleSince > this.#troubleAt) return connection
      // After trouble an idle connection must first answer: it may be dead without a sign.
      void this.#check(connection)
    }
    return undefined
  }

  async #check(connection: Connection): Promise<void> {
    connection.use = 'checking'
    const answers = await connection.answers(CHECK_TIMEOUT)
    if (!answers) connection.broken = true
    this.#settle(connection)
  }

  #wait(waiter: Waiter): void {
    if (this.#closing) {
      waiter.refuse(poolClosed())
      return
    }
    if (this.#line.full) {
      this.metrics.queueRefusals++
      waiter.refuse(queueFull(this.config))
      return
    }
    this.#line.add(waiter, this.config.acquireTimeout, () => {
      this.metrics.acquireTimeouts++
      waiter.refuse(acquireTimeout(this.config, this.#growth.lastFailure))
    })
    this.#growth.grow()
  }

  /** Takes a connection that nobody uses any more: to the next who waits, among the idle, or to its end. */
  #settle(connection: Connection): void {
    if (connection.use === 'lane') this.#lanes.splice(this.#lanes.indexOf(connection), 1)
    if (connection.use === 'alone') this.#alone--
    connection.use = 'idle'
    connection.reserved = false
    // A borrower that left a transaction open must not hand it to the next one.
    const open = connection.client.getTransactionStatus() !== 'I'
    if (open || connection.broken || this.#closing || Date.now() >= connection.retireAt) {
      this.#remove(connection)
      this.#keepUp()
      return
    }
    this.#offer(connection)
  }

  #offer(connection: Connection): void {
    connection.idleSince = Date.now()
    const kind = this.#line.first(
      this.#alone < this.#aloneMost ? ['lend', 'alone', 'lane'] : ['lend', 'lane'],
    )
    const waiter = kind && this.#line.take(kind)
    if (!kind || !waiter) {
      this.#idle.push(connection)
      return
    }
    if (waiter.statement) this.#begin(connection, waiter.statement, kind)
    waiter.go(connection)
    if (kind === 'lane') this.#fill(connection)
  }

  /** Lets those join a lane who wait for one like it. */
  #fill(lane: Connection): void {
    for (let head = this.#line.head('lane'); head; head = this.#line.head('lane')) {
      if (!takes(lane, head.statement?.kind as 'read' | 'write')) return
      this.#line.take('lane')?.go(lane)
    }
  }

  #moved(connection: Connection): void {
    if (connection.load === 0) {
      if (this.#line.size > 0) this.#line.sort(this.#kindOf)
      if (/^(lane|alone|returned)$/.test(connection.use)) this.#settle(connection)
      return
    }
    if (this.#line.size === 0 || connection.use !== 'lane' || connection.reserved) return
    const whole =
      this.#line.count('lend') +
      (this.#alone < this.#aloneMost ? this.#line.count('alone') : 0) +
      (this.#line.count('lane') > 0 ? 1 : 0)
    const full = this.#members.size + this.#growth.opening >= this.config.max
    connection.reserved = full && mustEmpty(this.#lanes, whole, this.#line.waitedMs())
    this.#fill(connection)
  }

  #makeEvents(): ConnectionEvents {
    const { metrics } = this
    const trouble = () => {
      this.#troubleAt = Date.now()
    }
    return {
      homeless: (job, timeout) => this.#run(job, timeout),
      statement: this.config.metrics ? (ms, error) => metrics.statement(ms, error) : () => {},
      moved: (connection) => this.#moved(connection),
      overdue: () => {
        metrics.statementTimeouts++
        trouble()
      },
      trouble,
      named: () => this.#named,
      namesFail: () => {
        if (this.config.prepared !== 'auto' || !this.#named) return
        this.#named = false
        this.#pooler = true
        this.#log.warn({}, 'prepared statements are mixed up by a pooler: they are not used any more')
      },
    }
  }

  async #open(): Promise<Connection> {
    let connection: Connection | undefined
    const client = await openClient(this.config, (error) => connection && this.#lost(connection, error))
    if (this.#pooler === null) await this.#look(client)
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
    const at = this.#idle.indexOf(connection)
    if (at === -1) return
    if (error !== undefined) this.metrics.connectionFailures++
    this.#troubleAt = Date.now()
    this.#idle.splice(at, 1)
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
    for (const lane of this.#lanes) if (now >= lane.retireAt) lane.reserved = true
    for (const connection of [...this.#idle]) {
      const unused = now - connection.idleSince > this.config.idleTimeout
      const spare = unused && this.#members.size > this.config.min
      if (!spare && now < connection.retireAt) continue
      this.#idle.splice(this.#idle.indexOf(connection), 1)
      this.#remove(connection)
    }
    this.#growth.grow()
  }

  async #end(graceMs: number): Promise<void> {
    clearInterval(this.#upkeep)
    this.#growth.end()
    this.#noise.end()
    this.#line.refuseAll(poolClosed())
    const until = Date.now() + graceMs
    for (const connection of this.#idle.splice(0)) this.#remove(connection)
    while (this.#members.size > 0 && Date.now() < until) await new Promise((done) => setTimeout(done, 10))
    for (const connection of [...this.#members, ...this.#direct]) connection.cut()
    this.#members.clear()
    this.#direct.clear()
  }
}
