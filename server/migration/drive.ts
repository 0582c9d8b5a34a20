import { randomUUID } from 'node:crypto'
import type { Store } from '@/db/store'
import type { RunState } from '@/db/tables'
import type { Clock } from '@/server/clock'
import type { Log } from '@/server/log'
import { appendLog, keepPlan, keepRun, settleRun } from './drive-units'
import { toFailure } from './failure'
import { followProgress } from './forecast'
import type { Run, RunCheck, RunProgress, RunValues } from './runs'
import type { Failure, Job, Phase, Plan, RunEvent, RunReport, WorkerCommand } from './types'

/** What pages hear of a run while it goes on. Everything else they read when `state` or `phase` has changed. */
export interface MigrationEvent {
  kind: 'migration'
  run: string
  state: RunState
  phase: Run['phase']
  progress: RunProgress | null
}

/** A process that does one task of one run. */
export interface WorkerProcess {
  send(command: WorkerCommand): void
  /** Asks it to stop at a committed batch, kills it if it takes too long, and resolves when it is gone. */
  stop(): Promise<void>
}

export type ForkWorker = (on: { event(event: RunEvent): void; exit(how: string): void }) => WorkerProcess

export type Task = 'preflight' | 'plan' | 'start' | 'resume' | 'cancel' | 'validate'

export interface DriveDeps {
  store: Store
  clock: Clock
  log: Log
  fork: ForkWorker
  publish(event: MigrationEvent): void
  /** The task's input. Before the copy begins, everything that it needs in the target is made here. */
  job(run: Run, task: Task): Promise<Job>
  /** Fits what the engine proposes to the run. */
  fitPlan(run: Run, plan: Plan): Plan
  /** After a run was completed or undone: what was kept for it can go. */
  ended(run: Run, state: 'completed' | 'cancelled'): Promise<void>
}

const LEASE_MS = 15_000
const PUBLISH_MS = 250
const MOST_CRASHES = 3

export const leaseFrom = (now: number) => now + LEASE_MS

/**
 * One run while this process drives it: a worker process at a time, what it reports kept in the store and
 * published. A worker that dies is replaced; the next one goes on from the checkpoints in the target.
 */
export class Drive {
  /** Resolves when there is nothing left to drive. */
  readonly done: Promise<void>
  readonly #deps: DriveDeps
  readonly #owner: string
  readonly #run: Run
  readonly #follow: ReturnType<typeof followProgress>
  readonly #checks = new Map<string, RunCheck>()
  #task: Task
  #worker: WorkerProcess | null = null
  /** What the run is asked to do, as far as the worker was told. */
  #state: RunState
  #phase: Run['phase']
  #progress: RunProgress | null
  #plan: Plan | null = null
  #unsaved = false
  #settled = false
  #stopping = false
  /** Workers that ended without a word since the last progress. */
  #crashes = 0
  #queue: Promise<void> = Promise.resolve()
  #finish = () => {}

  constructor(deps: DriveDeps, owner: string, run: Run, task: Task) {
    this.#deps = deps
    this.#owner = owner
    this.#run = run
    this.#task = task
    this.#state = run.state
    this.#phase = task === 'preflight' ? 'preflight' : run.phase
    this.#progress = run.progress
    this.#follow = followProgress(run.progress)
    this.done = new Promise((resolve) => {
      this.#finish = resolve
    })
    this.#enqueue(() => this.#launch())
  }

  get task(): Task {
    return this.#task
  }

  /** Passes on what is asked of the run. */
  tell(state: RunState): void {
    const working = this.#task === 'start' || this.#task === 'resume'
    const command = commands[state]
    if (!working || !command || this.#settled || this.#state === state || this.#state === 'cancelling') return
    this.#state = state
    this.#worker?.send({ type: command })
    this.#publish()
  }

  /** Heartbeat: keeps the lease and the newest progress. Answers the state that is asked for; null: the lease is lost. */
  async beat(): Promise<RunState | null> {
    const values: Partial<RunValues> = this.#unsaved ? { progress: this.#progress, phase: this.#phase } : {}
    this.#unsaved = false
    return this.#save(values)
  }

  /** Stops at a committed batch, without an outcome: somebody else goes on, or the run was taken back. */
  async stop(): Promise<void> {
    this.#stopping = true
    await this.#worker?.stop()
    this.#enqueue(async () => this.#finish())
    await this.done
  }

  async #launch(): Promise<void> {
    if (this.#stopping) return
    try {
      if (this.#task !== 'plan') await this.#note('info', beginnings[this.#task])
      const job = await this.#deps.job(this.#run, this.#task)
      const worker = this.#deps.fork({
        event: (event) => this.#hear(event),
        exit: (how) => this.#enqueue(() => this.#exited(worker, how)),
      })
      this.#worker = worker
      worker.send({ type: this.#task, job })
      if (this.#state === 'paused') worker.send({ type: 'pause' })
    } catch (error) {
      await this.#fail(toFailure(error, this.#task === 'resume'))
      this.#finish()
    }
    this.#publish()
  }

  /** Progress is merged at once and kept by the heartbeat; everything else is kept in order. */
  #hear(event: RunEvent): void {
    if (this.#settled || this.#stopping) return
    if (event.type !== 'progress') {
      this.#enqueue(() => this.#keep(event))
      return
    }
    const before = this.#progress
    this.#crashes = 0
    this.#progress = this.#follow(event, event.at)
    this.#phase = this.#task === 'validate' ? null : event.phase
    this.#unsaved = true
    const due = !before || event.at - before.at >= PUBLISH_MS || event.done === event.total
    if (due) this.#publish()
  }

  async #keep(event: RunEvent): Promise<void> {
    if (this.#settled) return
    switch (event.type) {
      case 'phase':
        return this.#keepPhase(event.phase, event.state, event.milliseconds)
      case 'check':
        return this.#keepCheck(event.check)
      case 'plan':
        return this.#keepPlan(event.plan)
      case 'log':
        return this.#note(event.level, event.message)
      case 'paused':
        return this.#paused(event.reason)
      case 'resumed':
        return this.#note('info', 'Resumed.')
      case 'validation':
        await this.#save({ validation: event.validation })
        return
      case 'cancelled':
        return this.#settle('cancelled')
      case 'failed':
        if (event.report) await this.#save({ report: event.report, validation: event.report.validation })
        return this.#fail(event.failure)
      case 'done':
        return this.#completed(event.report)
    }
  }

  async #keepPhase(phase: Phase, state: 'started' | 'finished', milliseconds?: number): Promise<void> {
    const time = milliseconds === undefined ? '' : ` in ${(milliseconds / 1000).toFixed(1)} s`
    await this.#note('info', `${phaseWords[phase]} ${state}${time}.`)
    if (state !== 'started' || this.#task === 'validate' || this.#task === 'cancel') return
    this.#phase = phase
    if (isWorking(this.#task)) await this.#save({ phase })
    this.#publish()
  }

  async #keepCheck(check: RunCheck): Promise<void> {
    this.#checks.set(check.id, check)
    if (this.#task !== 'preflight') return
    await this.#deps.store.run(keepPlan, { id: this.#run.id, checks: [...this.#checks.values()] })
    this.#publish()
  }

  async #keepPlan(proposed: Plan): Promise<void> {
    const plan = this.#deps.fitPlan(this.#run, proposed)
    this.#plan = plan
    this.#run.plan = plan
    if (this.#task === 'plan') await this.#deps.store.run(keepPlan, { id: this.#run.id, plan })
    else await this.#save({ plan })
  }

  /** Asked for, or by itself with a reason: then the run is paused, and whoever looks decides. */
  async #paused(reason: string): Promise<void> {
    await this.#note('info', `Paused: ${reason}`)
    if (this.#state !== 'running') return
    this.#state = 'paused'
    await this.#save({ state: 'paused' })
    this.#publish()
  }

  async #completed(report: RunReport): Promise<void> {
    const values = { report, validation: report.validation, error: null }
    if (this.#task === 'validate') {
      this.#settled = true
      await this.#save({ validation: report.validation })
    } else await this.#settle('completed', { ...values, progress: this.#progress })
    // Only now may the bookkeeping in the target go.
    this.#worker?.send({ type: 'acknowledge' })
  }

  async #fail(failure: Failure): Promise<void> {
    const task = this.#task
    if (task === 'cancel' && failure.code === 'RUN_UNKNOWN') return this.#settle('cancelled')
    await this.#note('error', `${failure.message} ${failure.remedy}`)
    if (task === 'preflight' || task === 'plan') return this.#planned(failure)
    if (task === 'validate') {
      this.#settled = true
      await this.#save({ error: failure })
      return
    }
    // What can go on is paused with the reason; what cannot has failed.
    const state = failure.resumable && task !== 'cancel' ? 'paused' : 'failed'
    return this.#settle(state, { error: failure }, failure.message)
  }

  async #settle(
    state: 'completed' | 'failed' | 'cancelled' | 'paused',
    values?: Partial<RunValues>,
    reason?: string,
  ): Promise<void> {
    this.#settled = true
    this.#state = state
    this.#phase = null
    const { id } = this.#run
    if (state === 'cancelled') await this.#deps.ended(this.#run, state)
    await this.#deps.store.run(settleRun, { id, state, now: this.#deps.clock.now(), values, reason })
    if (state === 'completed') await this.#deps.ended(this.#run, state)
    if (state === 'completed' || state === 'cancelled') await this.#note('info', endings[state])
    this.#publish()
  }

  async #planned(error: Failure | null): Promise<void> {
    this.#settled = true
    this.#phase = null
    await this.#deps.store.run(keepPlan, { id: this.#run.id, phase: null, error })
    this.#publish()
  }

  async #exited(worker: WorkerProcess, how: string): Promise<void> {
    if (this.#worker !== worker) return
    this.#worker = null
    if (this.#settled || this.#stopping) return this.#finish()
    if (this.#task === 'preflight' && this.#checks.size > 0) return this.#checked()
    if (this.#task === 'plan' && this.#plan) {
      await this.#planned(null)
      return this.#finish()
    }
    await this.#crashed(`The worker process ended unexpectedly (${how}).`)
  }

  /** After the checks comes the plan, unless one of them is red. */
  async #checked(): Promise<void> {
    if ([...this.#checks.values()].some(({ state }) => state === 'red')) {
      await this.#planned(null)
      return this.#finish()
    }
    this.#task = 'plan'
    this.#phase = 'plan'
    await this.#deps.store.run(keepPlan, { id: this.#run.id, phase: 'plan' })
    await this.#launch()
  }

  async #crashed(message: string): Promise<void> {
    this.#crashes++
    const replaceable = isWorking(this.#task) || this.#task === 'cancel'
    if (!replaceable || this.#crashes > MOST_CRASHES) {
      const remedy = 'Look into the log and try again: nothing that was committed is lost.'
      await this.#fail({ code: 'WORKER_LOST', message, remedy, resumable: replaceable })
      return this.#finish()
    }
    await this.#note('warn', `${message} Another one goes on from the last committed batch.`)
    this.#task = this.#state === 'cancelling' ? 'cancel' : this.#task === 'start' ? 'resume' : this.#task
    await this.#launch()
  }

  async #save(values: Partial<RunValues>): Promise<RunState | null> {
    const until = leaseFrom(this.#deps.clock.now())
    return this.#deps.store.run(keepRun, { id: this.#run.id, owner: this.#owner, until, values })
  }

  #note(level: 'info' | 'warn' | 'error', message: string): Promise<void> {
    return noteLine(this.#deps, this.#run.id, level, message)
  }

  #publish(): void {
    const { id } = this.#run
    this.#deps.publish({
      kind: 'migration',
      run: id,
      state: this.#state,
      phase: this.#phase,
      progress: this.#progress,
    })
  }

  #enqueue(step: () => Promise<void>): void {
    this.#queue = this.#queue.then(step).catch((error) => {
      this.#deps.log.error({ run: this.#run.id, task: this.#task, error }, 'migration event was not kept')
    })
  }
}

let lines = 0

/** Notes a line in the log of a run. Lines of the same millisecond keep their order. */
export async function noteLine(
  { store, clock }: Pick<DriveDeps, 'store' | 'clock'>,
  runId: string,
  level: 'info' | 'warn' | 'error',
  message: string,
): Promise<void> {
  const time = clock.now()
  const order = [String(time).padStart(15, '0'), String(lines++).padStart(9, '0'), randomUUID().slice(0, 8)]
  await store.run(appendLog, [
    { id: order.join('-'), runId, time, level, message: message.slice(0, 2_000) },
  ])
}

const isWorking = (task: Task) => task === 'start' || task === 'resume'

const commands: Partial<Record<RunState, 'pause' | 'continue' | 'cancel'>> = {
  paused: 'pause',
  running: 'continue',
  cancelling: 'cancel',
}

const beginnings: Record<Exclude<Task, 'plan'>, string> = {
  preflight: 'Checking source and target.',
  start: 'Started.',
  resume: 'Going on from the last committed batch.',
  cancel: 'Undoing what was written.',
  validate: 'Comparing both sides again.',
}

const endings = { completed: 'Completed.', cancelled: 'Cancelled: the target is as it was.' }

const phaseWords: Record<Phase, string> = {
  preflight: 'Preflight',
  plan: 'Plan',
  schema: 'Schema',
  transfer: 'Transfer',
  build: 'Build',
  validate: 'Validation',
}
