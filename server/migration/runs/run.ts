import type { RunPurpose, RunState } from '@/db/tables'
import type { Tx } from '@/db/unit'
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
export type KeptPlan = Plan & { kept?: KeptEvidence }

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
