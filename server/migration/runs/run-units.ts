import { and, eq, inArray, isNotNull, ne } from 'drizzle-orm'
import type { RunState } from '@/db/tables'
import { locked, q, type Tx, unit, type Work } from '@/db/unit'
import { appendAudit, type Caller } from '@/server/audit'
import { HoldfastError } from '@/server/errors'
import { useGrant } from '@/server/grants'
import { placeOf } from '../store/store-choice'
import type { Choices } from '../types'
import { type Run, type RunTarget, type RunValues, stateWords, toRun } from './run'
import { unknownRun } from './runs'

/** States in which the engine has something to do. */
export const ACTIVE: readonly RunState[] = ['running', 'paused', 'cancelling']
const DELETABLE: readonly RunState[] = [
  ...(['planned', 'cancelled', 'failed', 'completed', 'switched_over', 'switched_back'] as const),
]

export const insertRun = unit(
  'run.create',
  function* (tx, { row, caller }: { row: RunValues; caller: Caller }) {
    yield* q(tx.db.insert(tx.tables.migrationRuns).values(row))
    yield* audit(tx, caller, row.createdAt, 'sys_migration_planned', row.id, {
      source: row.sourceName,
      target: placeOf(row.target as unknown as RunTarget),
    })
  },
)

export const acknowledgeChecks = unit(
  'run.acknowledge',
  function* (tx, { id, checks, caller, now }: { id: string; checks: string[]; caller: Caller; now: number }) {
    const { migrationRuns: runs } = tx.tables
    const run = yield* lockRun(tx, id)
    const next = run.checks.map((check) =>
      checks.includes(check.id) && check.state === 'amber' && !check.acknowledged
        ? { ...check, acknowledged: { by: caller.actor, at: now } }
        : check,
    )
    yield* q(tx.db.update(runs).set({ checks: next }).where(eq(runs.id, id)))
    yield* audit(tx, caller, now, 'sys_migration_checks_acknowledged', id, { checks })
  },
)

/** Keeps what is chosen of a run that was not started; its plan is made anew by it. */
export const chooseForRun = unit(
  'run.choose',
  function* (
    tx,
    { id, choices, caller, now }: { id: string; choices: Choices; caller: Caller; now: number },
  ) {
    const { migrationRuns: runs } = tx.tables
    const run = yield* lockRun(tx, id)
    if (run.sourceKind === 'store' || run.purpose === 'compare')
      throw new HoldfastError('CONFLICT', {
        message: 'This run takes the tables of the target as they are: there is nothing to choose.',
        remedy: 'Start the run.',
      })
    const [chosen] = yield* q(
      tx.db
        .update(runs)
        .set({ choices, error: null, phase: 'plan' })
        .where(and(eq(runs.id, id), eq(runs.state, 'planned')))
        .returning({ id: runs.id }),
    )
    if (!chosen) throw wrongState(run.state, 'planned otherwise')
    yield* audit(tx, caller, now, 'sys_migration_choices', id, { choices })
  },
)

export interface Privileged {
  id: string
  caller: Caller
  grantId: string | null
  now: number
}

export function useUp(tx: Tx, { id, caller, grantId, now }: Privileged, action: string): Work<void> {
  return useGrant(tx, { grantId, by: caller, action, input: { id }, now })
}

/** planned → running, if no check is red and every amber one was acknowledged. */
export const startRun = unit('run.start', function* (tx, { id, caller, grantId, now }: Privileged) {
  const { migrationRuns: runs } = tx.tables
  const run = yield* lockRun(tx, id)
  refuseUnready(run)
  if (run.sourceKind === 'store') yield* refuseSecondStoreRun(tx, id)
  const [started] = yield* q(
    tx.db
      .update(runs)
      .set({ state: 'running', phase: 'schema', startedAt: now, error: null, progress: null })
      .where(and(eq(runs.id, id), eq(runs.state, 'planned')))
      .returning({ id: runs.id }),
  )
  if (!started) throw wrongState(run.state, 'started')
  yield* useUp(tx, { id, caller, grantId, now }, 'migration.start')
  yield* audit(tx, caller, now, 'sys_migration_started', id, describe(run))
})

/** From now on cancelling the run removes the console's tables from the target. */
export const noteMadeStore = unit('run.noteMadeStore', function* (tx, { id }: { id: string }) {
  const { migrationRuns: runs } = tx.tables
  const run = yield* lockRun(tx, id)
  const target = { ...run.target, madeStore: true }
  yield* q(tx.db.update(runs).set({ target }).where(eq(runs.id, id)))
})

export interface Asked {
  id: string
  caller: Caller
  now: number
}

/** running → paused; one that waits stops trying by itself. The driver passes it on to the worker. */
export const pauseRun = unit('run.pause', function* (tx, { id, caller, now }: Asked) {
  const { state, error } = yield* lockRun(tx, id)
  if (state === 'paused' && error?.retryAt !== undefined) {
    const { retryAt: _, ...still } = error
    yield* advance(tx, id, ['paused'], { error: still }, 'paused')
  } else yield* advance(tx, id, ['running'], { state: 'paused' }, 'paused')
  yield* audit(tx, caller, now, 'sys_migration_paused', id)
})

/** paused, or failed in a way that can go on → running. */
export const resumeRun = unit('run.resume', function* (tx, { id, caller, now }: Asked) {
  const run = yield* lockRun(tx, id)
  if (run.state === 'failed' && !run.error?.resumable) throw wrongState('failed', 'resumed')
  yield* advance(tx, id, ['paused', 'failed'], { state: 'running', error: null, endedAt: null }, 'resumed')
  yield* audit(tx, caller, now, 'sys_migration_resumed', id)
})

/** Asks for the undoing of a run; one that has written nothing is cancelled at once. Answers the new state. */
export const cancelRun = unit('run.cancel', function* (tx, { id, caller, now }: Asked) {
  const run = yield* lockRun(tx, id)
  const untouched = run.state === 'planned'
  const from: RunState[] =
    run.sourceKind === 'store'
      ? [...ACTIVE, 'planned', 'failed', 'completed']
      : [...ACTIVE, 'planned', 'failed']
  if (run.phase === 'switchover') throw wrongState('completed', 'cancelled while it switches over')
  const state: RunState = untouched ? 'cancelled' : 'cancelling'
  yield* advance(
    tx,
    id,
    from.filter((one) => one !== 'cancelling'),
    { state, error: null, ...(untouched && { phase: null, endedAt: now }) },
    'cancelled',
  )
  yield* audit(tx, caller, now, 'sys_migration_cancelled', id, describe(run))
  return state
})

/** Removes an ended run with its log. What it wrote into the target stays. */
export const deleteRun = unit('run.delete', function* (tx, { id, caller, now }: Asked) {
  const { migrationRuns: runs } = tx.tables
  const run = yield* lockRun(tx, id)
  if (run.state === 'failed' && run.startedAt !== null)
    throw wrongState('failed', 'deleted before it is cancelled')
  if (run.phase === 'switch_back') throw wrongState(run.state, 'deleted while it is switched back')
  if (run.state === 'completed' && run.sourceKind === 'store')
    throw wrongState('completed', 'deleted before it is switched over or cancelled')
  const [deleted] = yield* q(
    tx.db
      .delete(runs)
      .where(and(eq(runs.id, id), inArray(runs.state, [...DELETABLE])))
      .returning({ id: runs.id }),
  )
  if (!deleted) throw wrongState(run.state, 'deleted')
  yield* audit(tx, caller, now, 'sys_migration_deleted', id, describe(run))
})

/** The run, locked until the end of the transaction. */
export function* lockRun(tx: Tx, id: string): Work<Run> {
  const { migrationRuns: runs } = tx.tables
  const [row] = yield* q(locked(tx.db.select().from(runs).where(eq(runs.id, id))))
  if (!row) throw unknownRun()
  return toRun(row)
}

/** Changes of the own store are noted for one run at a time. */
function* refuseSecondStoreRun(tx: Tx, id: string): Work<void> {
  const { migrationRuns: runs } = tx.tables
  const [other] = yield* q(
    tx.db
      .select({ id: runs.id, state: runs.state })
      .from(runs)
      .where(
        and(
          ne(runs.id, id),
          eq(runs.sourceKind, 'store'),
          isNotNull(runs.startedAt),
          inArray(runs.state, [...ACTIVE, 'failed', 'completed']),
        ),
      )
      .limit(1),
  )
  if (!other) return
  throw new HoldfastError('CONFLICT', {
    message: `Another run of the console’s own store is ${stateWords[other.state]}.`,
    remedy: 'Finish or cancel that one first.',
    details: { run: other.id },
  })
}

/** Moves a run on, if it is still in one of the states from which that is possible. Throws CONFLICT. */
function* advance(
  tx: Tx,
  id: string,
  from: readonly RunState[],
  values: Partial<RunValues>,
  participle: string,
): Work<void> {
  const { migrationRuns: runs } = tx.tables
  const [moved] = yield* q(
    tx.db
      .update(runs)
      .set(values)
      .where(and(eq(runs.id, id), inArray(runs.state, [...from])))
      .returning({ id: runs.id }),
  )
  if (moved) return
  const run = yield* lockRun(tx, id)
  throw wrongState(run.state, participle)
}

function refuseUnready(run: Run): void {
  const red = run.checks.filter(({ state }) => state === 'red')
  const open = run.checks.filter(({ state, acknowledged }) => state === 'amber' && !acknowledged)
  if (!run.plan || run.phase !== null) {
    throw new HoldfastError('CONFLICT', {
      message: 'The plan is not made yet.',
      remedy: 'Wait for it, or check again.',
    })
  }
  if (run.error) {
    const { message, remedy } = run.error
    throw new HoldfastError('CONFLICT', { message: `The plan could not be made: ${message}`, remedy })
  }
  if (red.length > 0) {
    throw new HoldfastError('CHECK_FAILED', {
      message: `A check is red: ${red.map(({ title }) => title).join(', ')}.`,
      remedy: red[0]?.remedy ?? 'Mend it and check again.',
    })
  }
  if (open.length > 0) {
    throw new HoldfastError('CHECK_FAILED', {
      message: `A check is amber and was not acknowledged: ${open.map(({ title }) => title).join(', ')}.`,
      remedy: 'Read and acknowledge it.',
    })
  }
}

/** Notes what was asked of a run in the audit log. */
export function* audit(
  tx: Tx,
  caller: Caller,
  now: number,
  event: `sys_${string}`,
  id: string,
  after?: Record<string, unknown>,
): Work<void> {
  yield* appendAudit(tx, { ...caller, time: now, event, target: `run:${id}`, outcome: 'success', after })
}

export function describe({ sourceName, target }: Run): Record<string, unknown> {
  return { source: sourceName, target: `${placeOf(target)} ${target.schema}` }
}

export function wrongState(state: RunState, participle: string): HoldfastError {
  return new HoldfastError('CONFLICT', {
    message: `The run is ${stateWords[state]}, so it cannot be ${participle}.`,
    remedy: 'Look at its page: it may have changed meanwhile.',
  })
}
