import { performance } from 'node:perf_hooks'
import { Client, type ClientConfig } from 'pg'
import type { PgConnection, PgHandle } from '@/db/open'
import type { Log } from '@/server/log'
import {
  acquireTimeout,
  cannotConnect,
  isLasting,
  isLost,
  poolClosed,
  queueFull,
  unavailable,
} from './failures'
import { DatabaseMetrics } from './metrics'
import { tlsOptions } from './tls'

export interface PostgresConfig {
  host: string
  port: number
  database: string
  user: string
  password: string
  /** true: encrypt and verify the certificate; 'no-verify': encrypt only; absent or false: plain. */
  ssl?: boolean | 'no-verify'
  /** `schema` first in search_path; absent: the server's default. */
  schema?: string
}

export interface PoolConfig {
  min: number
  max: number
  /** Milliseconds a caller waits for a connection at most. */
  acquireTimeout: number
  /** Milliseconds after which an unused connection above `min` is closed. */
  idleTimeout: number
  /** Milliseconds for TCP, TLS and authentication of one connection. */
  connectTimeout?: number
  /** Callers that may wait at once; one more is refused. */
  maxWaiting?: number
  /** Milliseconds a connection lives, give or take a tenth, so that not all are renewed at once. */
  lifetime?: number
}

export interface PoolFigures {
  min: number
  max: number
  inUse: number
  idle: number
  waiting: number
}

/** Milliseconds in which a connection that has been idle since before some trouble must answer. */
const CHECK_TIMEOUT = 1_000

interface Member {
  client: Client
  idleSince: number
  retireAt: number
  broken: boolean
}

interface Waiter {
  give(member: Member): void
  refuse(error: Error): void
}

/**
 * A pool over pg's Client. pg's own Pool destroys a connection on any SQL error of `pool.query`, opens no
 * minimum, has one timeout for connecting and for waiting, and an unbounded queue; this one does not.
 */
export class PostgresPool implements PgHandle {
  readonly metrics = new DatabaseMetrics()
  readonly config: Readonly<PostgresConfig & Required<PoolConfig>>
  readonly #log: Log
  readonly #members = new Set<Member>()
  readonly #idle: Member[] = []
  readonly #waiting: Waiter[] = []
  #opening = 0
  #closing: Promise<void> | undefined
  #lastFailure: unknown
  /** When a connection was last lost: what has been idle since before is checked before it is handed out. */
  #troubleAt = 0
  #reopenAt = 0
  #reopenDelay = 0
  readonly #upkeep: NodeJS.Timeout

  constructor({ log }: { log: Log }, config: PostgresConfig & PoolConfig) {
    this.#log = log
    this.config = { connectTimeout: 5_000, maxWaiting: 1_000, lifetime: 30 * 60_000, ...config }
    this.#upkeep = setInterval(() => this.#keepUp(), 1_000).unref()
    this.#keepUp()
  }

  /** Runs one statement on a connection of the pool. An SQL error keeps the connection. */
  readonly query: PgHandle['query'] = (async (text: string, values?: unknown[]) => {
    const connection = await this.connect()
    try {
      return await (connection.query as PlainQuery)(text, values)
    } finally {
      connection.release()
    }
  }) as unknown as PgHandle['query']

  /** Hands out a connection, longest waiting caller first. Throws DATABASE_UNAVAILABLE after `acquireTimeout`. */
  async connect(): Promise<PgConnection> {
    const start = performance.now()
    let member = this.#idle.pop() ?? (await this.#wait())
    // After trouble an idle connection must first answer: it may be dead without a sign.
    while (member.idleSince <= this.#troubleAt && !(await this.#answers(member))) {
      this.#remove(member)
      member = this.#idle.pop() ?? (await this.#wait())
    }
    this.metrics.waitTime.record(performance.now() - start)
    return this.#lend(member)
  }

  figures(): PoolFigures {
    const idle = this.#idle.length
    return {
      min: this.config.min,
      max: this.config.max,
      inUse: this.#members.size - idle,
      idle,
      waiting: this.#waiting.length,
    }
  }

  /** Lets borrowed connections come back for at most `graceMs`, then ends all. Waiting callers are refused. */
  close(graceMs = 3_000): Promise<void> {
    this.#closing ??= this.#end(graceMs)
    return this.#closing
  }

  async #answers({ client }: Member): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined
    const silence = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), CHECK_TIMEOUT)
    })
    const answer = client.query('SELECT 1').then(
      () => true,
      () => false,
    )
    return Promise.race([answer, silence]).finally(() => clearTimeout(timer))
  }

  #lend(member: Member): PgConnection {
    let returned = false
    return {
      query: ((...args: Parameters<PlainQuery>) => this.#run(member, args)) as unknown as PgHandle['query'],
      release: (destroy?: boolean) => {
        if (returned) return
        returned = true
        this.#takeBack(member, destroy === true)
      },
    }
  }

  #run(member: Member, args: Parameters<PlainQuery>): unknown {
    const query = member.client.query.bind(member.client) as unknown as PlainQuery
    // COPY streams and cursors bring a submit function and answer at once.
    if (typeof (args[0] as { submit?: unknown }).submit === 'function') return query(...args)
    const start = performance.now()
    return query(...args).then(
      (result) => {
        this.metrics.statement(performance.now() - start)
        return result
      },
      (error: unknown) => {
        this.metrics.statement(performance.now() - start, error)
        if (!isLost(error)) throw error
        member.broken = true
        this.#troubleAt = Date.now()
        throw unavailable(this.config, error)
      },
    )
  }

  #wait(): Promise<Member> {
    if (this.#closing) return Promise.reject(poolClosed())
    if (this.#waiting.length >= this.config.maxWaiting) {
      this.metrics.queueRefusals++
      return Promise.reject(queueFull(this.config))
    }
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        give: (member) => {
          clearTimeout(timer)
          resolve(member)
        },
        refuse: (error) => {
          clearTimeout(timer)
          reject(error)
        },
      }
      const timer = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1)
        this.metrics.acquireTimeouts++
        reject(acquireTimeout(this.config, this.#lastFailure))
      }, this.config.acquireTimeout)
      this.#waiting.push(waiter)
      this.#grow()
    })
  }

  #takeBack(member: Member, destroy: boolean): void {
    // A borrower that left a transaction open must not hand it to the next one.
    const open = member.client.getTransactionStatus() !== 'I'
    if (destroy || open || member.broken || this.#closing || Date.now() >= member.retireAt) {
      this.#remove(member)
      this.#keepUp()
      return
    }
    this.#offer(member)
  }

  #offer(member: Member): void {
    member.idleSince = Date.now()
    const waiter = this.#waiting.shift()
    if (waiter) waiter.give(member)
    else this.#idle.push(member)
  }

  /** Opens a connection for a waiting caller while there is room. */
  #grow(): void {
    const wanted = Math.max(this.#waiting.length, this.config.min - this.#members.size)
    while (
      !this.#closing &&
      this.#opening < wanted &&
      this.#members.size + this.#opening < this.config.max &&
      // After a failure one connection at a time is tried, so that a lost server isn't stormed.
      (this.#reopenDelay === 0 || (this.#opening === 0 && Date.now() >= this.#reopenAt))
    ) {
      this.#opening++
      void this.#open()
    }
  }

  async #open(): Promise<void> {
    const { host, port, database, user, password, ssl, schema, connectTimeout, lifetime } = this.config
    const config: ClientConfig = {
      host,
      port,
      database,
      user,
      password,
      ssl: tlsOptions(host, ssl),
      connectionTimeoutMillis: connectTimeout,
      keepAlive: true,
      application_name: 'holdfast',
      ...(schema ? { options: `-c search_path=${schema.replace(/[\\ ]/g, '\\$&')}` } : {}),
    }
    const client = new Client(config)
    const member: Member = {
      client,
      idleSince: Date.now(),
      retireAt: Date.now() + lifetime * (0.9 + Math.random() * 0.2),
      broken: false,
    }
    // Without a listener an error between two queries would end the process.
    client.on('error', (error) => this.#lost(member, error))
    client.on('end', () => this.#lost(member))
    try {
      await client.connect()
    } catch (error) {
      this.#opening--
      this.#failed(error)
      void client.end().catch(() => {})
      return
    }
    this.#opening--
    this.#lastFailure = undefined
    this.#reopenDelay = 0
    this.metrics.connectionsOpened++
    this.#members.add(member)
    this.#offer(member)
    this.#grow()
  }

  #failed(error: unknown): void {
    this.metrics.connectionFailures++
    if (this.#lastFailure === undefined) this.#log.warn({ error }, 'a database connection could not be made')
    this.#lastFailure = error
    // A wrong password stays wrong, and a server that never answered is a mistake in the configuration.
    if (this.metrics.connectionsOpened === 0 || isLasting(error)) {
      for (const waiter of this.#waiting.splice(0)) waiter.refuse(cannotConnect(this.config, error))
    }
    this.#reopenDelay = Math.min(1_000, Math.max(50, this.#reopenDelay * 2))
    this.#reopenAt = Date.now() + this.#reopenDelay * (0.5 + Math.random() / 2)
    setTimeout(() => this.#grow(), this.#reopenDelay + 1).unref()
  }

  #lost(member: Member, error?: unknown): void {
    member.broken = true
    const at = this.#idle.indexOf(member)
    if (at === -1) return
    if (error !== undefined) this.metrics.connectionFailures++
    this.#troubleAt = Date.now()
    this.#idle.splice(at, 1)
    this.#remove(member)
  }

  #remove(member: Member): void {
    if (!this.#members.delete(member)) return
    this.metrics.connectionsClosed++
    void member.client.end().catch(() => {})
  }

  /** Closes what is too old or unused for too long, and opens up to the minimum. */
  #keepUp(): void {
    const now = Date.now()
    for (const member of [...this.#idle]) {
      const spare = this.#members.size > this.config.min && now - member.idleSince > this.config.idleTimeout
      if (!spare && now < member.retireAt) continue
      this.#idle.splice(this.#idle.indexOf(member), 1)
      this.#remove(member)
    }
    this.#grow()
  }

  async #end(graceMs: number): Promise<void> {
    clearInterval(this.#upkeep)
    for (const waiter of this.#waiting.splice(0)) waiter.refuse(poolClosed())
    const until = Date.now() + graceMs
    for (const member of this.#idle.splice(0)) this.#remove(member)
    while (this.#members.size > 0 && Date.now() < until) await new Promise((done) => setTimeout(done, 10))
    for (const member of [...this.#members]) {
      this.#members.delete(member)
      // A statement that still runs would hold end() back.
      ;(
        member.client as unknown as { connection: { stream: { destroy(): void } } }
      ).connection.stream.destroy()
    }
  }
}

type PlainQuery = (query: unknown, values?: unknown[]) => Promise<unknown>
