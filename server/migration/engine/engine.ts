import { availableParallelism } from 'node:os'
import type Database from 'better-sqlite3'
import type pg from 'pg'
import { MigrationError } from '../failure'
import { makePlan, preflight, refuseRed } from '../plan/analyse'
import { redCheck } from '../plan/preflight'
import { refreshPlan } from '../plan/refresh'
import { refuseOtherTables, sourceMark } from '../source/mark'
import { checkHeader, inspect, openSource, sourceFacts } from '../source/source'
import { build, buildStages, countSteps, settleAll } from '../target/build'
import {
  lockRun,
  markDone,
  type Repair,
  readParts,
  readRun,
  removeRun,
  type StoredRun,
} from '../target/checkpoint'
import { prepareTarget } from '../target/prepare'
import { connectTarget, disconnect } from '../target/target'
import { type Bounds, EVERYTHING, scanOf, splitTable } from '../transfer/ranges'
import type {
  Job,
  Phase,
  PhaseTime,
  Plan,
  PlannedTable,
  RunNews,
  RunReport,
  SourceMark,
  TableProgress,
  Validation,
} from '../types'
import { orderedScan } from '../validation/order'
import { checkStructure } from '../validation/structure'
import { compareTable } from '../validation/validate'
import type { Control } from './control'
import { openPool, type Pool } from './pool'
import { openMeter } from './progress'

/** Bytes of a table that make one range: a unit of work for a thread. */
const PART_BYTES = 12 * 1024 * 1024
const MAX_PARTS = 96
/** Progress is told four times a second at most. */
const PROGRESS_MS = 250

export interface EngineDependencies {
  clock: { now(): number }
  emit(news: RunNews): void
  control: Control
  /** Bundle that a thread starts from. */
  entry: URL
}

/** Everything that one attempt holds open. */
interface Session {
  job: Job
  pool: Pool
  /** Sees commits of others by data_version; never in the snapshot's transaction. */
  watch: Database.Database
  version: number
  /** The state of the source that the threads read. */
  mark: SourceMark
  times: PhaseTime[]
}

/** Checks alone. */
export async function runPreflight(deps: EngineDependencies, job: Job): Promise<void> {
  try {
    await withSession(deps, job, async (session) => {
      await phase(deps, session, 'preflight', () => inspectAll(deps, session))
    })
  } catch (error) {
    if (!(error instanceof MigrationError && error.code.startsWith('SOURCE_'))) throw error
    deps.emit({ type: 'check', check: redCheck('source-file', 'Source is a SQLite database', error) })
  }
}

/** Checks and a plan. */
export async function runPlan(deps: EngineDependencies, job: Job): Promise<Plan> {
  return withSession(deps, job, (session) => analyse(deps, session))
}

/** A whole run, from preflight to a validated target. */
export async function startRun(deps: EngineDependencies, job: Job): Promise<RunReport> {
  return withSession(deps, job, async (session) => {
    const startedAt = deps.clock.now()
    const plan = await planOf(deps, session)
    await deps.control.gate()
    const client = await connectTarget(job.target, `holdfast migration ${job.runId}`)
    try {
      await lockRun(client, job.runId)
      if (await readRun(client, job.runId)) {
        throw new MigrationError(
          'RUN_ACTIVE',
          `The target already holds run ${job.runId}.`,
          'Resume or cancel it.',
        )
      }
      return await finish(deps, session, client, await prepare(deps, session, client, { plan, startedAt }))
    } finally {
      await disconnect(client)
    }
  })
}

/** Goes on from the checkpoints in the target. A run that had finished answers with its report again. */
export async function resumeRun(deps: EngineDependencies, job: Job): Promise<RunReport> {
  const client = await connectTarget(job.target, `holdfast migration ${job.runId}`)
  try {
    await lockRun(client, job.runId)
    const stored = await readRun(client, job.runId)
    if (!stored) throw unknownRun(job.runId)
    if (stored.state === 'done' && stored.report) {
      const report = JSON.parse(stored.report) as RunReport
      deps.emit({ type: 'done', report })
      return report
    }
    const resumed: Job = { ...job, source: job.source || stored.source, mode: stored.mode, plan: stored.plan }
    return await withSession(deps, resumed, async (session) => {
      const run = await startAnewIfChanged(deps, session, client, stored)
      deps.emit({ type: 'plan', plan: run.plan })
      return finish(deps, session, client, run)
    })
  } finally {
    await disconnect(client)
  }
}

/** The plan with the mark of the state that is copied; one that was made of another state gets its figures anew. */
async function planOf(deps: EngineDependencies, session: Session): Promise<Plan> {
  const { job, pool, watch, mark } = session
  const plan = job.plan ?? (await analyse(deps, session))
  if (plan.source.mark?.files === mark.files) return plan
  refuseOtherTables(plan.source.mark, mark, job.source)
  return { ...(await refreshPlan(pool, watch, plan)), source: { ...plan.source, mark } }
}

/** Makes what the run needs in the target, instead of what it had made before. */
async function prepare(
  deps: EngineDependencies,
  session: Session,
  client: pg.Client,
  { plan, startedAt, instead }: { plan: Plan; startedAt: number; instead?: Repair },
): Promise<StoredRun> {
  const { runId, source } = session.job
  const repair = await phase(deps, session, 'schema', () => {
    const parts = plan.tables.flatMap((table) =>
      splitTable(session.watch, table, partsOf(table)).map((bounds) => ({ table: table.source, bounds })),
    )
    return prepareTarget(client, { runId, source, plan, startedAt, ...(instead && { instead }) }, parts)
  })
  const { mode, schema } = plan
  return { runId, state: 'running', mode, source, schema, plan, repair, report: null, startedAt }
}

/**
 * A worker that goes on reads another snapshot than the one before it. If the source was written to in between, what
 * was copied is thrown away: rows of two states would make a target that the source never was
 * (docs/decisions/0016). Noted changes are applied later and make up for it.
 */
async function startAnewIfChanged(
  deps: EngineDependencies,
  session: Session,
  client: pg.Client,
  stored: StoredRun,
): Promise<StoredRun> {
  const { job, mark } = session
  if (stored.plan.source.mark?.files === mark.files || job.capture) return stored
  const message =
    'The source was written to since the run stopped, so its rows are copied anew: the target becomes one state of it.'
  deps.emit({ type: 'log', level: 'warn', message })
  const { startedAt, repair } = stored
  return prepare(deps, session, client, { plan: await planOf(deps, session), startedAt, instead: repair })
}

/** Undoes a run that is not finished: the target is afterwards as it was before. */
export async function cancelRun(deps: Pick<EngineDependencies, 'emit'>, job: Job): Promise<void> {
  // Under another name than the run's sessions: those are ended by name, which may come while this undoes the run.
  const client = await connectTarget(job.target, `holdfast migration undo ${job.runId}`)
  try {
    await lockRun(client, job.runId)
    const stored = await readRun(client, job.runId)
    if (stored?.state === 'done') {
      throw new MigrationError(
        'RUN_FINISHED',
        `Run ${job.runId} has finished.`,
        'Drop its tables by hand if they are not wanted.',
      )
    }
    if (stored) await removeRun(client, job.runId, stored.repair.undo)
    deps.emit({ type: 'cancelled' })
  } finally {
    await disconnect(client)
  }
}

/** Forgets a finished run's bookkeeping; the tables stay. */
export async function forgetRun(job: Job): Promise<void> {
  const client = await connectTarget(job.target)
  try {
    const stored = await readRun(client, job.runId)
    if (stored?.state === 'done') await removeRun(client, job.runId, [])
  } finally {
    await disconnect(client)
  }
}

/**
 * A cancelled run doesn't wait for its statement to end, which may be an index of hours: its sessions are ended, and
 * the server rolls back. The control's owner then undoes the run.
 */
function endSessionsOnCancel(deps: EngineDependencies, job: Job): void {
  deps.control.onChange(() => {
    if (deps.control.wanted !== 'cancel') return
    void connectTarget(job.target, 'holdfast migration cancel')
      .then((client) =>
        client
          .query(
            `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1 AND usename = current_user`,
            [`holdfast migration ${job.runId}`.slice(0, 63)],
          )
          .finally(() => disconnect(client)),
      )
      .catch(() => {})
  })
}

/** Compares both sides by a plan, whatever filled the target. */
export async function runValidation(deps: EngineDependencies, job: Job): Promise<Validation> {
  const { plan } = job
  if (!plan)
    throw new MigrationError(
      'RUN_UNKNOWN',
      'A validation needs the plan of its run.',
      'Name a run that has one.',
    )
  return withSession(deps, job, async (session) => {
    const client = await connectTarget(job.target)
    try {
      return await phase(deps, session, 'validate', () => validate(deps, session, client, plan, new Map()))
    } finally {
      await disconnect(client)
    }
  })
}

function unknownRun(runId: string): MigrationError {
  return new MigrationError(
    'RUN_UNKNOWN',
    `The target knows no run ${runId}.`,
    'It was cancelled or has finished, or the target is another one: start a new run.',
  )
}

function partsOf(table: PlannedTable): number {
  const bytes = table.bytes + table.rows * table.columns.length * 2
  return Math.min(MAX_PARTS, Math.max(1, Math.ceil(bytes / PART_BYTES)))
}

/** 0 go on, 1 stop after this batch, 2 stop at once, 3 stop after this batch and for good. */
const SIGNALS = { run: 0, pause: 1, cancel: 2, stop: 3 } as const

/** Opens source and threads on one snapshot, and closes them whatever happens. */
async function withSession<T>(
  deps: EngineDependencies,
  job: Job,
  body: (session: Session) => Promise<T>,
): Promise<T> {
  const problem = checkHeader(job.source)
  if (problem) throw problem
  const watch = openSource(job.source)
  const size = Math.max(1, Math.min(job.workers ?? Math.min(4, availableParallelism()), 16))
  const pool = openPool(deps.entry, size, { source: job.source, target: job.target, runId: job.runId })
  const tell = () => pool.signal(SIGNALS[deps.control.wanted])
  deps.control.onChange(tell)
  tell()
  try {
    const { version, mark } = await takeSnapshot(pool, watch, job.exclude)
    return await body({ job, pool, watch, version, mark, times: [] })
  } finally {
    await pool.close()
    watch.close()
  }
}

const dataVersion = (db: Database.Database) => db.pragma('data_version', { simple: true }) as number

/**
 * Begins a read transaction in every thread. All have the same snapshot when nobody committed in between
 * (https://www.sqlite.org/pragma.html#pragma_data_version); otherwise it is tried again.
 */
async function takeSnapshot(pool: Pool, watch: Database.Database, exclude?: readonly string[]) {
  for (let attempt = 0; attempt < 100; attempt++) {
    const version = dataVersion(watch)
    const mark = sourceMark(watch, exclude)
    await pool.everywhere({ kind: 'snapshot' })
    if (dataVersion(watch) === version) return { version, mark }
  }
  throw new MigrationError(
    'SOURCE_BUSY',
    'The source is written to so often that its readers never saw the same state.',
    'Start again when fewer programs write to it.',
  )
}

async function phase<T>(
  deps: EngineDependencies,
  session: Session,
  name: Phase,
  body: () => Promise<T>,
): Promise<T> {
  const started = performance.now()
  deps.emit({ type: 'phase', phase: name, state: 'started' })
  const result = await body()
  const milliseconds = Math.round(performance.now() - started)
  session.times.push({ phase: name, milliseconds })
  deps.emit({ type: 'phase', phase: name, state: 'finished', milliseconds })
  return result
}

function inspectAll(deps: EngineDependencies, { pool, watch, job }: Session) {
  return preflight(pool, watch, job, deps.clock.now(), (check) => deps.emit({ type: 'check', check }))
}

/** Preflight and plan side by side: one thread checks the file while others read its rows. */
async function analyse(deps: EngineDependencies, session: Session): Promise<Plan> {
  const checked = phase(deps, session, 'preflight', () => inspectAll(deps, session))
  checked.catch(() => {})
  const { pool, watch, job } = session
  const planned = phase(deps, session, 'plan', async () => {
    return makePlan(pool, watch, job, inspect(watch, job.exclude), async () => (await checked).orphans)
  })
  planned.catch(() => {})
  refuseRed((await checked).checks)
  const made = await planned
  const plan = { ...made, source: { ...made.source, mark: session.mark } }
  deps.emit({ type: 'plan', plan })
  return plan
}

/** Transfer, build and validate, as far as they are still to be done. */
async function finish(
  deps: EngineDependencies,
  session: Session,
  client: pg.Client,
  run: StoredRun,
): Promise<RunReport> {
  const { job } = session
  const { plan } = run
  endSessionsOnCancel(deps, job)
  const moved = await phase(deps, session, 'transfer', () => transfer(deps, session, client, plan))
  await phase(deps, session, 'build', () => buildAll(deps, session, client, run))
  const validation = await phase(deps, session, 'validate', () =>
    validate(deps, session, client, plan, moved.parts),
  )
  const { password: _, ...target } = job.target
  const report: RunReport = {
    runId: job.runId,
    source: sourceFacts(session.watch),
    target,
    mode: run.mode,
    startedAt: run.startedAt,
    finishedAt: deps.clock.now(),
    phases: session.times,
    transferMilliseconds: moved.milliseconds,
    rows: moved.tables.reduce((sum, table) => sum + table.written, 0),
    bytes: moved.tables.reduce((sum, table) => sum + table.bytes, 0),
    tables: moved.tables,
    checks: validation.checks,
    validation,
    rejected: moved.tables.reduce((sum, table) => sum + table.rejected, 0),
    notCarried: plan.notCarried,
    plan,
  }
  // A red run keeps its bookkeeping, so that it can be cancelled, or validated again by resuming it.
  if (validation.ok) await markDone(client, job.runId, JSON.stringify(report))
  deps.emit({ type: 'done', report })
  return report
}

interface Moved {
  milliseconds: number
  tables: TableProgress[]
  parts: Map<string, Bounds[]>
}

async function transfer(
  deps: EngineDependencies,
  session: Session,
  client: pg.Client,
  plan: Plan,
): Promise<Moved> {
  const { pool, job } = session
  const bySource = new Map(plan.tables.map((table) => [table.source, table]))
  const meter = openMeter(
    deps.clock,
    plan.tables.map((table) => ({ name: table.target, rows: table.rows })),
  )
  const started = performance.now()
  const read = async () => {
    const parts = await readParts(client, job.runId)
    for (const table of plan.tables) {
      const mine = parts.filter((part) => part.table === table.source)
      const sum = (key: 'rows' | 'bytes') => mine.reduce((total, part) => total + part[key], 0)
      meter.begin(table.target, sum('rows'), sum('bytes'))
    }
    return parts
  }
  let parts = await read()
  const show = reporter(deps, 'transfer', () => ({ ...meter.totals(), tables: meter.tables() }))
  try {
    while (parts.some((part) => !part.done)) {
      await deps.control.gate()
      await settleAll(
        parts
          .filter((part) => !part.done)
          .map((part) => {
            const table = bySource.get(part.table) as PlannedTable
            const task = {
              runId: job.runId,
              part: part.part,
              table,
              schema: plan.schema,
              bounds: part.bounds,
            }
            return pool.run({ kind: 'copy', task }, (news) => {
              meter.add(table.target, news)
              show.soon()
            })
          }),
      )
      parts = await read()
    }
    await deps.control.gate()
  } finally {
    show.end()
  }
  return {
    milliseconds: Math.round(performance.now() - started),
    tables: meter.tables(),
    parts: new Map(
      plan.tables.map((table) => [
        table.source,
        parts.filter((part) => part.table === table.source).map((part) => part.bounds),
      ]),
    ),
  }
}

/** Emits progress at once, then at most four times a second, and at the end. */
function reporter(
  deps: EngineDependencies,
  name: Phase,
  read: () => { done: number; total: number; tables: TableProgress[] },
): { soon(): void; end(): void } {
  let timer: NodeJS.Timeout | undefined
  let highest = 0
  const emit = () => {
    const { done, total, tables } = read()
    highest = Math.max(highest, done)
    deps.emit({ type: 'progress', phase: name, done: highest, total: Math.max(total, highest), tables })
  }
  emit()
  return {
    soon() {
      timer ??= setTimeout(() => {
        timer = undefined
        emit()
      }, PROGRESS_MS)
    },
    end() {
      clearTimeout(timer)
      emit()
    },
  }
}

async function buildAll(
  deps: EngineDependencies,
  session: Session,
  client: pg.Client,
  run: StoredRun,
): Promise<void> {
  const second =
    session.pool.size > 1
      ? await connectTarget(session.job.target, `holdfast migration ${session.job.runId}`)
      : undefined
  const clients = second ? [client, second] : [client]
  const stages = buildStages(run.plan, run.repair.restore)
  let steps = { done: 0, total: countSteps(stages) }
  const show = reporter(deps, 'build', () => ({ ...steps, tables: [] }))
  try {
    await build(clients, session.job.runId, stages, {
      progress: (done, total) => {
        steps = { done, total }
        show.soon()
      },
      gate: () => deps.control.gate(),
    })
    await client.query('SET synchronous_commit = on')
  } finally {
    show.end()
    await disconnect(second)
  }
}

async function validate(
  deps: EngineDependencies,
  session: Session,
  client: pg.Client,
  plan: Plan,
  parts: ReadonlyMap<string, Bounds[]>,
): Promise<Validation> {
  const { pool, watch } = session
  const utf16 = sourceFacts(watch).encoding !== 'UTF-8'
  const meter = openMeter(
    deps.clock,
    plan.tables.map((table) => ({ name: table.target, rows: table.rows })),
  )
  const show = reporter(deps, 'validate', () => ({ ...meter.totals(), tables: meter.tables() }))
  try {
    const compared = await Promise.all(
      plan.tables.map(async (table) => {
        const task = (bounds: Bounds) => ({ table, schema: plan.schema, bounds, utf16 })
        const news = ({ read }: { read: number }) => {
          meter.add(table.target, { read, written: read })
          show.soon()
        }
        const validation = await compareTable(table, rangesToCompare(watch, table, parts), {
          ordered: (_, bounds) => pool.run({ kind: 'digest', task: task(bounds) }, news),
          sourceSet: (_, bounds) => pool.run({ kind: 'digestSource', task: task(bounds) }, news),
          targetSet: () => pool.run({ kind: 'digestTarget', task: task(EVERYTHING) }),
          setDifference: () => pool.run({ kind: 'setDifference', task: task(EVERYTHING) }),
        })
        await deps.control.gate()
        deps.emit({ type: 'table', validation })
        return validation
      }),
    )
    const checks = await checkStructure(client, plan)
    const sourceChanged = dataVersion(watch) !== session.version
    if (sourceChanged) {
      checks.push({
        id: 'source-changed',
        title: 'Source unchanged',
        state: 'amber',
        detail: 'Something was written to the source after its rows were read; that is not in the target.',
        remedy: 'Stop what writes to it and run again, or go on if the later changes may be lost.',
      })
    }
    const ok = compared.every((table) => table.ok) && checks.every((check) => check.state !== 'red')
    const validation: Validation = { ok, tables: compared, checks, sourceChanged }
    deps.emit({ type: 'validation', validation })
    return validation
  } finally {
    show.end()
  }
}

/** The transfer's ranges where both read by the same key; otherwise one range a table, cut anew if it may be. */
function rangesToCompare(
  watch: Database.Database,
  table: PlannedTable,
  parts: ReadonlyMap<string, Bounds[]>,
): Bounds[] {
  const ordered = orderedScan(table)
  const scan = scanOf(table)
  const same = !ordered || (ordered.columns.join() === scan.columns.join() && !scan.descending)
  if (!same) return [EVERYTHING]
  return parts.get(table.source) ?? splitTable(watch, table, partsOf(table))
}
