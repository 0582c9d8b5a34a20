import { and, eq, gte, lt, or } from 'drizzle-orm'
import { q, unit } from '@/db/unit'

/**
 * Takes or renews what one instance does for all; answers whether it is held. `fresh` tells that somebody else, or
 * nobody, held it until now.
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
