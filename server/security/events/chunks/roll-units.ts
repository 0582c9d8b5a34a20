import { and, eq, inArray, lte, sql } from 'drizzle-orm'
import type { Store } from '@/db/store'
import type { AuditOutcome, Severity } from '@/db/tables'
import { q, type Tx, unit, type Work } from '@/db/unit'

/** How far the log was rolled up. */
export interface Rolled {
  /** So many chunks, from the log's beginning on, are counted and written. */
  chunks: number
  /** Numbers up to here were pruned, and are counted no more. */
  pruned: number
}

/** Events of one kind in one step. */
export interface Count {
  step: number
  at: number
  event: string
  outcome: AuditOutcome
  severity: Severity
  source: string | null
  /** Below zero: so many were pruned. */
  events: number
}

export interface ChunkRecord {
  id: number
  events: number
  minTime: number
  maxTime: number
  values: string
  data: string
}

interface Step {
  /** What was read before: where that has changed, somebody else was quicker and nothing happens. */
  before: Rolled
  after: Rolled
  counts: Count[]
  write?: ChunkRecord
  remove?: number
}

const KEY = 'events.rolled'
/** SQLite binds at most 32,766 values in one statement. */
const BATCH = 500

export async function readRolled({ db, tables: { meta } }: Store): Promise<Rolled> {
  const [row] = await db.select({ value: meta.value }).from(meta).where(eq(meta.key, KEY))
  return row ? (JSON.parse(row.value) as Rolled) : { chunks: 0, pruned: 0 }
}

const textOf = ({ chunks, pruned }: Rolled) => JSON.stringify({ chunks, pruned })

/** Rolls one chunk up, or takes it out again: chunk, counts and how far it went, together. Answers whether it did. */
export const rollStep = unit('events.roll', function* (tx, step: Step) {
  if (!(yield* moved(tx, step))) return false
  const { eventChunks } = tx.tables
  if (step.write) yield* q(tx.db.insert(eventChunks).values(step.write).onConflictDoNothing())
  if (step.remove !== undefined) yield* q(tx.db.delete(eventChunks).where(eq(eventChunks.id, step.remove)))
  yield* add(tx, step.counts)
  return true
})

function* moved(tx: Tx, { before, after }: Step): Work<boolean> {
  const { meta } = tx.tables
  const updated = yield* q(
    tx.db
      .update(meta)
      .set({ value: textOf(after) })
      .where(and(eq(meta.key, KEY), eq(meta.value, textOf(before))))
      .returning({ key: meta.key }),
  )
  if (updated.length > 0) return true
  if (before.chunks > 0 || before.pruned > 0) return false
  const made = yield* q(
    tx.db
      .insert(meta)
      .values({ key: KEY, value: textOf(after) })
      .onConflictDoNothing()
      .returning({ key: meta.key }),
  )
  return made.length > 0
}

function* add(tx: Tx, counts: Count[]): Work<void> {
  const { eventCounts: at } = tx.tables
  const rows = counts.map((count) => ({ ...count, id: idOf(count) }))
  for (let from = 0; from < rows.length; from += BATCH) {
    const some = rows.slice(from, from + BATCH)
    yield* q(
      tx.db
        .insert(at)
        .values(some)
        .onConflictDoUpdate({ target: at.id, set: { events: sql`${at.events} + excluded.events` } }),
    )
    const lessened = some.filter(({ events }) => events < 0).map(({ id }) => id)
    if (lessened.length > 0)
      yield* q(tx.db.delete(at).where(and(inArray(at.id, lessened), lte(at.events, 0))))
  }
}

const idOf = ({ step, at, event, outcome, severity, source }: Count) =>
  JSON.stringify([step, at, event, outcome, severity, source])
