import { and, eq, inArray, or, sql } from 'drizzle-orm'
import type { RunState } from '@/db/tables'
import { locked, q, type Tx, unit } from '@/db/unit'
import { appendAudit, system } from '@/server/audit'
import type { Failure, Plan } from '../types'
import { storableJson } from './json'
import { type RunCheck, type RunValues, toRun } from './run'
import { ACTIVE, lockRun } from './run-units'
import { free, isDue } from './runs'

// What the driver of a run writes, as opposed to what people ask for (run-units.ts).

/** Keeps what planning found, while the run is still only planned. */
export const keepPlan = unit(
  'run.keepPlan',
  function* (
    tx,
    {
      id,
      ...values
    }: { id: string; plan?: Plan | null; checks?: RunCheck[]; error?: Failure | null; phase?: string | null },
  ) {
    const { migrationRuns: runs } = tx.tables
    yield* q(
      tx.db
        .update(runs)
        .set(storableJson(values))
        .where(and(eq(runs.id, id), eq(runs.state, 'planned'))),
    )
  },
)

/** How a run ended, by what its worker reported. */
export interface Settlement {
  id: string
  state: 'completed' | 'failed' | 'cancelled' | 'paused'
  /** Its source is followed from now on. */
  phase: 'following' | null
  now: number
  values?: Partial<RunValues>
  reason?: string
  /** Without an entry in the audit log. */
  silent?: boolean
}

export const settleRun = unit('run.settle', function* (tx, input: Settlement) {
  const { id, state, phase, now, values, reason, silent } = input
  const ended = state !== 'paused'
  const from: RunState[] = state === 'paused' ? ['running'] : [...ACTIVE]
  const { migrationRuns: runs } = tx.tables
  const [row] = yield* q(
    tx.db
      .update(runs)
      .set({ ...storableJson(values), state, phase, ...(ended && { endedAt: now }) })
      .where(and(eq(runs.id, id), inArray(runs.state, from)))
      .returning({ id: runs.id }),
  )
  if (!row) return false
  if (silent) return true
  yield* appendAudit(tx, {
    ...system,
    time: now,
    event: `sys_migration_${state === 'cancelled' ? 'undone' : state}`,
    target: `run:${id}`,
    outcome: state === 'failed' ? 'failure' : 'success',
    reason: reason ?? null,
  })
  return true
})

/** The time has come to try a run again that waits: paused → running. False when it is not waiting any more. */
export const retryRun = unit('run.retry', function* (tx, { id, now }: { id: string; now: number }) {
  const { migrationRuns: runs } = tx.tables
  const [row] = yield* q(
    locked(
      tx.db
        .select()
        .from(runs)
        .where(and(eq(runs.id, id), free(tx.tables, now))),
    ),
  )
  if (row?.state !== 'paused' || !isDue(row.error as Failure | null, now)) return false
  yield* q(tx.db.update(runs).set({ state: 'running', error: null }).where(eq(runs.id, id)))
  return true
})

/** Takes the lease of a run that nobody else holds. Answers the run, or null when it is held or gone. */
export const claimRun = unit(
  'run.claim',
  function* (tx, { id, owner, now, until }: { id: string; owner: string; now: number; until: number }) {
    const { migrationRuns: runs } = tx.tables
    const [row] = yield* q(
      tx.db
        .update(runs)
        .set({ leaseOwner: owner, leaseUntil: until })
        .where(and(eq(runs.id, id), or(free(tx.tables, now), eq(runs.leaseOwner, owner))))
        .returning(),
    )
    return row ? toRun(row) : null
  },
)

/** Renews the lease, with whatever changed since. Answers the state that is asked for; null when the lease is lost. */
export const keepRun = unit(
  'run.keep',
  function* (
    tx,
    input: { id: string; owner: string; until: number; values?: Partial<RunValues>; phase?: string | null },
  ) {
    const { migrationRuns: runs } = tx.tables
    // A heartbeat that was under way while the run ended must not bring its last phase back.
    const phase = input.phase !== undefined && {
      phase: sql`CASE WHEN ${inArray(runs.state, ['running', 'paused'])} THEN ${input.phase} ELSE ${runs.phase} END`,
    }
    const [row] = yield* q(
      tx.db
        .update(runs)
        .set({ ...storableJson(input.values), ...phase, leaseUntil: input.until })
        .where(and(eq(runs.id, input.id), eq(runs.leaseOwner, input.owner)))
        .returning({ state: runs.state }),
    )
    return row?.state ?? null
  },
)

/** Gives the leases of an instance back. Without an id: all of them. */
export const releaseRuns = unit('run.release', function* (tx, { owner, id }: { owner: string; id?: string }) {
  const { migrationRuns: runs } = tx.tables
  yield* q(
    tx.db
      .update(runs)
      .set({ leaseOwner: null, leaseUntil: null })
      .where(and(eq(runs.leaseOwner, owner), id === undefined ? undefined : eq(runs.id, id))),
  )
})

/** Nobody else can hold a lease on a store that has one serving process: they are left from one that died. */
export const dropLeases = unit('run.dropLeases', function* (tx, _: null) {
  yield* q(tx.db.update(tx.tables.migrationRuns).set({ leaseOwner: null, leaseUntil: null }))
})

export const appendLog = unit('run.log', function* (tx, line: Tx['tables']['migrationLog']['$inferInsert']) {
  yield* lockRun(tx, line.runId)
  yield* q(tx.db.insert(tx.tables.migrationLog).values(line))
})
