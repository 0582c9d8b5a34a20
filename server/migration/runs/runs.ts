import { and, desc, eq, inArray, isNotNull, isNull, lt, or } from 'drizzle-orm'
import { begins, holds } from '@/db/holds'
import type { Store } from '@/db/store'
import type { RunPurpose, RunState } from '@/db/tables'
import type { Tx } from '@/db/unit'
import { HoldfastError } from '@/server/errors'
import type {
  Check,
  Choices,
  Failure,
  KeptEvidence,
  Phase,
  Plan,
  RunReport,
  TableProgress,
  Target,
  Validation,
} from '../types'
import type { Speeds } from './speeds'

/** The target of a run as it is kept and shown. */
export interface RunTarget extends Omit<Target, 'password'> {
  /** The run made the console's own tables in the target, so cancelling removes them. */
  madeStore?: boolean
}

export interface RunCheck extends Check {
  /** Who took note of an amber check, and when. */
  acknowledged?: { by: string; at: number }
}

export interface RunProgress {
  phase: Phase
  /** Rows in transfer and validate, steps in build; never going back within a phase. */
  done: number
  total: number
  /** Of the run, from the last seconds; null until there is a rate. */
  perSecond: number | null
  /** Sent in the transfer, from the last seconds; null until there is a rate. */
  bytesPerSecond?: number | null
  /** Of the transfer, from its begin to now. */
  speeds?: Speeds
  etaSeconds: [low: number, high: number] | null
  /** How far each phase came: done and total. */
  phases: Partial<Record<Phase, [done: number, total: number]>>
  tables: TableFigures[]
  /** Of a source with capture: keys noted and not brought over yet, and when the last were. */
  lag?: { keys: number; appliedAt: number }
  at: number
}

/** Figures of the transfer of one table, and how many of its rows were compared since. */
export interface TableFigures extends TableProgress {
  compared: number
}

export interface SwitchoverReport {
  /** When the console began to stand on PostgreSQL, UTC milliseconds. */
  at: number
  /** How long writes waited. */
  pauseMilliseconds: number
  /** Rows that were written since the copy began and were brought over. */
  rowsBroughtOver: number
  retiredFile: string
  /** Until when the console may be switched back, UTC milliseconds; null where nothing was noted for it. */
  switchBackUntil: number | null
}

export interface SwitchBackReport {
  /** When the console began to stand on SQLite again, UTC milliseconds. */
  at: number
  /** How long writes waited. */
  pauseMilliseconds: number
  /** Rows that were written since the switchover and were brought back. */
  rowsBroughtOver: number
}

/** What a cut-over of a foreign source took, and what its application needs now. */
export interface CutOverReport {
  /** When the source took no more writes, UTC milliseconds. */
  at: number
  /** From then until both sides were found to be the same. */
  blockedMilliseconds: number
  keysBroughtOver: number
  /** Without the password. */
  connection: string
  /** What to do, one step a line. */
  steps: string[]
}

/** `cutOver` is added when a foreign source was cut over, `switchover` when the console has moved, `switchBack` when it has moved back. */
export type KeptReport = RunReport & {
  cutOver?: CutOverReport
  switchover?: SwitchoverReport
  switchBack?: SwitchBackReport
}

/** Who accepted that so many rows were rejected, and when. */
export interface Acceptance {
  by: string
  at: number
  rejected: number
}

/** One run, as pages and programs see it. */
export interface Run {
  id: string
  sourceKind: 'store' | 'folder' | 'upload'
  source: string
  sourceName: string
  /** 'compare' writes nothing: it only validates what something else has filled. */
  purpose: RunPurpose
  /** Writes to the source are noted and applied. */
  capture: boolean
  target: RunTarget
  connectionId: string | null
  state: RunState
  /** The engine's phase; `switchover` or `switch_back` while the console is moving. */
  phase: Phase | 'following' | 'switchover' | 'switch_back' | null
  plan: Plan | null
  /** What an admin chose other than proposed. */
  choices: Choices | null
  checks: RunCheck[]
  progress: RunProgress | null
  validation: Validation | null
  report: KeptReport | null
  error: Failure | null
  /** Who took responsibility for the rejected rows. */
  accepted: Acceptance | null
  createdAt: number
  startedAt: number | null
  endedAt: number | null
}

/** A run in a list: without plan, checks, tables, speeds, validation and report. */
export interface RunSummary
  extends Pick<
    Run,
    | 'id'
    | 'sourceKind'
    | 'sourceName'
    | 'purpose'
    | 'target'
    | 'state'
    | 'phase'
    | 'error'
    | 'createdAt'
    | 'startedAt'
    | 'endedAt'
  > {
  progress: Omit<RunProgress, 'tables' | 'speeds'> | null
  rejected: number
}

/** A run as a search shows it. */
export type RunFound = Pick<Run, 'id' | 'sourceName' | 'target' | 'state' | 'createdAt'>

export interface LogLine {
  id: string
  time: number
  level: 'info' | 'warn' | 'error'
  message: string
}

type Row = Tx['tables']['migrationRuns']['$inferSelect']
export type RunValues = Tx['tables']['migrationRuns']['$inferInsert']

/** The words for a state, the same on screen and in messages. */
export const stateWords: Record<RunState, string> = {
  planned: 'planned',
  running: 'running',
  paused: 'paused',
  cancelling: 'being cancelled',
  cancelled: 'cancelled',
  failed: 'failed',
  completed: 'completed',
  switched_over: 'switched over',
  switched_back: 'switched back',
}

/** A plan as it is kept while the run is only planned. */
type KeptPlan = Plan & { kept?: KeptEvidence }

/** The evidence is long, and asked for by `readKept` alone. */
function withoutKept(plan: KeptPlan | null): Plan | null {
  if (!plan) return null
  const { kept: _, ...rest } = plan
  return rest
}

export function toRun(row: Row): Run {
  return {
    id: row.id,
    sourceKind: row.sourceKind,
    source: row.source,
    sourceName: row.sourceName,
    purpose: row.purpose,
    capture: row.capture,
    target: row.target as unknown as RunTarget,
    connectionId: row.connectionId,
    state: row.state,
    phase: row.phase as Run['phase'],
    plan: withoutKept(row.plan as KeptPlan | null),
    choices: row.choices as Choices | null,
    checks: (row.checks as RunCheck[] | null) ?? [],
    progress: row.progress as RunProgress | null,
    validation: row.validation as Validation | null,
    report: row.report as KeptReport | null,
    error: row.error as Failure | null,
    accepted: row.accepted as Acceptance | null,
    createdAt: row.createdAt,
    startedAt: row.startedAt,
    endedAt: row.endedAt,
  }
}

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
