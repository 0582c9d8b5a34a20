import { eq } from 'drizzle-orm'
import { z } from 'zod'
import type { Store } from '@/db/store'
import { locked, q, unit } from '@/db/unit'
import { appendAudit, type Caller, system } from '@/server/audit'
import type { Clock } from '@/server/clock'
import type { Log } from '@/server/log'
import { Repeating } from '@/server/repeating'

/** Keys in `meta`: the last backup that was made, and that of which it was told that it is too old. */
export const LAST = 'backup-last'
const OVERDUE = 'backup-overdue'

export const lastSchema = z.object({ at: z.int(), bytes: z.int(), path: z.string() })

/** The last backup that was made of this store: when it was begun, its size, and where it stands on its machine. */
export type LastBackup = z.infer<typeof lastSchema>

/** Notes a backup that was made, with its audit event. */
export const noteBackup = unit(
  'backup.note',
  function* (tx, { last, by, now, key }: { last: LastBackup; by: Caller; now: number; key: string }) {
    const { meta } = tx.tables
    const value = JSON.stringify(last)
    yield* q(
      tx.db
        .insert(meta)
        .values({ key: LAST, value })
        .onConflictDoUpdate({ target: meta.key, set: { value } }),
    )
    yield* appendAudit(tx, {
      ...{ ...by, time: now, event: 'sys_backup_made', outcome: 'success', target: `backup:${last.path}` },
      after: { bytes: last.bytes, masterKey: key },
    })
  },
)

/** Reads it; null before the first one. */
export async function lastBackup(store: Store): Promise<LastBackup | null> {
  const { meta } = store.tables
  const [row] = await store.db.select().from(meta).where(eq(meta.key, LAST))
  return row ? lastSchema.parse(JSON.parse(row.value)) : null
}

/** Tells in the log that there is no backup young enough: once for each that grew old, over all consoles. */
export const noteOverdue = unit(
  'backup.overdue',
  function* (tx, { maxAgeMs, now }: { maxAgeMs: number; now: number }) {
    const { meta } = tx.tables
    // Nothing was ever told, or nothing was ever made: what the store counts from is its first look.
    yield* q(
      tx.db
        .insert(meta)
        .values({ key: OVERDUE, value: JSON.stringify({ since: now, told: null }) })
        .onConflictDoNothing(),
    )
    const [told] = yield* q(locked(tx.db.select().from(meta).where(eq(meta.key, OVERDUE))))
    const [row] = yield* q(tx.db.select().from(meta).where(eq(meta.key, LAST)))
    const known = JSON.parse(told?.value ?? '{}') as { since: number; told: number | null }
    const last = row ? lastSchema.parse(JSON.parse(row.value)) : null
    const at = last?.at ?? known.since
    if (now - at <= maxAgeMs || known.told === at) return null
    const value = JSON.stringify({ ...known, told: at })
    yield* q(tx.db.update(meta).set({ value }).where(eq(meta.key, OVERDUE)))
    return yield* appendAudit(tx, {
      ...{ ...system, time: now, event: 'sys_backup_overdue', outcome: 'failure', severity: 'medium' },
      target: 'backup',
      reason: last ? `The last backup is of ${new Date(last.at).toISOString()}.` : 'No backup was ever made.',
    })
  },
)

/** The last backup of a store, looked after while the console runs. */
export interface BackupWatch {
  last(): Promise<LastBackup | null>
  start(): void
  close(): Promise<void>
}

const PERIOD_MS = 60_000

/** Watches over the age of the last backup. @param maxAgeMs null: nobody is told. */
export function openBackupWatch(
  { store, clock, log }: { store: Store; clock: Clock; log: Log },
  maxAgeMs: number | null,
): BackupWatch {
  const repeating = new Repeating({
    ...{ period: PERIOD_MS, pace: 'rest' },
    tick: async () => {
      if (maxAgeMs !== null) await store.run(noteOverdue, { maxAgeMs, now: clock.now() })
    },
    failed: (error, again) => again || log.warn({ error }, 'the age of the last backup was not looked at'),
  })
  return { last: () => lastBackup(store), start: () => repeating.start(), close: () => repeating.stop() }
}
