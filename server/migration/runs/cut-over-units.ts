import { and, eq, inArray, isNull, or } from 'drizzle-orm'
import { q, type Tx, unit, type Work } from '@/db/unit'
import { appendAudit, type Caller, system } from '@/server/audit'
import { HoldfastError } from '@/server/errors'
import type { Failure, Validation } from '../types'
import { refuseUnaccepted } from './rejects'
import type { CutOverReport, Run } from './run'
import { type Asked, audit, describe, lockRun, type Privileged, useUp, wrongState } from './run-units'

/** What a captured run does once it is completed: its later writes follow, until it is cut over or deleted. */
export const restingPhase = ({ capture }: Pick<Run, 'capture'>) => (capture ? 'following' : null)

const resting = ({ migrationRuns: runs }: Tx['tables']) => or(isNull(runs.phase), eq(runs.phase, 'following'))

/** Notes that the application of a foreign source is about to be moved; whoever follows it lets go of its lease. */
export const beginCutOver = unit(
  'run.beginCutOver',
  function* (tx, { id, caller, grantId, now }: Privileged) {
    const { migrationRuns: runs } = tx.tables
    const run = yield* lockRun(tx, id)
    refuseLocked(run)
    refuseUnaccepted(run)
    const [begun] = yield* q(
      tx.db
        .update(runs)
        .set({ phase: 'switchover', error: null, leaseOwner: null, leaseUntil: null })
        .where(and(eq(runs.id, id), eq(runs.state, 'completed'), resting(tx.tables)))
        .returning({ id: runs.id }),
    )
    if (!begun) throw wrongState(run.state, 'cut over')
    yield* useUp(tx, { id, caller, grantId, now }, 'migration.cutOver')
    yield* audit(tx, caller, now, 'sys_migration_cut_over_started', id, describe(run))
  },
)

function refuseLocked({ sourceKind, purpose, validation }: Run): void {
  const why =
    sourceKind === 'store'
      ? 'The console’s own store is switched over, not cut over.'
      : sourceKind === 'upload'
        ? 'An uploaded file has no application that could be moved.'
        : purpose === 'compare'
          ? 'A run that only compares moves nothing.'
          : !validation?.ok
            ? 'Cutting over is locked: a check of the validation is red.'
            : null
  if (why) throw new HoldfastError('CONFLICT', { message: why, remedy: 'Choose another run.' })
}

/** completed → switched_over. */
export const finishCutOver = unit(
  'run.finishCutOver',
  function* (
    tx,
    input: { id: string; cutOver: CutOverReport; validation: Validation; caller: Caller; now: number },
  ) {
    const { id, cutOver, validation, caller, now } = input
    const { migrationRuns: runs } = tx.tables
    const run = yield* lockRun(tx, id)
    const report = run.report && { ...run.report, cutOver }
    yield* q(
      tx.db
        .update(runs)
        .set({ state: 'switched_over', phase: null, report, validation })
        .where(and(eq(runs.id, id), eq(runs.state, 'completed'))),
    )
    const { blockedMilliseconds, keysBroughtOver } = cutOver
    yield* audit(tx, caller, now, 'sys_migration_cut_over', id, {
      ...describe(run),
      blockedMilliseconds,
      keysBroughtOver,
    })
  },
)

/** The application was not moved: the run is completed as before, with the reason. */
export const dropCutOver = unit(
  'run.dropCutOver',
  function* (tx, { id, error, now }: { id: string; error: Failure; now: number }) {
    const run = yield* lockRun(tx, id)
    yield* rest(tx, run, error)
    yield* appendAudit(tx, {
      ...{ ...system, time: now, event: 'sys_migration_cut_over_failed', target: `run:${id}` },
      ...{ outcome: 'failure', reason: error.message },
    })
  },
)

function* rest(tx: Tx, run: Run, error: Failure | null): Work<void> {
  const { migrationRuns: runs } = tx.tables
  yield* q(
    tx.db
      .update(runs)
      .set({ phase: restingPhase(run), error: error && { ...error, retryAt: undefined } })
      .where(and(eq(runs.id, run.id), inArray(runs.state, ['completed']))),
  )
}

/** switched_over → completed: the application writes to its old source again. */
export const noteReopened = unit('run.noteReopened', function* (tx, { id, caller, now }: Asked) {
  const { migrationRuns: runs } = tx.tables
  const run = yield* lockRun(tx, id)
  const [reopened] = yield* q(
    tx.db
      .update(runs)
      .set({ state: 'completed', phase: restingPhase(run) })
      .where(and(eq(runs.id, id), eq(runs.state, 'switched_over')))
      .returning({ id: runs.id }),
  )
  if (!reopened) throw wrongState(run.state, 'reopened')
  yield* audit(tx, caller, now, 'sys_migration_source_reopened', id, describe(run))
})

/** Whether the source of a completed run is followed. Whoever follows it lets go when it is not any more. */
export const setFollowing = unit('run.setFollowing', function* (tx, { id, on }: { id: string; on: boolean }) {
  const { migrationRuns: runs } = tx.tables
  yield* q(
    tx.db
      .update(runs)
      .set({ phase: on ? 'following' : null, leaseOwner: null, leaseUntil: null })
      .where(and(eq(runs.id, id), eq(runs.state, 'completed'), resting(tx.tables))),
  )
})
