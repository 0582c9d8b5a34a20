import { acquireTimeout, poolClosed, queueFull } from '../failures'
import type { DatabaseMetrics } from '../metrics'
import type { FullConfig } from './config'
import type { Connection } from './connection'
import { bestLane, gathers, mustEmpty, takes } from './lanes'
import type { Job } from './pipeline-query'
import type { Statement, StatementBook } from './pipeline-statement'
import { type Waiter, type WaiterKind, WaitingLine } from './queue'

/** What handing out needs of its pool. */
export interface DispatchDeps {
  config: FullConfig
  metrics: DatabaseMetrics
  book: StatementBook
  /** Milliseconds after which what runs on a connection counts as stuck. */
  stuckMs(): number
  /** Nothing stands between, so that statements may share connections. */
  shares(): boolean
  /** No connection more may be opened. */
  full(): boolean
  /** Opens connections for those who wait, or `more`. */
  grow(more?: number): void
  /** Why no connection could be made; undefined when that is not so. */
  lastFailure(): unknown
  /** Closes a connection that is of no use any more. */
  remove(connection: Connection): void
}

/** Milliseconds in which a connection that has been idle since before some trouble must answer. */
const CHECK_TIMEOUT = 1_000
/** Milliseconds after the last quick statement in which a connection is kept for the next. */
const SHARED_MS = 100

/**
 * Who gets which connection: statements join a lane, take a connection for themselves while they run, or wait;
 * borrowers take one until they give it back. What nobody uses is idle.
 */
export class Dispatch {
  readonly idle: Connection[] = []
  readonly lanes: Connection[] = []
  readonly line: WaitingLine
  closed = false
  /** Why nobody gets a connection for now; undefined while the server is used. */
  resting: (() => unknown) | undefined
  readonly #deps: DispatchDeps
  /** Connections on which one statement runs for itself. */
  #alone = 0
  #turns = 0
  /** When a statement last wanted to share a connection. */
  #sharedAt = 0
  /** When a connection was last lost: what has been idle since before is checked before it is handed out. */
  #troubleAt = 0

  constructor(deps: DispatchDeps) {
    this.#deps = deps
    this.line = new WaitingLine(deps.config.maxWaiting)
  }

  /** Sends a statement, now or when a connection can take it. */
  run(job: Job, timeout: number | undefined): void {
    const { statement } = job
    const { config, metrics } = this.#deps
    const kind = this.#kindOf(statement)
    const connection = this.closed ? undefined : this.#place(statement, kind)
    if (connection) {
      if (config.metrics) metrics.waitTime.record(0)
      connection.send(job, timeout)
      return
    }
    const start = performance.now()
    const go = (given: Connection) => {
      if (config.metrics) metrics.waitTime.record(performance.now() - start)
      given.send(job, timeout)
    }
    this.#wait({ kind, statement, go, refuse: job.reject })
  }

  /** Calls `go` with a connection for a borrower, now or in his turn. */
  lend(go: (connection: Connection) => void, refuse: (error: unknown) => void): void {
    const { config, metrics } = this.#deps
    const start = performance.now()
    const given = (connection: Connection) => {
      if (config.metrics) metrics.waitTime.record(performance.now() - start)
      go(connection)
    }
    const connection = this.closed ? undefined : this.#takeIdle()
    if (connection) given(connection)
    else this.#wait({ kind: 'lend', go: given, refuse })
  }

  /** Takes a connection that nobody uses any more: to the next who waits, among the idle, or to its end. */
  settle(connection: Connection): void {
    if (connection.use === 'lane') this.lanes.splice(this.lanes.indexOf(connection), 1)
    if (connection.use === 'alone') this.#alone--
    connection.use = 'idle'
    connection.reserved = false
    // A borrower that left a transaction open must not hand it to the next one.
    const open = connection.client.getTransactionStatus() !== 'I'
    if (open || connection.broken || this.closed || Date.now() >= connection.retireAt) {
      this.#deps.remove(connection)
    } else this.#offer(connection)
  }

  /** Takes note that the head of a lane has moved, or that nothing is on its way any more. */
  moved(connection: Connection): void {
    const { use } = connection
    if (use === 'lent') return
    if (connection.load === 0) {
      this.#sort()
      if (use === 'lane' || use === 'alone' || use === 'returned') this.settle(connection)
      return
    }
    if (this.line.size === 0 || use !== 'lane' || connection.reserved) return
    const whole =
      this.line.count('lend') +
      (this.#alone < this.#aloneMost ? this.line.count('alone') : 0) +
      (this.line.count('lane') > 0 ? 1 : 0)
    connection.reserved = this.#deps.full() && mustEmpty(this.lanes, whole, this.line.waitedMs())
    this.#fill(connection)
  }

  trouble(): void {
    this.#troubleAt = Date.now()
  }

  /** Takes a connection out of the idle; false when it was not there. */
  leaveIdle(connection: Connection): boolean {
    const at = this.idle.indexOf(connection)
    if (at !== -1) this.idle.splice(at, 1)
    return at !== -1
  }

  /** Refuses those who wait, and from now on everybody. */
  close(): void {
    this.closed = true
    this.line.refuseAll(poolClosed())
  }

  readonly #kindOf = (statement: Statement): WaiterKind =>
    !this.#deps.shares() || statement.alone ? 'alone' : 'lane'

  /** Those who wait change lines when more is known of their statements. */
  #sort(): void {
    const { turns } = this.#deps.book
    if (turns === this.#turns) return
    this.#turns = turns
    if (this.line.size > 0 && this.#deps.shares()) this.line.sort(this.#kindOf)
  }

  /** Finds a connection for a statement that can take it at once. */
  #place(statement: Statement, kind: WaiterKind): Connection | undefined {
    if (kind === 'alone') {
      const free = this.#alone < this.#aloneMost ? this.#takeIdle() : undefined
      return free && this.#begin(free, statement, kind)
    }
    const wanted = statement.kind as 'read' | 'write'
    this.#sharedAt = performance.now()
    const lane = bestLane(this.lanes, wanted, this.#sharedAt, this.#deps.stuckMs())
    if (lane && gathers(lane)) return lane
    const fresh = this.#takeIdle()
    if (fresh) return this.#begin(fresh, statement, kind)
    if (lane) this.#deps.grow(1)
    return lane
  }

  /** Slow statements leave one connection to the quick ones, while there are any. */
  get #aloneMost(): number {
    const { max } = this.#deps.config
    const shared = this.#deps.shares() && performance.now() - this.#sharedAt < SHARED_MS
    return shared && max > 1 ? max - 1 : max
  }

  #begin(connection: Connection, statement: Statement, kind: WaiterKind): Connection {
    if (kind === 'alone') {
      connection.use = 'alone'
      this.#alone++
    } else {
      connection.use = 'lane'
      connection.kind = statement.kind as 'read' | 'write'
      this.lanes.push(connection)
    }
    return connection
  }

  #takeIdle(): Connection | undefined {
    for (let connection = this.idle.pop(); connection; connection = this.idle.pop()) {
      if (connection.idleSince > this.#troubleAt) return connection
      // After trouble an idle connection must first answer: it may be dead without a sign.
      void this.#check(connection)
    }
    return undefined
  }

  async #check(connection: Connection): Promise<void> {
    connection.use = 'checking'
    if (!(await connection.answers(CHECK_TIMEOUT))) connection.broken = true
    this.settle(connection)
  }

  #wait(waiter: Waiter): void {
    const { config, metrics, grow, lastFailure } = this.#deps
    if (this.closed) {
      waiter.refuse(poolClosed())
      return
    }
    if (this.resting) {
      waiter.refuse(this.resting())
      return
    }
    if (this.line.full) {
      metrics.queueRefusals++
      waiter.refuse(queueFull(config))
      return
    }
    this.line.add(waiter, config.acquireTimeout, () => {
      metrics.acquireTimeouts++
      waiter.refuse(acquireTimeout(config, lastFailure()))
    })
    grow()
  }

  #offer(connection: Connection): void {
    connection.idleSince = Date.now()
    const kind = this.line.first(this.#alone < this.#aloneMost ? EVERYBODY : NOT_ALONE)
    const waiter = kind && this.line.take(kind)
    if (!kind || !waiter) {
      this.idle.push(connection)
      return
    }
    if (waiter.statement) this.#begin(connection, waiter.statement, kind)
    waiter.go(connection)
    if (kind === 'lane') this.#fill(connection)
  }

  /** Lets those join a lane who wait for one like it. */
  #fill(lane: Connection): void {
    for (let head = this.line.head('lane'); head; head = this.line.head('lane')) {
      if (!takes(lane, head.statement?.kind as 'read' | 'write')) return
      this.line.take('lane')?.go(lane)
    }
  }
}

const EVERYBODY: readonly WaiterKind[] = ['lend', 'alone', 'lane']
const NOT_ALONE: readonly WaiterKind[] = ['lend', 'lane']
