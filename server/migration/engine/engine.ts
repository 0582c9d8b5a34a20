import type pg from 'pg'
import { leaveSource, removeCapture } from '../capture/install'
import { MigrationError } from '../failure'
import { makePlan, planAnew, preflight, refuseRed } from '../plan/analyse'
import { plainTables } from '../plan/choices'
import { redCheck } from '../plan/preflight'
import { refreshPlan } from '../plan/refresh'
import { refuseOtherTables } from '../source/mark'
import { sourceFacts } from '../source/open'
import { inspect } from '../source/source'
import { build, buildStages, countSteps, type Unbuilt } from '../target/build'
import { lockRun, markDone, type Repair, readRun, removeRun, type StoredRun } from '../target/checkpoint'
import { prepareTarget } from '../target/prepare'
import { readRejects } from '../target/rejects'
import { connectTarget, disconnect } from '../target/target'
import { splitTable } from '../transfer/ranges'
import type { Job, Plan, RunReport } from '../types'
import { bringOver, type Capture, catchUp, openCapture, snapshotCaptured } from './capturing'
import { compareRun, validate } from './comparison'
import { countOf, countRejected, exceeded, tellRejects } from './rejects'
import { type EngineDependencies, partsOf, phase, reporter, type Session, withSession } from './session'
import { transfer } from './transferring'

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

/** Checks and a plan; by other choices alone from what an earlier plan found, while the source is as it was. */
export async function runPlan(deps: EngineDependencies, job: Job): Promise<void> {
  await withSession(deps, job, async (session) => {
    const { mark, watch } = session
    const { kept } = job
    if (kept?.files !== mark.files || job.mode !== 'create') {
      const { plan, found } = await analyse(deps, session)
      deps.emit({ type: 'plan', plan, kept: { ...found, files: mark.files } })
      return
    }
    await phase(deps, session, 'plan', async () => {
      const { plan, check } = await planAnew(watch, job, kept)
      deps.emit({ type: 'check', check })
      refuseRed([check])
      deps.emit({ type: 'plan', plan: { ...plan, source: { ...plan.source, mark } }, kept })
    })
  })
}

/** A whole run, from preflight to a validated target. */
export async function startRun(deps: EngineDependencies, job: Job): Promise<RunReport> {
  if (job.mode === 'compare') return compareRun(deps, job)
  return withSession(deps, job, async (session) => {
    const startedAt = deps.clock.now()
    const proposed = job.plan ?? (await analyseAndTell(deps, session))
    await deps.control.gate()
    const client = await connectTarget(job.target, `holdfast migration ${job.runId}`)
    let capture: Capture | null = null
    let begun = false
    try {
      await lockRun(client, job.runId)
      if (await readRun(client, job.runId)) {
        begun = true
        throw new MigrationError(
          'RUN_ACTIVE',
          `The target already holds run ${job.runId}.`,
          'Resume or cancel it.',
        )
      }
      capture = job.capture ? openCapture(job, proposed) : null
      if (capture) await snapshotCaptured(capture, session)
      const plan = await planOf(session, proposed)
      const run = await prepare(deps, session, client, { plan, startedAt })
      begun = true
      return await finish(deps, session, client, run, capture)
    } finally {
      if (capture && !begun) removeCapture(capture.writer, job.runId)
      capture?.close()
      await disconnect(client)
    }
  })
}

/** Goes on from the checkpoints in the target. A run that had finished answers with its report again. */
export async function resumeRun(deps: EngineDependencies, job: Job): Promise<RunReport> {
  if (job.mode === 'compare') return compareRun(deps, job)
  const client = await connectTarget(job.target, `holdfast migration ${job.runId}`)
  try {
    await lockRun(client, job.runId)
    const stored = await readRun(client, job.runId)
    if (!stored) throw unknownRun(job.runId)
    if (stored.state === 'done' && stored.report) {
      const report = JSON.parse(stored.report) as RunReport
      await tellRejects(deps, client, job.runId)
      deps.emit({ type: 'done', report })
      return report
    }
    const resumed: Job = { ...job, source: job.source || stored.source, mode: stored.mode, plan: stored.plan }
    return await withSession(deps, resumed, async (session) => {
      const capture = job.capture ? openCapture(resumed, stored.plan) : null
      try {
        if (capture?.fresh) await snapshotCaptured(capture, session)
        const noted = capture !== null && !capture.fresh
        const run = noted ? stored : await startAnewIfChanged(deps, session, client, stored)
        deps.emit({ type: 'plan', plan: run.plan })
        return await finish(deps, session, client, run, capture)
      } finally {
        capture?.close()
      }
    })
  } finally {
    await disconnect(client)
  }
}

/** The plan with the mark of the state that is copied; one that was made of another state gets its figures anew. */
async function planOf(session: Session, plan: Plan): Promise<Plan> {
  const { job, pool, watch, mark } = session
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
      splitTable(session.watch, table, partsOf(table, session.pool.size)).map((bounds) => ({
        table: table.source,
        bounds,
      })),
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
  const { mark } = session
  if (stored.plan.source.mark?.files === mark.files) return stored
  const message =
    'The source was written to since the run stopped, so its rows are copied anew: the target becomes one state of it.'
  deps.emit({ type: 'log', level: 'warn', message })
  const { startedAt, repair } = stored
  return prepare(deps, session, client, {
    plan: await planOf(session, stored.plan),
    startedAt,
    instead: repair,
  })
}

/** Undoes a run that is not finished: the target is afterwards as it was before. */
export async function cancelRun(deps: Pick<EngineDependencies, 'emit'>, job: Job): Promise<void> {
  // Under another name than the run's sessions: those are ended by name, which may come while this undoes the run.
  const client = await connectTarget(job.target, `holdfast migration undo ${job.runId}`)
  try {
    await lockRun(client, job.runId)
    const stored = await readRun(client, job.runId)
    leaveSource(job.source || (stored?.source ?? ''), job.runId)
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

function unknownRun(runId: string): MigrationError {
  return new MigrationError(
    'RUN_UNKNOWN',
    `The target knows no run ${runId}.`,
    'It was cancelled or has finished, or the target is another one: start a new run.',
  )
}

function inspectAll(deps: EngineDependencies, { pool, watch, job }: Session) {
  return preflight(pool, watch, job, deps.clock.now(), (check) => deps.emit({ type: 'check', check }))
}

/** Preflight and plan side by side: one thread checks the file while others read its rows. */
async function analyse(deps: EngineDependencies, session: Session) {
  const checked = phase(deps, session, 'preflight', () => inspectAll(deps, session))
  checked.catch(() => {})
  const { pool, watch, job } = session
  const planned = phase(deps, session, 'plan', async () => {
    return makePlan(
      pool,
      watch,
      job,
      inspect(watch, job.exclude, plainTables(job.choices)),
      async () => (await checked).orphans,
    )
  })
  planned.catch(() => {})
  refuseRed((await checked).checks)
  const { plan, found } = await planned
  return { plan: { ...plan, source: { ...plan.source, mark: session.mark } }, found }
}

async function analyseAndTell(deps: EngineDependencies, session: Session): Promise<Plan> {
  const { plan } = await analyse(deps, session)
  deps.emit({ type: 'plan', plan })
  return plan
}

/** Transfer, build and validate, as far as they are still to be done. */
async function finish(
  deps: EngineDependencies,
  session: Session,
  client: pg.Client,
  run: StoredRun,
  capture: Capture | null,
): Promise<RunReport> {
  const { job } = session
  const { plan } = run
  endSessionsOnCancel(deps, job)
  const moved = await phase(deps, session, 'transfer', () => transfer(deps, session, client, plan))
  // Parts that were copied by workers before this one are of earlier states: unique indexes need one state.
  if (capture) await bringOver(capture, { client, built: false })
  const unbuilt = await phase(deps, session, 'build', () => buildAll(deps, session, client, run))
  if (capture) {
    await catchUp(capture, { client, built: true }, (lag) => tellLag(deps, lag))
    await bringOver(capture, { client, built: true, session })
    // Rows that were mended or written meanwhile.
    moved.rejects = await readRejects(client, job.runId)
    for (const table of moved.tables) table.rejected = countOf(moved.rejects, plan, table.table)
    const error = exceeded(moved.tables, job.choices?.rejects)
    if (error) throw error
  }
  const validation = await phase(deps, session, 'validate', () =>
    validate(deps, session, client, plan, { ...moved, unbuilt }),
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
    rejected: countRejected(moved.tables),
    notCarried: plan.notCarried,
    plan,
  }
  // A red run keeps its bookkeeping, so that it can be cancelled, or validated again by resuming it.
  if (validation.ok) await markDone(client, job.runId, JSON.stringify(report))
  await tellRejects(deps, client, job.runId)
  deps.emit({ type: 'done', report })
  return report
}

async function tellLag(deps: EngineDependencies, lag: number): Promise<void> {
  await deps.control.gate()
  deps.emit({ type: 'lag', keys: lag, appliedAt: deps.clock.now() })
}

async function buildAll(
  deps: EngineDependencies,
  session: Session,
  client: pg.Client,
  run: StoredRun,
): Promise<Unbuilt[]> {
  const second =
    session.pool.size > 1
      ? await connectTarget(session.job.target, `holdfast migration ${session.job.runId}`)
      : undefined
  const clients = second ? [client, second] : [client]
  const stages = buildStages(run.plan, run.repair.restore)
  let steps = { done: 0, total: countSteps(stages) }
  const show = reporter(deps, 'build', () => ({ ...steps, tables: [] }))
  try {
    const unbuilt = await build(clients, session.job.runId, stages, {
      progress: (done, total) => {
        steps = { done, total }
        show.soon()
      },
      gate: () => deps.control.gate(),
    })
    await client.query('SET synchronous_commit = on')
    return unbuilt
  } finally {
    show.end()
    await disconnect(second)
  }
}
