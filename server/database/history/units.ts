import { and, asc, eq, gte, inArray, lt, sql } from 'drizzle-orm'
import type { Store } from '@/db/store'
import { lockedIfFree, q, unit } from '@/db/unit'
import { HOUR_MS, type HourRow } from './hours'

/** Rows that one unit removes: a batch takes a few milliseconds and waits on nobody. */
const BATCH = 500

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
