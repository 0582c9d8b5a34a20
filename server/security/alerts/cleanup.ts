import { asc, inArray, lt } from 'drizzle-orm'
import type { Store } from '@/db/store'
import { lockedIfFree, q, unit, type Work } from '@/db/unit'

/** How long alerts are kept, with what was sent of them. */
export const keptMs = 365 * 86_400_000

/** Rows that one unit removes: it takes a few milliseconds and waits on nobody. */
const BATCH = 200

const removeOld = unit('alerts.remove-old', function* (tx, { before }: { before: number }): Work<number> {
  const { alerts } = tx.tables
  const rows = yield* q(
    lockedIfFree(
      tx.db
        .select({ id: alerts.id })
        .from(alerts)
        .where(lt(alerts.createdAt, before))
        .orderBy(asc(alerts.createdAt))
        .limit(BATCH),
    ),
  )
  const ids = rows.map(({ id }) => id)
  if (ids.length > 0) yield* q(tx.db.delete(alerts).where(inArray(alerts.id, ids)))
  return ids.length
})

/** Removes alerts that are older than a year. Answers how many. */
export async function cleanAlerts(store: Store, now: number): Promise<number> {
  for (let removed = 0; ; ) {
    const batch = await store.run(removeOld, { before: now - keptMs })
    removed += batch
    if (batch < BATCH) return removed
  }
}
