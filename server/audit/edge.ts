import { eq } from 'drizzle-orm'
import { EDGE } from '@/db/audit-guard'
import type { Db } from '@/db/open'
import type { Tables } from '@/db/tables'
import { q, type Tx, type Work } from '@/db/unit'

/** The last event that retention has dropped: the log begins behind it. */
export interface PrunedEdge {
  epoch: number
  seq: number
  hash: string
  by: string
  /** UTC milliseconds. */
  at: number
}

/** Where the log begins; null when nothing was ever dropped. What an event of the log says of it can be verified. */
export async function readEdge({ db, tables }: { db: Db; tables: Tables }): Promise<PrunedEdge | null> {
  const [row] = await db
    .select({ value: tables.meta.value })
    .from(tables.meta)
    .where(eq(tables.meta.key, EDGE))
  return row ? (JSON.parse(row.value) as PrunedEdge) : null
}

/** Keeps it, inside the unit that begins to drop. */
export function* keepEdge(tx: Tx, edge: PrunedEdge): Work<void> {
  const { meta } = tx.tables
  const value = JSON.stringify(edge)
  yield* q(
    tx.db.insert(meta).values({ key: EDGE, value }).onConflictDoUpdate({ target: meta.key, set: { value } }),
  )
}
