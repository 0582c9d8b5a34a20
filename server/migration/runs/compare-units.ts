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
  if (run.sourceKind === 'store' && run.state === 'switched_over')
    throw wrongState(run.state, 'compared: the old file is behind by now')
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
