import { databaseCode } from '@/db/errors'
import { isHoldfastError } from '@/server/errors'
import { isLost, statementTimeout, unavailable } from '../failures'
import type { DirectConnection, PostgresPool } from '../pool/pool'
import { marked } from './mark'

/** What the inspection needs of a pool, or of several with one primary. */
export type Inspected = Pick<PostgresPool, 'config' | 'direct' | 'statements' | 'processes'>

export type Row = Record<string, unknown>

export type Ask = (text: string, values?: unknown[]) => Promise<Row[]>

/** Milliseconds that a statement waits for a lock. */
const LOCK_WAIT = 500
/** Milliseconds after which a connection that nobody uses is closed. */
const KEPT = 10_000
/** The primary may be another server by now: no connection is kept for longer. */
const LIFETIME = 30_000
/** The server's own deadline comes first: then the connection goes on. */
const GRACE = 500

interface Held {
  connection: DirectConnection
  pid: number
  lost: boolean
  openedAt: number
  timer?: NodeJS.Timeout
}

/**
 * Connections of the inspection, outside the pool: the page must answer when all of the pool are taken. They are
 * opened when they are needed and kept for a few seconds.
 */
export class Inspection {
  readonly pool: Inspected
  readonly #idle: Held[] = []
  readonly #open = new Set<Held>()

  constructor(pool: Inspected) {
    this.pool = pool
  }

  /** Their process ids at the server. */
  get pids(): number[] {
    return [...this.#open].map(({ pid }) => pid)
  }

  /**
   * Runs `work` in a read-only transaction that is rolled back, within `deadline` milliseconds for one statement and
   * for all of them together. Throws DATABASE_UNAVAILABLE when the server is away or doesn't answer in time, and the
   * server's own error otherwise.
   */
  async within<T>(deadline: number, work: (ask: Ask) => Promise<T>): Promise<T> {
    const until = performance.now() + deadline + GRACE
    const held = this.#idle.pop() ?? (await this.#opened())
    clearTimeout(held.timer)
    const ask = asking(held.connection, until)
    try {
      await ask('BEGIN TRANSACTION READ ONLY')
      const [own] = await ask(SETTINGS, [`${deadline}ms`, `${LOCK_WAIT}ms`])
      held.pid = Number(own?.pid)
      const result = await work(ask)
      await ask('ROLLBACK')
      this.#keep(held)
      return result
    } catch (error) {
      this.#close(held)
      throw explained(error, this.pool.config, deadline)
    }
  }

  /** Lends a connection for what can't run in a transaction, and closes it then. */
  async alone<T>(deadline: number, work: (ask: Ask) => Promise<T>): Promise<T> {
    const held = await this.#opened()
    try {
      const ask = asking(held.connection, performance.now() + deadline + GRACE)
      const [own] = await ask('SELECT pg_backend_pid() AS pid')
      held.pid = Number(own?.pid)
      return await work(ask)
    } catch (error) {
      throw explained(error, this.pool.config, deadline)
    } finally {
      this.#close(held)
    }
  }

  async #opened(): Promise<Held> {
    const held: Held = {
      connection: await this.pool.direct(),
      pid: 0,
      lost: false,
      openedAt: performance.now(),
    }
    held.connection.onLost(() => {
      held.lost = true
      this.#close(held)
    })
    this.#open.add(held)
    return held
  }

  #keep(held: Held): void {
    if (held.lost) return
    if (performance.now() - held.openedAt > LIFETIME) {
      this.#close(held)
      return
    }
    this.#idle.push(held)
    held.timer = setTimeout(() => this.#close(held), KEPT).unref()
  }

  #close(held: Held): void {
    clearTimeout(held.timer)
    const at = this.#idle.indexOf(held)
    if (at >= 0) this.#idle.splice(at, 1)
    if (this.#open.delete(held)) held.connection.release(true)
  }
}

const SETTINGS = `
  SELECT set_config('statement_timeout', $1, true), set_config('lock_timeout', $2, true),
         set_config('jit', 'off', true), pg_backend_pid() AS pid`

function asking(connection: DirectConnection, until: number): Ask {
  return async (text, values = []) => {
    const left = Math.max(1, until - performance.now())
    const asked = { text: marked(text), values, query_timeout: left }
    const { rows } = (await connection.query(asked as never)) as unknown as { rows: Row[] }
    return rows
  }
}

function explained(error: unknown, place: Inspected['config'], deadline: number): unknown {
  if (isHoldfastError(error)) return error
  const code = databaseCode(error)
  // Cancelled by its deadline, or a lock that did not come free.
  if (code === '57014' || code === '55P03') return statementTimeout(place, deadline)
  return isLost(error) ? unavailable(place, error) : error
}

/** The server understood and refused, and the session goes on. */
export function refusal(error: unknown): string | undefined {
  const code = isHoldfastError(error) ? undefined : databaseCode(error)
  return code !== undefined && /^[0-9A-Z]{5}$/.test(code) && !/^(08|57P)/.test(code) ? code : undefined
}

/** Asks within a savepoint: the SQLSTATE instead of rows where the server refuses, and the transaction goes on. */
export function attempt(ask: Ask, text: string, values?: unknown[]): Promise<Row[] | string> {
  return attempted(ask, () => ask(text, values))
}

/** The same for several statements. */
export async function attempted<T>(ask: Ask, work: () => Promise<T>): Promise<T | string> {
  await ask('SAVEPOINT part')
  try {
    const result = await work()
    await ask('RELEASE SAVEPOINT part')
    return result
  } catch (error) {
    const code = refusal(error)
    if (code === undefined) throw error
    await ask('ROLLBACK TO SAVEPOINT part')
    return code
  }
}
