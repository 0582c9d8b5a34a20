import { and, desc, eq, inArray, isNotNull, isNull, lt, or } from 'drizzle-orm'
import { begins, holds } from '@/db/holds'
import type { Store } from '@/db/store'
import type { RunState } from '@/db/tables'
import type { Tx } from '@/db/unit'
import { HoldfastError } from '@/server/errors'
import type { Failure, KeptEvidence } from '../types'
import {
  type KeptPlan,
  type LogLine,
  type Run,
  type RunFound,
  type RunProgress,
  type RunSummary,
  type RunTarget,
  toRun,
} from './run'

/** Runs, newest first. */
export async function listRuns({ store }: { store: Store }, limit = 100): Promise<RunSummary[]> {
  const { migrationRuns: runs } = store.tables
  // Plans and reports can be long; a list shows none of them.
  const rows = await store.db
    .select({
      id: runs.id,
      sourceKind: runs.sourceKind,
      sourceName: runs.sourceName,
      purpose: runs.purpose,
      target: runs.target,
      state: runs.state,
      phase: runs.phase,
      progress: runs.progress,
      error: runs.error,
      createdAt: runs.createdAt,
      startedAt: runs.startedAt,
      endedAt: runs.endedAt,
    })
    .from(runs)
    .orderBy(desc(runs.createdAt), desc(runs.id))
    .limit(limit)
  return rows.map((row) => {
    const {
      tables,
      speeds: _,
      ...progress
    } = (row.progress as RunProgress | null) ?? { tables: [], speeds: {} }
    return {
      ...row,
      rejected: tables.reduce((sum, table) => sum + table.rejected, 0),
      target: row.target as unknown as RunTarget,
      phase: row.phase as Run['phase'],
      progress: row.progress === null ? null : (progress as RunSummary['progress']),
      error: row.error as Failure | null,
    }
  })
}

/** Runs whose source's name holds a text, or whose id begins with it; the newest first. */
export async function findRuns({ db, tables }: Store, text: string, limit: number): Promise<RunFound[]> {
  const { migrationRuns: runs } = tables
  const { id, sourceName, target, state, createdAt } = runs
  const rows = await db
    .select({ id, sourceName, target, state, createdAt })
    .from(runs)
    .where(or(holds(sourceName, text), begins(id, text)))
    .orderBy(desc(createdAt), desc(id))
    .limit(limit)
  return rows.map((row) => ({ ...row, target: row.target as unknown as RunTarget }))
}

/** One run. Throws NOT_FOUND. */
export async function getRun({ store }: { store: Store }, id: string): Promise<Run> {
  const { migrationRuns: runs } = store.tables
  const [row] = await store.db.select().from(runs).where(eq(runs.id, id))
  if (!row) throw unknownRun()
  return toRun(row)
}

/** What the last plan of a run found in the rows, for a plan by other choices. */
export async function readKept({ store }: { store: Store }, id: string): Promise<KeptEvidence | undefined> {
  const { migrationRuns: runs } = store.tables
  const [row] = await store.db.select({ plan: runs.plan }).from(runs).where(eq(runs.id, id))
  return (row?.plan as KeptPlan | null | undefined)?.kept
}

/** The log of a run, newest first. */
export async function readLog({ store }: { store: Store }, runId: string, limit: number): Promise<LogLine[]> {
  const { migrationLog: log } = store.tables
  return store.db
    .select({ id: log.id, time: log.time, level: log.level, message: log.message })
    .from(log)
    .where(eq(log.runId, runId))
    .orderBy(desc(log.time), desc(log.id))
    .limit(limit)
}

/** A run that nobody drives, though there is something to do. */
export interface Orphan {
  id: string
  state: RunState
  /** Tries in a row that failed. */
  attempts: number
}

/** Runs that need a driver: active, or due for another try, and nobody's heartbeat holds them. */
export async function runsWithoutDriver({ store }: { store: Store }, now: number): Promise<Orphan[]> {
  const { migrationRuns: runs } = store.tables
  const rows = await store.db
    .select({ id: runs.id, state: runs.state, error: runs.error })
    .from(runs)
    .where(
      and(
        or(
          inArray(runs.state, ['running', 'paused', 'cancelling']),
          and(eq(runs.state, 'completed'), eq(runs.phase, 'following')),
        ),
        free(store.tables, now),
      ),
    )
  return rows.flatMap(({ id, state, error }) => {
    const failure = error as Failure | null
    const due = failure?.retryAt === undefined ? state !== 'paused' : isDue(failure, now)
    return due ? [{ id, state, attempts: failure?.attempts ?? 0 }] : []
  })
}

/** The run waits for another try, and its time has come. */
export function isDue(error: Failure | null, now: number): boolean {
  return error?.retryAt !== undefined && error.retryAt <= now
}

/** Runs in the middle of a switchover, or of a switch-back: after a start, the ones that a crash left so. */
export async function runsInMove(
  { store }: { store: Store },
  phase: 'switchover' | 'switch_back',
): Promise<Run[]> {
  const { migrationRuns: runs } = store.tables
  const rows = await store.db.select().from(runs).where(eq(runs.phase, phase))
  return rows.map(toRun)
}

/** The run by which the console stands on PostgreSQL; null where there is none any more. */
export async function switchedOverRun({ store }: { store: Store }): Promise<Run | null> {
  const { migrationRuns: runs } = store.tables
  const [row] = await store.db
    .select()
    .from(runs)
    .where(eq(runs.state, 'switched_over'))
    .orderBy(desc(runs.startedAt))
    .limit(1)
  return row ? toRun(row) : null
}

/** Runs whose sides were being compared again when the console that did it died. */
export async function unfinishedValidations({ store }: { store: Store }, now: number): Promise<string[]> {
  const { migrationRuns: runs } = store.tables
  const rows = await store.db
    .select({ id: runs.id })
    .from(runs)
    .where(
      and(
        inArray(runs.state, ['completed', 'failed', 'switched_over']),
        eq(runs.phase, 'validate'),
        free(store.tables, now),
      ),
    )
  return rows.map(({ id }) => id)
}

/** Planned runs whose checks and plan are said to be in the making, though nobody makes them. */
export async function unfinishedPlans({ store }: { store: Store }, now: number): Promise<string[]> {
  const { migrationRuns: runs } = store.tables
  const rows = await store.db
    .select({ id: runs.id })
    .from(runs)
    .where(and(eq(runs.state, 'planned'), isNotNull(runs.phase), free(store.tables, now)))
  return rows.map(({ id }) => id)
}

/** Nobody's heartbeat holds the run. */
export function free({ migrationRuns: runs }: Tx['tables'], now: number) {
  return or(isNull(runs.leaseUntil), lt(runs.leaseUntil, now))
}

export function unknownRun(): HoldfastError {
  return new HoldfastError('NOT_FOUND', {
    message: 'There is no such run.',
    remedy: 'Look for it in the history.',
  })
}
