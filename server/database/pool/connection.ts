import { performance } from 'node:perf_hooks'
import type { Client } from 'pg'
import { isLost, statementTimeout, unavailable } from '../failures'
import { cancelOrCut } from './cancel'
import type { FullConfig } from './config'
import { Deadline, takeDue } from './connection-deadline'
import type { ConnectionEvents, ConnectionUse } from './connection-events'
import { Cork, HeldBack } from './connection-held'
import { nameFailure, PreparedStatements } from './connection-statements'
import { jobOf } from './lend'
import { Flight, type FlightOwner, type Job, type Wire } from './pipeline-query'
import { nameOf, type StatementBook } from './pipeline-statement'

/** Milliseconds that a server has to close a connection which says goodbye. */
const END_GRACE = 2_000

interface InnerClient {
  connection: Wire & { on(event: 'readyForQuery', listener: () => void): void }
  processID: number
  secretKey: number
  /** Read at every send; changed only while nothing is on its way. */
  pipeline: boolean
}

/** One connection: what is on its way, in order, with deadlines and prepared statements. */
export class Connection implements FlightOwner {
  readonly client: Client
  readonly prepared: PreparedStatements
  readonly retireAt: number
  use: ConnectionUse = 'idle'
  /** What a lane carries: writes may wait for locks, so reads never queue behind them. */
  kind: 'read' | 'write' = 'read'
  idleSince = Date.now()
  /** Lost, or not to be trusted: closed as soon as nothing is on its way. */
  broken = false
  /** Takes nothing more and goes back to the pool once it is empty: somebody waits for a whole connection. */
  reserved = false
  /** A borrower's BEGIN waits for the statement that follows. */
  beginning = false
  /** When the oldest statement became the one that runs. */
  headSince = 0
  readonly flights: Flight[] = []
  readonly #config: FullConfig
  readonly #book: StatementBook
  readonly #events: ConnectionEvents
  readonly #inner: InnerClient
  readonly #cork: Cork
  readonly #held = new HeldBack(() => this.#letGo())
  #cancelled = false
  #dead = false
  readonly #deadline = new Deadline((now) => this.#expire(now))

  constructor(client: Client, config: FullConfig, book: StatementBook, events: ConnectionEvents) {
    this.#book = book
    this.client = client
    this.#config = config
    this.#events = events
    this.#inner = client as unknown as InnerClient
    this.#cork = new Cork(this.#inner.connection.stream)
    this.prepared = new PreparedStatements(config.maxPrepared)
    this.retireAt = Date.now() + config.lifetime * (0.9 + Math.random() * 0.2)
    this.#inner.connection.on('readyForQuery', () => this.#ready())
  }

  /** Readies it for a borrower, who may bring COPY streams and cursors: pg refuses them on a pipelined client. */
  lend(): void {
    this.use = 'lent'
    this.#inner.pipeline = false
  }

  /**
   * Notes that a transaction begins: BEGIN leaves with the statement that follows, which saves a round trip.
   * False where it can't wait: then it is sent as it is.
   */
  begin(): boolean {
    if (this.load > 0 || this.broken || this.client.getTransactionStatus() !== 'I') return false
    this.beginning = true
    return true
  }

  /**
   * Sends the BEGIN that waits, on its own. If it fails the connection is cut before pg sends what is queued
   * behind it: nothing runs outside its transaction.
   */
  sendBegin(): void {
    if (!this.beginning) return
    this.beginning = false
    const reject = () => this.cut()
    this.#launch(
      jobOf(this.#book.of('BEGIN'), 'BEGIN', undefined, () => {}, reject),
      this.#dueAt(),
    )
  }

  /** Whether the server answers in time; nobody else uses the connection meanwhile. */
  async answers(milliseconds: number): Promise<boolean> {
    this.#inner.pipeline = false
    let timer: NodeJS.Timeout | undefined
    const silence = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), milliseconds)
    })
    const answer = this.client.query('SELECT 1').then(
      () => true,
      () => false,
    )
    return Promise.race([answer, silence]).finally(() => clearTimeout(timer))
  }

  /** The backend that the server named; behind a pooler the pooler's own word. */
  get processId(): number {
    return this.#inner.processID
  }

  /** Statements on their way and held back: what a new one has before it. */
  get load(): number {
    return this.flights.length + this.#held.size
  }

  /** Sends a statement, or holds it back to leave with others while one is on its way. */
  send(job: Job, timeout = this.#config.queryTimeout): void {
    const dueAt = this.#dueAt(timeout)
    if (this.use !== 'lane' || this.flights.length === 0) {
      this.#launch(job, dueAt)
      return
    }
    this.#held.add({ job, dueAt })
  }

  #dueAt(timeout = this.#config.queryTimeout): number {
    return timeout ? performance.now() + timeout : Number.POSITIVE_INFINITY
  }

  /** What was not sent yet goes elsewhere when this connection is lost or what runs takes long. */
  #letGo(): void {
    const now = performance.now()
    const elsewhere = this.broken || now - this.headSince > this.#events.stuckMs()
    for (const { job, dueAt } of this.#held.take()) {
      if (elsewhere) this.#events.homeless(job, dueAt === Infinity ? 0 : Math.max(1, dueAt - now))
      else this.#launch(job, dueAt)
    }
  }

  #launch(job: Job, dueAt: number, named = this.#events.named()): Flight {
    const now = performance.now()
    const name = named ? nameOf(job.statement) : undefined
    const joined = this.beginning && name !== undefined && this.prepared.stands(this.#inner.connection, name)
    if (!joined) this.sendBegin()
    const flight = new Flight(this, job, name, now, dueAt)
    flight.begins = joined
    flight.began = joined
    this.beginning = false
    job.statement.sent++
    if (job.statement.resets) this.broken = true
    if (this.flights.length === 0) {
      this.#inner.pipeline = this.use === 'lane'
      this.headSince = now
    }
    this.flights.push(flight)
    this.#deadline.watch(dueAt, now)
    if (this.use === 'lane') this.#cork.close()
    this.client.query(flight as never)
    return flight
  }

  answered(flight: Flight, error?: unknown): void {
    const now = performance.now()
    const { job } = flight
    if (!this.#dead) this.#book.learn(job.statement, now - this.headSince, error !== undefined)
    if (!flight.refused && !(error !== undefined && this.#again(flight, error))) {
      this.#events.statement(now - flight.sentAt, error)
      if (error === undefined) job.resolve(flight.result)
      else job.reject(this.#translate(error))
    }
    // One that lives is ready for the next at ReadyForQuery, which follows an error.
    if (this.#dead) this.#drop(flight)
  }

  #translate(error: unknown): unknown {
    if (!isLost(error)) return error
    this.broken = true
    this.#events.trouble()
    return unavailable(this.#config, error)
  }

  /**
   * Sends a statement again, without a name, that failed because of what is prepared under its name: it was
   * surely not executed. Within a transaction the error has ended it, and only the next one is mended.
   */
  #again(flight: Flight, error: unknown): boolean {
    const { name } = flight
    if (name === undefined || flight.retried) return false
    const failure = nameFailure(error)
    if (!failure) return false
    const wire = this.#inner.connection
    // A statement whose Parse failed just before is unknown without anybody's fault.
    if (failure === 'known' || (failure === 'unknown' && wire.parsedStatements[name] !== undefined)) {
      this.#events.namesFail()
    }
    this.prepared.drop(wire, name)
    if (this.broken || flight.began || this.client.getTransactionStatus() !== 'I') return false
    this.#launch(flight.job, flight.dueAt, false).retried = true
    return true
  }

  /** The socket is gone: what is still on its way is failed by pg, one after the other. */
  die(): void {
    this.broken = true
    this.#dead = true
    this.#deadline.end()
    this.#letGo()
    for (const flight of this.flights.filter(({ over }) => over)) this.#drop(flight)
    if (this.flights.length === 0) this.#events.moved(this)
  }

  #ready(): void {
    const head = this.flights[0]
    // A COPY stream or a cursor of the borrower answers here too.
    if (head?.over) this.#drop(head)
  }

  #drop(flight: Flight): void {
    const at = this.flights.indexOf(flight)
    if (at === -1) return
    if (at === 0) this.flights.shift()
    else this.flights.splice(at, 1)
    this.headSince = performance.now()
    if (this.flights.length === 0 && this.#held.size > 0) this.#letGo()
    if (this.flights.length > 0 && this.broken) this.#cancelRefused()
    this.#events.moved(this)
  }

  /** Refuses what is due; answers when to look again. */
  #expire(now: number): number {
    const { next, expired } = takeDue(this.flights, now)
    for (const flight of expired) {
      flight.refused = true
      const error = statementTimeout(this.#config, now - flight.sentAt)
      this.#events.statement(now - flight.sentAt, error)
      flight.job.reject(error)
    }
    if (expired.length > 0) {
      this.broken = true
      this.#letGo()
      this.#events.overdue()
      this.#cancelRefused()
    }
    return next
  }

  /**
   * A cancel hits whatever the backend runs when it arrives. So it is sent only when all that is on its way has
   * been refused, and nothing more is sent here: then it can't hit another caller's statement.
   */
  #cancelRefused(): void {
    if (this.#cancelled || this.#dead || !this.flights.every(({ refused }) => refused)) return
    this.#cancelled = true
    const { processID: pid, secretKey: secret } = this.#inner
    const running = () => this.flights.some(({ refused }) => refused)
    void cancelOrCut(this.#config, { pid, secret }, running, () => this.cut())
  }

  /** Says goodbye. Neither a statement that still runs nor a server that is frozen holds it back. */
  end(): void {
    this.#deadline.end()
    if (this.flights.length > 0) this.cut()
    else {
      void this.client.end().catch(() => {})
      setTimeout(() => this.cut(), END_GRACE).unref()
    }
  }

  cut(): void {
    this.#inner.connection.stream.destroy()
  }
}
