import { and, eq, isNull } from 'drizzle-orm'
import { q, unit } from '@/db/unit'
import { appendAudit, type Caller, system } from '@/server/audit'
import { refuseUnaccepted } from './rejects'
import { audit, describe, lockRun, type Privileged, useUp, wrongState } from './run-units'
import type { SwitchBackReport, SwitchoverReport } from './runs'

// What is kept of a run while the console moves by it: to PostgreSQL, and back.

/** Notes that a switchover of the console's own store begins; the run stays completed until the store has moved. */
export const beginSwitchover = unit(
  'run.beginSwitchover',
  function* (tx, { id, caller, grantId, now }: Privileged) {
    const { migrationRuns: runs } = tx.tables
    const run = yield* lockRun(tx, id)
    refuseUnaccepted(run)
    const [begun] = yield* q(
      tx.db
        .update(runs)
        .set({ phase: 'switchover', error: null })
        .where(and(eq(runs.id, id), eq(runs.state, 'completed'), isNull(runs.phase)))
        .returning({ id: runs.id }),
    )
    if (!begun) throw wrongState(run.state, 'switched over')
    yield* useUp(tx, { id, caller, grantId, now }, 'migration.switchOver')
    yield* audit(tx, caller, now, 'sys_migration_switchover_started', id, describe(run))
  },
)

/** completed → switched_over, in the store on PostgreSQL. */
export const finishSwitchover = unit(
  'run.finishSwitchover',
  function* (
    tx,
    {
      id,
      switchover,
      caller,
      now,
    }: { id: string; switchover: SwitchoverReport; caller: Caller; now: number },
  ) {
    const { migrationRuns: runs } = tx.tables
    const run = yield* lockRun(tx, id)
    if (run.state !== 'completed') return
    const report = run.report && { ...run.report, switchover }
    yield* q(
      tx.db
        .update(runs)
        .set({ state: 'switched_over', phase: null, report })
        .where(and(eq(runs.id, id), eq(runs.state, 'completed'))),
    )
    yield* audit(tx, caller, now, 'sys_migration_switched_over', id, { ...describe(run), ...switchover })
  },
)

/** The switchover did not happen: the run is completed as before, with the reason. */
export const dropSwitchover = unit(
  'run.dropSwitchover',
  function* (tx, { id, reason, now }: { id: string; reason: string; now: number }) {
    const { migrationRuns: runs } = tx.tables
    yield* q(
      tx.db
        .update(runs)
        .set({ phase: null })
        .where(and(eq(runs.id, id), eq(runs.state, 'completed'))),
    )
    yield* appendAudit(tx, {
      ...system,
      time: now,
      event: 'sys_migration_switchover_failed',
      target: `run:${id}`,
      outcome: 'failure',
      reason,
    })
  },
)

/** Notes that the console begins to move back to SQLite; the run stays switched over until it has. */
export const beginSwitchBack = unit(
  'run.beginSwitchBack',
  function* (tx, { id, caller, grantId, now }: Privileged) {
    const { migrationRuns: runs } = tx.tables
    const run = yield* lockRun(tx, id)
    const [begun] = yield* q(
      tx.db
        .update(runs)
        .set({ phase: 'switch_back', error: null })
        .where(and(eq(runs.id, id), eq(runs.state, 'switched_over'), isNull(runs.phase)))
        .returning({ id: runs.id }),
    )
    if (!begun) throw wrongState(run.state, 'switched back')
    yield* useUp(tx, { id, caller, grantId, now }, 'migration.switchBack')
    yield* audit(tx, caller, now, 'sys_migration_switch_back_started', id, describe(run))
  },
)

/** switched_over → switched_back, in the store on SQLite. */
export const finishSwitchBack = unit(
  'run.finishSwitchBack',
  function* (
    tx,
    {
      id,
      switchBack,
      caller,
      now,
    }: { id: string; switchBack: SwitchBackReport; caller: Caller; now: number },
  ) {
    const { migrationRuns: runs } = tx.tables
    const run = yield* lockRun(tx, id)
    if (run.state !== 'switched_over') return
    const report = run.report && { ...run.report, switchBack }
    yield* q(tx.db.update(runs).set({ state: 'switched_back', phase: null, report }).where(eq(runs.id, id)))
    yield* audit(tx, caller, now, 'sys_migration_switched_back', id, { ...describe(run), ...switchBack })
  },
)

/** The switch-back did not happen: the run is switched over as before, with the reason. */
export const dropSwitchBack = unit(
  'run.dropSwitchBack',
  function* (tx, { id, reason, now }: { id: string; reason: string; now: number }) {
    const { migrationRuns: runs } = tx.tables
    yield* q(
      tx.db
        .update(runs)
        .set({ phase: null })
        .where(and(eq(runs.id, id), eq(runs.state, 'switched_over'))),
    )
    yield* appendAudit(tx, {
      ...system,
      time: now,
      event: 'sys_migration_switch_back_failed',
      target: `run:${id}`,
      outcome: 'failure',
      reason,
    })
  },
)
