import { and, asc, eq, gte, inArray, lt, or, sql } from 'drizzle-orm'
import type { Store } from '@/db/store'
import { lockedIfFree, q, unit } from '@/db/unit'
import { HOUR_MS, type HourRow } from './hours'

/** Rows that one unit removes: a batch takes a few milliseconds and waits on nobody. */
const BATCH = 500

/**
 * Takes or renews a lease; answers whether it is held. Counters of the server are the same for every instance,
 * so that only its holder counts them; `fresh` tells that somebody else, or nobody, held it until now.
 */
export const holdLease = unit(
  'lease.hold',
  function* (tx, { name, owner, now, until }: { name: string; owner: string; now: number; until: number }) {
    const { leases } = tx.tables
    const mine = and(eq(leases.name, name), eq(leases.owner, owner), gte(leases.until, now))
    const renewed = yield* q(tx.db.update(leases).set({ until }).where(mine).returning({ name: leases.name }))
    if (renewed.length > 0) return { held: true, fresh: false }
    const made = yield* q(
      tx.db
        .insert(leases)
        .values({ name, owner, until })
        .onConflictDoNothing()
        .returning({ name: leases.name }),
    )
    if (made.length > 0) return { held: true, fresh: true }
    const free = and(eq(leases.name, name), or(lt(leases.until, now), eq(leases.owner, owner)))
    const taken = yield* q(
      tx.db.update(leases).set({ owner, until }).where(free).returning({ name: leases.name }),
    )
    return { held: taken.length > 0, fresh: true }
  },
)

/** Lets another instance take it at once. */
export const releaseLease = unit('lease.release', function* (tx, { name, owner }: Lease) {
  const { leases } = tx.tables
  yield* q(tx.db.delete(leases).where(and(eq(leases.name, name), eq(leases.owner, owner))))
})

interface Lease {
  name: string
  owner: string
}

/** Writes what one writer counted in an hour so far, in place of what it wrote before: twice does no harm. */
export const writeHours = unit(
  'statements.write',
  function* (tx, { rows, writer }: { rows: HourRow[]; writer: string }) {
    const { statementRollups } = tx.tables
    if (rows.length === 0) return
    const values = rows.map((row) => ({ ...row, id: `${row.fingerprint}:${row.at}:${writer}`, writer }))
    yield* q(
      tx.db
        .insert(statementRollups)
        .values(values)
        .onConflictDoUpdate({
          target: statementRollups.id,
          set: {
            calls: sql`excluded.calls`,
            total: sql`excluded.total`,
            longest: sql`excluded.longest`,
            rows: sql`excluded.rows`,
          },
        }),
    )
  },
)

/** Removes a batch of hours that began before. Answers how many rows went. */
export const cleanHours = unit('statements.clean', function* (tx, { before }: { before: number }) {
  const { statementRollups } = tx.tables
  const rows = yield* q(
    lockedIfFree(
      tx.db
        .select({ id: statementRollups.id })
        .from(statementRollups)
        .where(lt(statementRollups.at, before))
        .orderBy(asc(statementRollups.at))
        .limit(BATCH),
    ),
  )
  const ids = rows.map(({ id }) => id)
  if (ids.length > 0) yield* q(tx.db.delete(statementRollups).where(inArray(statementRollups.id, ids)))
  return ids.length
})

/** Stored hours of one statement that touch the window, by writer. */
export async function readHours(
  store: Store,
  fingerprint: string,
  { from, to }: { from: number; to: number },
): Promise<(HourRow & { writer: string })[]> {
  const { statementRollups } = store.tables
  return store.reads
    .select()
    .from(statementRollups)
    .where(
      and(
        eq(statementRollups.fingerprint, fingerprint),
        gte(statementRollups.at, Math.floor(from / HOUR_MS) * HOUR_MS),
        lt(statementRollups.at, to),
      ),
    )
}

/** Statements of indexes that were made from here and stand: their hours are kept, however quick they are now. */
export async function readPinned(store: Store, since: number): Promise<Set<string>> {
  const { indexChanges } = store.tables
  const rows = await store.reads
    .select({ fingerprints: indexChanges.fingerprints })
    .from(indexChanges)
    .where(and(eq(indexChanges.state, 'applied'), gte(indexChanges.requestedAt, since)))
  return new Set(rows.flatMap(({ fingerprints }) => fingerprints))
}
