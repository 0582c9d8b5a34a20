import { and, eq } from 'drizzle-orm'
import { q, unit } from '@/db/unit'
import type { Caller } from '@/server/audit'
import { HoldfastError } from '@/server/errors'
import type { Choices, RejectLimits } from '../types'
import { rowsWere } from './rejects'
import { audit, lockRun, wrongState } from './run-units'

interface Asked {
  id: string
  caller: Caller
  now: number
}

/**
 * Takes responsibility for the rows that a completed run could not store. Whoever accepts says how many, so that nobody
 * accepts more than what was seen. Throws CONFLICT.
 */
export const acceptRejects = unit(
  'run.acceptRejects',
  function* (tx, { id, rejected, caller, now }: Asked & { rejected: number }) {
    const { migrationRuns: runs } = tx.tables
    const run = yield* lockRun(tx, id)
    if (run.state !== 'completed') throw wrongState(run.state, 'accepted with its rejected rows')
    const there = run.report?.rejected ?? 0
    if (there === 0) throw new HoldfastError('CONFLICT', 'No row was rejected: there is nothing to accept.')
    if (there !== rejected) {
      throw new HoldfastError('CONFLICT', {
        message: `${rowsWere(there)} rejected, not ${rejected.toLocaleString('en')}.`,
        remedy: 'Look at them again.',
      })
    }
    const accepted = { by: caller.actor, at: now, rejected }
    yield* q(
      tx.db
        .update(runs)
        .set({ accepted })
        .where(and(eq(runs.id, id), eq(runs.state, 'completed'))),
    )
    yield* audit(tx, caller, now, 'sys_migration_rejects_accepted', id, { rejected })
  },
)

/** Other limits for a run that is not at work; they count from its next start. */
export const setRejectLimits = unit(
  'run.setRejectLimits',
  function* (tx, { id, rejects, caller, now }: Asked & { rejects: RejectLimits }) {
    const { migrationRuns: runs } = tx.tables
    const run = yield* lockRun(tx, id)
    if (!['planned', 'paused', 'failed'].includes(run.state)) {
      throw wrongState(run.state, 'given other limits: pause it first')
    }
    const choices: Choices = { version: 1, ...run.choices, rejects }
    yield* q(
      tx.db
        .update(runs)
        .set({ choices })
        .where(and(eq(runs.id, id), eq(runs.state, run.state))),
    )
    yield* audit(tx, caller, now, 'sys_migration_reject_limits_set', id, { ...rejects })
  },
)
