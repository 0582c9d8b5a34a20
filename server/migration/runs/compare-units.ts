import { and, eq, inArray, isNull, or } from 'drizzle-orm'
import type { RunState } from '@/db/tables'
import { q, unit } from '@/db/unit'
import { HoldfastError } from '@/server/errors'
import { type Asked, audit, lockRun, wrongState } from './run-units'

/** States after which both sides can be compared again, if the source is still there. */
const COMPARABLE: readonly RunState[] = ['completed', 'failed', 'switched_over']

/** Notes that both sides are compared again; the run's state stays. */
export const askValidation = unit('run.askValidation', function* (tx, { id, caller, now }: Asked) {
  const { migrationRuns: runs } = tx.tables
  const run = yield* lockRun(tx, id)
  if (!run.plan || run.startedAt === null) throw wrongState(run.state, 'compared')
  if (run.sourceKind === 'upload' && run.purpose === 'migrate') {
    throw new HoldfastError('CONFLICT', {
      message: 'The uploaded file was removed when the run ended, so there is nothing to compare with.',
      remedy: 'Upload it again and start a run that only compares.',
    })
  }
  // It would turn red by what the switchover is about to bring over, and lock it for good.
  if (run.sourceKind === 'store' && run.purpose === 'migrate') {
    if (run.state !== 'completed') throw wrongState(run.state, 'compared')
    throw new HoldfastError('CONFLICT', {
      message: 'The console goes on writing to its store, so the copy is behind it until the switchover.',
      remedy:
        'Switch over: both sides are compared a last time then, and nothing is moved where they differ.',
    })
  }
  const [asked] = yield* q(
    tx.db
      .update(runs)
      .set({ phase: 'validate', leaseOwner: null, leaseUntil: null })
      .where(
        and(
          eq(runs.id, id),
          inArray(runs.state, [...COMPARABLE]),
          or(isNull(runs.phase), eq(runs.phase, 'following')),
        ),
      )
      .returning({ id: runs.id }),
  )
  if (!asked)
    throw run.phase === null || run.phase === 'following'
      ? wrongState(run.state, 'compared')
      : wrongState(run.state, 'compared just now')
  yield* audit(tx, caller, now, 'sys_migration_validated', id)
})
