import { hostname } from 'node:os'
import { asc, eq, gte, lt } from 'drizzle-orm'
import type { Store } from '@/db/store'
import type { Tables } from '@/db/tables'
import { q, unit } from '@/db/unit'
import type { Clock } from '@/server/clock'
import type { Log } from '@/server/log'
import { endsWithin } from '@/server/patience'
import { Repeating } from '@/server/repeating'

/** One console that serves the store. Times are UTC milliseconds. */
export type Instance = Tables['instances']['$inferSelect']

/** The register of the consoles that serve this store. */
export interface Instances {
  /** Name of this process in the register. */
  id: string
  /** Enters this process and keeps it entered. Throws nothing: a store that takes no writes is tried again. */
  start(): Promise<void>
  /** Those that live, the oldest first; this one is among them. */
  list(): Promise<Instance[]>
  /** Names of those that live beside this one. */
  others(): Promise<string[]>
  /** Takes this process out of the register. */
  close(): Promise<void>
}

interface Deps {
  store: Store
  clock: Clock
  log: Log
  id: string
  version: string
}

const PERIOD_MS = 5_000
/** One that was not seen for so long is gone: it was killed, or cut off from the store. */
const LATE_MS = 15_000
/** The end waits no longer for a store that does not answer. */
const LAST_WRITE_MS = 1_000

/** Opens the register; nothing is entered before `start()`. */
export function openInstances({ store, clock, log, id, version }: Deps): Instances {
  const startedAt = clock.now()
  const name = `${hostname()}:${process.pid}`
  const renew = () => {
    const now = clock.now()
    const row = { id, name, version, startedAt, seenAt: now }
    // A SQLite store is served by one process alone: whoever else is entered was killed.
    const before = store.dialect === 'sqlite' ? now : now - LATE_MS
    return store.run(enter, { row, before })
  }
  const failed = (error: unknown) => log.warn({ error }, 'not entered in the register of consoles')
  const renewal = new Repeating({
    ...{ period: PERIOD_MS, pace: 'begin-to-begin', tick: renew },
    // Said once: the store's own state tells the rest.
    failed: (error, again) => again || failed(error),
  })
  const list = () => {
    const { instances } = store.tables
    return store.db
      .select()
      .from(instances)
      .where(gte(instances.seenAt, clock.now() - LATE_MS))
      .orderBy(asc(instances.startedAt), asc(instances.id))
  }
  return {
    id,
    list,
    others: async () => (await list()).filter((one) => one.id !== id).map((one) => one.name),
    async start() {
      await renew().catch(failed)
      renewal.start()
    },
    async close() {
      await endsWithin(LAST_WRITE_MS, renewal.stop())
      await endsWithin(LAST_WRITE_MS, store.run(leave, { id }).catch(failed))
    },
  }
}

/** Enters a console or renews its entry, and takes out those that are late. */
const enter = unit('instances.enter', function* (tx, { row, before }: { row: Instance; before: number }) {
  const { instances } = tx.tables
  yield* q(
    tx.db
      .insert(instances)
      .values(row)
      .onConflictDoUpdate({ target: instances.id, set: { seenAt: row.seenAt } }),
  )
  yield* q(tx.db.delete(instances).where(lt(instances.seenAt, before)))
})

const leave = unit('instances.leave', function* (tx, { id }: { id: string }) {
  const { instances } = tx.tables
  yield* q(tx.db.delete(instances).where(eq(instances.id, id)))
})
