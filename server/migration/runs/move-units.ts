import { and, eq, isNull } from 'drizzle-orm'
import { q, unit } from '@/db/unit'
import { appendAudit, type Caller, system } from '@/server/audit'
import { refuseUnaccepted } from './rejects'
import type { SwitchBackReport, SwitchoverReport } from './run'
import { audit, describe, lockRun, type Privileged, useUp, wrongState } from './run-units'

// What is kept of a run while the console moves by it: to PostgreSQL, and back.

const MOVES = {
  switchover: {
    phase: 'switchover',
    from: 'completed',
    to: 'switched_over',
    participle: 'switched over',
    action: 'migration.switchOver',
    started: 'sys_migration_switchover_started',
    ended: 'sys_migration_switched_over',
    failed: 'sys_migration_switchover_failed',
  },
  switchBack: {
    phase: 'switch_back',
    from: 'switched_over',
    to: 'switched_back',
    participle: 'switched back',
    action: 'migration.switchBack',
    started: 'sys_migration_switch_back_started',
    ended: 'sys_migration_switched_back',
    failed: 'sys_migration_switch_back_failed',
  },
} as const

type Move = keyof typeof MOVES

/** Notes that the console begins to move; the run stays in its state until the store has moved. Throws CONFLICT. */
export const beginMove = unit(
  'run.beginMove',
  function* (tx, { move, ...request }: Privileged & { move: Move }) {
    const { migrationRuns: runs } = tx.tables
    const { id, caller, now } = request
    const { phase, from, participle, action, started } = MOVES[move]
    const run = yield* lockRun(tx, id)
    if (move === 'switchover') refuseUnaccepted(run)
    const [begun] = yield* q(
      tx.db
        .update(runs)
        .set({ phase, error: null })
        .where(and(eq(runs.id, id), eq(runs.state, from), isNull(runs.phase)))
        .returning({ id: runs.id }),
    )
    if (!begun) throw wrongState(run.state, participle)
    yield* useUp(tx, request, action)
    yield* audit(tx, caller, now, started, id, describe(run))
  },
)

/** How a move went, under its name. */
type Moved =
  | { move: 'switchover'; report: SwitchoverReport }
  | { move: 'switchBack'; report: SwitchBackReport }

/** The console has moved; in the store that it stands on now. */
export const finishMove = unit(
  'run.finishMove',
  function* (
    tx,
    { id, move, report: moved, caller, now }: Moved & { id: string; caller: Caller; now: number },
  ) {
    const { migrationRuns: runs } = tx.tables
    const { from, to, ended } = MOVES[move]
    const run = yield* lockRun(tx, id)
    if (run.state !== from) return
    const report = run.report && { ...run.report, [move]: moved }
    yield* q(
      tx.db
        .update(runs)
        .set({ state: to, phase: null, report })
        .where(and(eq(runs.id, id), eq(runs.state, from))),
    )
    yield* audit(tx, caller, now, ended, id, { ...describe(run), ...moved })
  },
)

/** The console did not move: the run is as before, with the reason in the audit log. */
export const dropMove = unit(
  'run.dropMove',
  function* (tx, { id, move, reason, now }: { id: string; move: Move; reason: string; now: number }) {
    const { migrationRuns: runs } = tx.tables
    const { from, failed } = MOVES[move]
    yield* q(
      tx.db
        .update(runs)
        .set({ phase: null })
        .where(and(eq(runs.id, id), eq(runs.state, from))),
    )
    yield* appendAudit(tx, {
      ...system,
      time: now,
      event: failed,
      target: `run:${id}`,
      outcome: 'failure',
      reason,
    })
  },
)
