import { type ChildProcess, fork } from 'node:child_process'
import { existsSync } from 'node:fs'
import { setPriority } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fromFailure, MigrationError } from '../failure'
import type { Check, Failure, Job, Plan, RunEvent, RunReport, Validation, WorkerCommand } from '../types'

/** A run at work in a process of its own. */
export interface RunHandle {
  readonly pid: number
  pause(): void
  continue(): void
  /** Undoes the run; `ended` resolves to 'cancelled' when the target is as it was. */
  cancel(): void
  /** Stops at a committed batch and ends the process; the run can be resumed. */
  stop(): void
  /** How it ended; never rejects. */
  readonly ended: Promise<RunEnd>
}

export type RunEnd =
  | { state: 'done'; report: RunReport }
  | { state: 'cancelled' }
  | { state: 'stopped' }
  | { state: 'failed'; failure: Failure }

export interface ClientOptions {
  /** Path of dist/migration-worker.mjs. */
  worker?: string
  /** Each event in order. A 'done' is acknowledged to the worker when the promise that this returns resolves. */
  onEvent?: (event: RunEvent) => void | Promise<void>
  /** The process gives way to others of this machine: to the console that serves people meanwhile. */
  background?: boolean
}

/** Of -20 to 19; a processor that nobody else wants is still all its own. */
const BACKGROUND_PRIORITY = 5

/** A lower priority may be forbidden or too late; the run goes on with the one it has. */
function giveWay(pid: number | undefined): void {
  try {
    if (pid) setPriority(pid, BACKGROUND_PRIORITY)
  } catch {}
}

/** dist/migration-worker.mjs, seen from a bundle in dist/ or from the source tree. */
export function workerPath(from = import.meta.url): string {
  for (let folder = dirname(fileURLToPath(from)); ; folder = dirname(folder)) {
    for (const candidate of [
      join(folder, 'migration-worker.mjs'),
      join(folder, 'dist', 'migration-worker.mjs'),
    ]) {
      if (existsSync(/* turbopackIgnore: true */ candidate)) return candidate
    }
    if (folder === dirname(folder)) throw new Error('dist/migration-worker.mjs is missing: run the build.')
  }
}

export function startRun(job: Job, options: ClientOptions = {}): RunHandle {
  return launch({ type: 'start', job }, options)
}

export function resumeRun(job: Job, options: ClientOptions = {}): RunHandle {
  return launch({ type: 'resume', job }, options)
}

/** Undoes a run that no process works on. Rejects with a MigrationError. */
export async function cancelRun(job: Job, options: ClientOptions = {}): Promise<void> {
  const end = await launch({ type: 'cancel', job }, options).ended
  if (end.state === 'failed') throw fromFailure(end.failure)
}

/** The checks of a preflight. Rejects with a MigrationError when the source isn't a readable SQLite file. */
export async function preflight(job: Job, options: ClientOptions = {}): Promise<Check[]> {
  const checks: Check[] = []
  await ask(
    { type: 'preflight', job },
    options,
    (event) => event.type === 'check' && checks.push(event.check),
  )
  return checks
}

/** Reads the rows and proposes a plan. Rejects with PREFLIGHT_RED, TARGET_MISMATCH and the like. */
export async function makePlan(job: Job, options: ClientOptions = {}): Promise<Plan> {
  let plan: Plan | undefined
  await ask({ type: 'plan', job }, options, (event) => {
    if (event.type === 'plan') plan = event.plan
  })
  return plan as Plan
}

/** Compares both sides by `job.plan`. */
export async function validate(job: Job, options: ClientOptions = {}): Promise<Validation> {
  let validation: Validation | undefined
  await ask({ type: 'validate', job }, options, (event) => {
    if (event.type === 'validation') validation = event.validation
  })
  return validation as Validation
}

async function ask(
  command: WorkerCommand,
  options: ClientOptions,
  listen: (event: RunEvent) => unknown,
): Promise<void> {
  const onEvent = async (event: RunEvent) => {
    listen(event)
    await options.onEvent?.(event)
  }
  const end = await launch(command, { ...options, onEvent }).ended
  if (end.state === 'failed') throw fromFailure(end.failure)
  if (end.state === 'cancelled') throw new MigrationError('CANCELLED', 'It was cancelled.', 'Start again.')
}

/** Starts a process for one task. It gets no secret by arguments or environment: the job goes over the channel. */
export function launch(
  command: WorkerCommand,
  { worker = workerPath(), onEvent, background }: ClientOptions,
): RunHandle {
  // A bundle that Next lives on: turbopack must not look for the file.
  const child = fork(/* turbopackIgnore: true */ worker, [], {
    execArgv: [],
    env: { NODE_ENV: 'production' },
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    detached: false,
  })
  if (background) giveWay(child.pid)
  let stopping = false
  let last = ''
  child.stderr?.on('data', (data: Buffer) => {
    last = (last + data.toString()).slice(-2000)
  })
  const send = (message: WorkerCommand) => {
    if (child.connected) child.send(message, () => {})
  }
  send(command)
  return {
    pid: child.pid ?? -1,
    pause: () => send({ type: 'pause' }),
    continue: () => send({ type: 'continue' }),
    cancel: () => send({ type: 'cancel' }),
    stop() {
      stopping = true
      if (child.connected) child.disconnect()
    },
    ended: follow(child, {
      onEvent,
      acknowledge: () => send({ type: 'acknowledge' }),
      stopping: () => stopping,
      last: () => last,
    }),
  }
}

interface Following {
  onEvent: ClientOptions['onEvent']
  acknowledge(): void
  stopping(): boolean
  /** The last that the worker wrote to its error output. */
  last(): string
}

function follow(child: ChildProcess, { onEvent, acknowledge, stopping, last }: Following): Promise<RunEnd> {
  let end: RunEnd | undefined
  let queue = Promise.resolve()
  child.on('message', (event: RunEvent) => {
    queue = queue
      .then(() => onEvent?.(event))
      .then(() => {
        if (event.type === 'done') {
          end = { state: 'done', report: event.report }
          acknowledge()
        } else if (event.type === 'cancelled') end = { state: 'cancelled' }
        else if (event.type === 'failed') end = { state: 'failed', failure: event.failure }
      })
      .catch(() => {})
  })
  // What the worker said last may arrive after the news of its end.
  const heard = new Promise<void>((resolve) => {
    if (child.connected) child.once('disconnect', () => resolve())
    else resolve()
  })
  return new Promise((resolve) => {
    child.on('error', () => resolve({ state: 'failed', failure: lost('could not be started', last()) }))
    child.on('exit', (code, signal) => {
      void heard
        .then(() => queue)
        .then(() => {
          if (end) resolve(end)
          else if (stopping()) resolve({ state: 'stopped' })
          else if (code === 0 && signal === null) resolve({ state: 'stopped' })
          else
            resolve({
              state: 'failed',
              failure: lost(signal ? `was ended by ${signal}` : `ended with code ${code}`, last()),
            })
        })
    })
  })
}

function lost(how: string, last: string): Failure {
  const line = last.trim().split('\n').at(-1) ?? ''
  return {
    code: 'WORKER_LOST',
    message: `The migration's process ${how}.${line ? ` Its last words: ${line}` : ''}`,
    remedy: 'Resume the run: committed batches are kept.',
    resumable: true,
    heals: true,
  }
}
