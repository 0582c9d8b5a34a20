import type { Client } from 'pg'
import { databaseCode } from '@/db/errors'
import type { FullConfig } from '../pool/config'
import { openClient } from '../pool/connection-open'
import type { Seen } from './judge'
import { byteOf } from './lsn'

export interface ProbeDeps {
  config: FullConfig
  /** Milliseconds from one answer to the next question. */
  period: number
  answered(seen: Seen, roundTrip: number): void
  /** It does not answer, for this reason. */
  silent(error: unknown): void
  /** Names of functions of the database that may write. */
  functions(names: string[]): void
}

/** Milliseconds that connecting, or an answer, may take. */
const DEADLINE = 1_000
/** The pause between attempts to connect grows to this. */
const LONGEST_PAUSE = 1_000
/** Functions that somebody adds are known after this long. */
const FUNCTIONS_MS = 60_000

/**
 * The timeline stands in the name of the log file on a primary, at once after a promotion; on a replica in the
 * control file, which may lag, or at the receiver, which only pg_read_all_stats may see.
 */
const STATE = `
  SELECT pg_is_in_recovery() AS recovering,
         (SELECT system_identifier::text FROM pg_control_system()) AS system,
         CASE WHEN pg_is_in_recovery()
              THEN greatest((SELECT timeline_id FROM pg_control_checkpoint()),
                            (SELECT min_recovery_end_timeline FROM pg_control_recovery()),
                            (SELECT received_tli FROM pg_stat_wal_receiver))
              ELSE ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int
         END AS timeline,
         CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_insert_lsn() END::text AS lsn`

/** The same for a role from which the control file is kept. */
const LITTLE = `
  SELECT pg_is_in_recovery() AS recovering, NULL AS system, NULL AS timeline,
         CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_insert_lsn() END::text AS lsn`

const FUNCTIONS = `
  SELECT DISTINCT p.proname AS name
    FROM pg_proc p
    JOIN pg_namespace n ON n.oid = p.pronamespace
   WHERE p.provolatile = 'v' AND p.prokind IN ('f', 'p', 'w')
     AND n.nspname NOT IN ('pg_catalog', 'information_schema')
   LIMIT 5000`

/** Asks one node again and again, over a connection of its own, what it is and how far its log goes. */
export class Probe {
  readonly #deps: ProbeDeps
  #client: Client | undefined
  #statement = STATE
  #misses = 0
  #pause = 0
  #functionsAt = 0
  #timer: NodeJS.Timeout | undefined
  #asking: Promise<void> | undefined
  #ended = false

  constructor(deps: ProbeDeps) {
    this.#deps = deps
    setImmediate(() => void this.now())
  }

  /** Asks without waiting for the turn; joins a question that is on its way. */
  now(): Promise<void> {
    clearTimeout(this.#timer)
    if (this.#ended) return Promise.resolve()
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined
      if (this.#ended) return
      this.#timer = setTimeout(() => void this.now(), this.#client ? this.#deps.period : this.#pause)
      this.#timer.unref()
    })
    return this.#asking
  }

  async end(): Promise<void> {
    this.#ended = true
    clearTimeout(this.#timer)
    this.#cut()
    await this.#asking
  }

  async #ask(): Promise<void> {
    try {
      this.#client ??= await this.#connect()
      const client = this.#client
      const start = performance.now()
      const seen = await this.#state(client)
      this.#misses = 0
      this.#pause = 0
      if (this.#ended) return
      this.#deps.answered(seen, performance.now() - start)
      await this.#learn(client)
    } catch (error) {
      this.#cut()
      this.#pause = Math.min(LONGEST_PAUSE, Math.max(50, this.#pause * 2))
      if (!this.#ended) this.#miss(error)
    }
  }

  /** One late answer may be this process's own doing; a refusal, or a second one, is not. */
  #miss(error: unknown): void {
    this.#misses++
    // A server that admits nobody more is alive.
    if (databaseCode(error) === '53300') return
    if (error === late && this.#misses < 2) this.#pause = 0
    else this.#deps.silent(error)
  }

  async #connect(): Promise<Client> {
    let opened: Client | undefined
    opened = await openClient({ ...this.#deps.config, connectTimeout: DEADLINE }, () => {
      if (!opened || opened !== this.#client) return
      this.#cut()
      // Whether the server has ended shows when it can't be connected.
      if (!this.#asking) void this.now()
    })
    if (!this.#ended) return opened
    void opened.end().catch(() => {})
    throw late
  }

  async #state(client: Client): Promise<Seen> {
    const rows = await within(client, this.#statement).catch((error: unknown) => {
      // 42501: the role may not; 42883: an older release knows no such function.
      if (!['42501', '42883', '0A000'].includes(databaseCode(error) ?? '')) throw error
      this.#statement = LITTLE
      return within(client, LITTLE)
    })
    const { recovering, system, timeline, lsn } = rows[0] ?? {}
    return {
      recovering: recovering === true,
      system: system === null ? null : String(system),
      timeline: timeline === null ? null : Number(timeline),
      byte: byteOf(String(lsn)) ?? 0n,
    }
  }

  async #learn(client: Client): Promise<void> {
    const now = performance.now()
    if (this.#functionsAt > 0 && now - this.#functionsAt < FUNCTIONS_MS) return
    this.#functionsAt = now
    const rows = await within(client, FUNCTIONS)
    this.#deps.functions(rows.map(({ name }) => String(name)))
  }

  #cut(): void {
    const client = this.#client as unknown as { connection: { stream: { destroy(): void } } } | undefined
    this.#client = undefined
    client?.connection.stream.destroy()
  }
}

const late = new Error('The server did not answer in time.')

/** Rows of one statement. What has arrived when the deadline is over still counts: this process may be the late one. */
function within(client: Client, text: string): Promise<Record<string, unknown>[]> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => setImmediate(() => reject(late)), DEADLINE)
    client
      .query(text)
      .then(({ rows }) => resolve(rows), reject)
      .finally(() => clearTimeout(timer))
  })
}
