import type { Store } from '@/db/store'
import type { Clock } from '@/server/clock'
import { HoldfastError } from '@/server/errors'
import { fromFailure, MigrationError, toFailure } from '../failure'
import type { Job, RunEvent, Validation, WorkerCommand } from '../types'
import { launch } from './client'
import { beginCutOver, dropCutOver, finishCutOver, noteReopened, setFollowing } from './cut-over-units'
import type { Driver } from './driver'
import type { CutOverReport, Run } from './run'
import { noteLine } from './run-log'
import type { Asked, Privileged } from './run-units'
import { getRun } from './runs'

export interface CutOverDeps {
  store: Store
  clock: Clock
  driver: Driver
  /** Bundle of the worker process. */
  workerFile: string
  job(run: Run): Promise<Job>
  /** The source's file, looked at anew. */
  source(run: Run): Promise<string>
}

/**
 * Moves the application of a foreign source: refuses its writes, brings over what is noted, compares both sides, and
 * answers what to put into the application. When they differ, nothing is moved and it may write again.
 */
export async function cutOver(deps: CutOverDeps, request: Omit<Privileged, 'now'>): Promise<CutOverReport> {
  const { store, clock, driver } = deps
  const { id, caller } = request
  await store.run(beginCutOver, { ...request, now: clock.now() })
  try {
    await driver.release(id)
    const run = await getRun({ store }, id)
    const job = await deps.job(run)
    let validation: Validation | undefined
    let moved: Extract<RunEvent, { type: 'cutOver' }> | undefined
    await ask(deps, { type: 'cutOver', job }, (event) => {
      if (event.type === 'validation') validation = event.validation
      if (event.type === 'cutOver') moved = event
    })
    if (!moved || !validation) throw lost()
    const report = reportOf(run, job, moved)
    await store.run(finishCutOver, { id, cutOver: report, validation, caller, now: clock.now() })
    const figures = `writes were refused for ${report.blockedMilliseconds} ms before both sides were the same, ${report.keysBroughtOver} keys were brought over`
    await noteLine(
      deps,
      id,
      'info',
      `Cut over to PostgreSQL: ${figures}. The source takes no writes any more.`,
    )
    return report
  } catch (error) {
    await giveUp(deps, id, error)
    throw error
  } finally {
    await driver.follow(id)
  }
}

/** After a start: a cut-over that a crash interrupted did not happen, so the application may write again. */
export async function recoverCutOver(deps: CutOverDeps, run: Run): Promise<void> {
  try {
    await ask(deps, { type: 'reopen', job: await sourceJob(deps, run) })
  } finally {
    await giveUp(deps, run.id, lost())
  }
}

/** Lets the application write to its old source again. What it wrote to PostgreSQL meanwhile stays there alone. */
export async function reopenSource(deps: CutOverDeps, request: Omit<Asked, 'now'>): Promise<void> {
  const { store, clock, driver } = deps
  const run = await getRun({ store }, request.id)
  if (run.state !== 'switched_over' || run.sourceKind !== 'folder') {
    throw new HoldfastError('CONFLICT', {
      message: 'Only the source of a run that was cut over can be reopened.',
      remedy: 'Look at the run’s page: it may have changed meanwhile.',
    })
  }
  await ask(deps, { type: 'reopen', job: await sourceJob(deps, run) })
  await store.run(noteReopened, { ...request, now: clock.now() })
  await noteLine(deps, run.id, 'info', 'The source takes writes again.')
  await driver.follow(run.id)
}

/** Takes the capture of a run that is to be deleted out of its source. */
export async function leaveSource(deps: CutOverDeps, run: Run): Promise<void> {
  await deps.store.run(setFollowing, { id: run.id, on: false })
  await deps.driver.release(run.id)
  try {
    await ask(deps, { type: 'leave', job: await sourceJob(deps, run) })
  } catch (error) {
    // A source that is gone, or whose place may not be read any more, holds nothing that could be taken out.
    if (error instanceof MigrationError && error.code === 'SOURCE_UNREADABLE') return
    await deps.store.run(setFollowing, { id: run.id, on: true })
    throw error
  }
}

/** What concerns the source alone, and goes on though the target is away. */
async function sourceJob({ source }: CutOverDeps, run: Run): Promise<Job> {
  return {
    ...{ runId: run.id, source: await source(run), target: { ...run.target, password: '' }, mode: 'create' },
    ...(run.capture && { capture: true }),
    ...(run.plan && { plan: run.plan }),
  }
}

async function giveUp({ store, clock, ...deps }: CutOverDeps, id: string, cause: unknown): Promise<void> {
  const error = toFailure(cause, false)
  await store.run(dropCutOver, { id, error, now: clock.now() })
  await noteLine({ store, clock, ...deps }, id, 'error', `Not cut over: ${error.message} ${error.remedy}`)
}

async function ask(
  { workerFile }: CutOverDeps,
  command: WorkerCommand,
  listen: (event: RunEvent) => void = () => {},
): Promise<void> {
  const end = await launch(command, { worker: workerFile, onEvent: listen }).ended
  if (end.state === 'failed') throw fromFailure(end.failure)
}

function lost(): MigrationError {
  return new MigrationError(
    'WORKER_LOST',
    'Cutting over was interrupted before both sides were compared.',
    'Nothing was moved, and the application may write to its source again. Try again.',
  )
}

function reportOf(
  { target }: Run,
  { source }: Job,
  { blockedAt, milliseconds, keys, unblocked }: Extract<RunEvent, { type: 'cutOver' }>,
): CutOverReport {
  const part = encodeURIComponent
  const ssl = target.ssl === true ? 'verify-full' : target.ssl === 'no-verify' ? 'require' : 'prefer'
  const connection = `postgresql://${part(target.user)}@${target.host}:${target.port}/${part(target.database)}?sslmode=${ssl}`
  return {
    at: blockedAt,
    blockedMilliseconds: milliseconds,
    keysBroughtOver: keys,
    connection,
    steps: [
      `Stop the application that uses ${source}.`,
      `Put the connection string into its settings, with the password of ${target.user}.`,
      ...(target.schema === 'public'
        ? []
        : [`Its tables are in the schema ${target.schema}: set search_path to it.`]),
      'Change its driver and dialect from SQLite to PostgreSQL, and start it.',
      ...(unblocked.length > 0
        ? [`Virtual tables take no triggers, so writes to these are not refused: ${unblocked.join(', ')}.`]
        : []),
      'If it has to go back, reopen the source: what was written to PostgreSQL by then stays there alone.',
    ],
  }
}
