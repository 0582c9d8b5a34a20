import type { Store } from '@/db/store'
import type { Clock } from '@/server/clock'
import { holdLease, releaseLease } from '@/server/leases'
import type { Log } from '@/server/log'
import { endsWithin } from '@/server/patience'
import { Repeating } from '@/server/repeating'
import type { Inspector } from '../inspect/types'
import { HOUR_MS, Hours } from './hours'
import { cleanHours, readHours, readPinned, writeHours } from './units'

export interface StatementHistoryDeps {
  store: Store
  clock: Clock
  log: Log
  /** The database under the store, which a switchover replaces. */
  database: () => { inspect: Pick<Inspector, 'statements'> }
  /** Names this process among those that share the store. */
  instance: string
}

/** Columns of equal length, oldest first. Hours of which nothing is known are left out. */
export interface StatementColumns {
  /** Milliseconds that each stands for. */
  step: number
  at: number[]
  calls: number[]
  totalMs: number[]
}

/** Calls and time of the statements that take most of it, by the hour, for 30 days. */
export interface StatementHistory {
  of(fingerprint: string, window: { from: number; to: number }): Promise<StatementColumns>
  /** Reads the counters once, and writes what is due. Called every minute after `start`. */
  tick(): Promise<void>
  start(): void
  /** Writes what was counted last. */
  close(): Promise<void>
}

const READ_MS = 60_000
/** Hours are written this often, and when the process ends: so much is lost when it is killed. */
const WRITE_MS = 5 * 60_000
/** A holder that is late twice has lost its turn. */
const LEASE_MS = 3 * READ_MS
const LEASE = 'statement-history'
const CLEAN_MS = 60 * 60_000
const KEPT_MS = 30 * 24 * HOUR_MS
/** The end waits no longer for a store that does not answer. */
const LAST_WRITE_MS = 2_000

/**
 * Reads the counters of statements every minute and keeps their growth by the hour. Counters of the server are
 * counted by one instance at a time; when that one is killed, the three minutes until another takes over are
 * lost, and nothing is counted twice. Own samples every instance counts for itself.
 */
export function openStatementHistory(deps: StatementHistoryDeps): StatementHistory {
  const { store, clock, log, database, instance } = deps
  const hours = new Hours()
  let inspected: unknown
  let writtenAt = clock.now()
  let cleanedAt = Number.NEGATIVE_INFINITY

  /** Whether this instance counts, and did so at the reading before. */
  async function counts(source: 'own' | 'pg_stat_statements'): Promise<boolean> {
    if (source === 'own') return true
    const now = clock.now()
    const lease = { name: LEASE, owner: instance, now, until: now + LEASE_MS }
    const { held, fresh } = await store.run(holdLease, lease)
    if (fresh || !held) hours.restart(source)
    return held
  }

  async function read(): Promise<void> {
    const { inspect } = database()
    if (inspect !== inspected) hours.restart()
    inspected = inspect
    const { source, statements, missing } = await inspect.statements()
    if (missing && statements.length === 0) return
    if (await counts(source)) hours.add({ source, statements }, clock.now())
  }

  async function write(): Promise<void> {
    const now = clock.now()
    const rows = hours.rows(await readPinned(store, now - KEPT_MS))
    await store.run(writeHours, { rows, writer: instance })
    hours.wrote(rows, now)
    writtenAt = now
  }

  async function clean(): Promise<void> {
    cleanedAt = clock.now()
    const before = cleanedAt - KEPT_MS
    while ((await store.run(cleanHours, { before })) > 0)
      await new Promise((resolve) => setImmediate(resolve))
  }

  async function tick(): Promise<void> {
    await read()
    const now = clock.now()
    const over = Math.floor(now / HOUR_MS) > Math.floor(writtenAt / HOUR_MS)
    if (over || now - writtenAt >= WRITE_MS) await write()
    if (now - cleanedAt >= CLEAN_MS) await clean()
  }

  const repeating = new Repeating({
    ...{ period: READ_MS, pace: 'rest', tick },
    failed: (error, again) => again || log.warn({ error }, 'statements could not be noted'),
  })

  return {
    async of(fingerprint, window) {
      const stored = await readHours(store, fingerprint, window)
      const own = hours.of(fingerprint).filter(({ at }) => at + HOUR_MS > window.from && at < window.to)
      const newer = new Set(own.map(({ at }) => at))
      const rows = [...stored.filter(({ at, writer }) => writer !== instance || !newer.has(at)), ...own]
      const at = [...new Set(rows.map((row) => row.at))].sort((a, b) => a - b)
      const sum = (of: (row: (typeof rows)[number]) => number) =>
        at.map((hour) => rows.reduce((all, row) => (row.at === hour ? all + of(row) : all), 0))
      return {
        step: HOUR_MS,
        at,
        calls: sum(({ calls }) => calls),
        totalMs: sum(({ total }) => total / 1_000),
      }
    },
    tick,
    start: () => repeating.start(),
    async close() {
      await repeating.stop()
      const ending = write().then(() => store.run(releaseLease, { name: LEASE, owner: instance }))
      await endsWithin(
        LAST_WRITE_MS,
        ending.catch((error: unknown) => log.warn({ error }, 'the last statements could not be noted')),
      )
    },
  }
}
