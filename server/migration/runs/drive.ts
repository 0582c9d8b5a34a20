import type { Store } from '@/db/store'
import type { RunState } from '@/db/tables'
import type { Clock } from '@/server/clock'
import { isHoldfastError } from '@/server/errors'
import type { Log } from '@/server/log'
import type { Trace } from '@/server/trace'
import { toFailure, waitAfter } from '../failure'
import type { Failure, Job, KeptEvidence, Phase, Plan, RunEvent, RunReport, Validation } from '../types'
import { type Attempts, followAttempts } from './attempts'
import { launch, type RunEnd, type RunHandle } from './client'
import { restingPhase } from './cut-over-units'
import { keepPlan, keepRun, settleRun } from './drive-units'
import { followProgress } from './forecast'
import { type MigrationNews, tellsOf } from './news'
import type { RejectFiles } from './reject-file'
import { rowsWere } from './rejects'
import type { Run, RunCheck, RunProgress, RunValues } from './run'
import { beginnings, endings, noteLine, phaseWords } from './run-log'
import { openRunSpans, type RunSpans } from './run-spans'

export type Task = 'plan' | 'start' | 'resume' | 'cancel' | 'validate' | 'follow'

export interface DriveDeps {
  store: Store
  clock: Clock
  log: Log
  trace?: Trace | undefined
  /** Bundle of the worker process. */
  workerFile: string
  rejects: RejectFiles
  publish(news: MigrationNews): void
  /** The task's input. Before the copy begins, everything that it needs in the target is made here. */
  job(run: Run, task: Task): Promise<Job>
  /** Fits what the engine proposes to the run. */
  fitPlan(run: Run, plan: Plan): Plan
  /** Fits what the engine found to the run. */
  fitValidation(run: Run, validation: Validation): Validation
  /** After a run was completed or undone: what was kept for it can go. */
  ended(run: Run, state: 'completed' | 'cancelled'): Promise<void>
}

const LEASE_MS = 15_000
const PUBLISH_MS = 250
/** So often a worker that died without a word is replaced at once; then there is a wait before the next. */
const MOST_CRASHES = 3
/** A worker stops at the next committed batch; one that takes longer is killed, which loses nothing either. */
const STOP_MS = 3_000

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
  #worker: RunHandle | null = null
  /** What the run is asked to do, as far as the worker was told. */
  #state: RunState
  #phase: Run['phase']
  #progress: RunProgress | null
  #plan: Plan | null = null
  readonly #tell: ReturnType<typeof tellsOf>
  #unsaved = false
  #settled = false
  #stopping = false
  #again = false
  readonly #attempts: Attempts
  readonly #spans: RunSpans
  #queue: Promise<void> = Promise.resolve()
  #finish = () => {}

  /** `attempts`: how many tries of the run failed before this one. */
  constructor(deps: DriveDeps, owner: string, run: Run, task: Task, attempts = 0) {
    this.#attempts = followAttempts(attempts)
    this.#deps = deps
    this.#owner = owner
    this.#run = run
    this.#task = task
    this.#state = run.state
    this.#phase = task === 'plan' ? 'preflight' : run.phase
    this.#progress = run.progress
    this.#follow = followProgress(run.progress)
    for (const check of run.checks) this.#checks.set(check.id, check)
    this.#tell = tellsOf(run.id, deps.publish)
    this.#spans = openRunSpans(deps.trace, { run: run.id, task })
    this.done = new Promise((resolve) => {
      this.#finish = () => {
        this.#spans.end()
        resolve()
      }
    })
    this.#enqueue(() => this.#launch()).catch(() => this.#finish())
  }

  get task(): Task {
    return this.#task
  }

  /** Passes on what is asked of the run. */
  tell(state: RunState): void {
    const command = commands[state]
    if (!isWorking(this.#task) || !command || this.#settled) return
    if (this.#state === state || this.#state === 'cancelling') return
    this.#state = state
    this.#worker?.[command]()
    this.#publish()
  }

  /** Heartbeat: keeps the lease and the newest progress. Answers the state that is asked for; null: the lease is lost. */
  async beat(): Promise<RunState | null> {
    const unsaved = this.#unsaved
    this.#unsaved = false
    return unsaved ? this.#save({ progress: this.#progress }, this.#phase) : this.#save({})
  }

  /** Stops at a committed batch, without an outcome: somebody else goes on, or the run was taken back. */
  async stop(): Promise<void> {
    this.#stopping = true
    const worker = this.#worker
    worker?.stop()
    const killed = setTimeout(() => worker && kill(worker), STOP_MS)
    await worker?.ended
    clearTimeout(killed)
    await this.#queue
    this.#finish()
  }

  async #launch(): Promise<void> {
    if (this.#stopping) return
    try {
      await this.#note('info', beginnings[this.#task])
      const job = await this.#deps.job(this.#run, this.#task)
      if (this.#stopping) return
      const worker = launch(
        { type: this.#task, job },
        { worker: this.#deps.workerFile, background: true, onEvent: (event) => this.#hear(event) },
      )
      this.#worker = worker
      // What can't be kept, because the store is away, is left to the lease: whoever takes the run next goes on.
      worker.ended.then((end) => this.#enqueue(() => this.#ended(end)).catch(() => this.#finish()))
      if (this.#state === 'paused') worker.pause()
    } catch (error) {
      const failure = toFailure(error, this.#task === 'resume')
      await this.#fail({ ...failure, resumable: failure.resumable || failure.heals === true })
      this.#finish()
    }
    this.#publish()
  }

  /** Progress is merged at once and kept by the heartbeat; everything else is kept in order. */
  #hear(event: RunEvent): Promise<void> | undefined {
    if (this.#settled || this.#stopping) return
    this.#spans.hear(event)
    if (event.type === 'batch') return
    if (event.type === 'lag') return this.#hearLag(event)
    if (event.type !== 'progress') return this.#enqueue(() => this.#keep(event))
    const before = this.#progress
    this.#attempts.hear(event)
    this.#progress = this.#follow(event, event.at)
    this.#phase = event.phase
    this.#unsaved = isWorking(this.#task)
    const due = !before || event.at - before.at >= PUBLISH_MS || event.done === event.total
    if (due) this.#publish()
  }

  /** Kept by the heartbeat like progress. A source that is followed again has no error any more. */
  async #hearLag({ keys, appliedAt, at }: Extract<RunEvent, { type: 'lag' }>): Promise<void> {
    if (this.#progress) this.#progress = { ...this.#progress, lag: { keys, appliedAt }, at }
    this.#unsaved = isWorking(this.#task) || this.#task === 'follow'
    if (this.#task === 'follow' && this.#run.error) {
      this.#run.error = null
      await this.#enqueue(async () => void (await this.#save({ error: null })))
    }
    this.#publish()
  }

  async #keep(event: RunEvent): Promise<void> {
    if (this.#settled) return
    switch (event.type) {
      case 'phase':
        return this.#keepPhase(event.phase, event.state, event.milliseconds)
      case 'check':
        return this.#keepCheck(event.check)
      case 'plan':
        return this.#keepPlan(event.plan, event.kept)
      case 'log':
        return this.#note(event.level, event.message)
      case 'rejects':
        return this.#deps.rejects.keep(this.#run.id, event.rows, event.first)
      case 'paused':
        return this.#paused(event.reason)
      case 'resumed':
        return this.#note('info', 'Resumed.')
      case 'validation':
        await this.#save({ validation: this.#deps.fitValidation(this.#run, event.validation) })
        return
      case 'cancelled':
        return this.#settle('cancelled', { error: null })
      case 'failed':
        if (event.report) await this.#save(this.#fit(event.report))
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
    const before = this.#checks.get(check.id)
    const same = before?.state === check.state && before.detail === check.detail
    this.#checks.set(check.id, same ? { ...check, acknowledged: before.acknowledged } : check)
    if (this.#task !== 'plan') return
    await this.#deps.store.run(keepPlan, { id: this.#run.id, checks: [...this.#checks.values()] })
    this.#publish()
  }

  async #keepPlan(proposed: Plan, kept?: KeptEvidence): Promise<void> {
    const plan = this.#deps.fitPlan(this.#run, proposed)
    this.#plan = plan
    this.#run.plan = plan
    // The own store takes no choices: nothing will ask for its evidence.
    const values = this.#run.sourceKind === 'store' ? { plan } : { plan: { ...plan, kept } }
    if (this.#task === 'plan') await this.#deps.store.run(keepPlan, { id: this.#run.id, ...values })
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

  /** The worker's bookkeeping in the target goes when this has been kept, and only if both sides agree. */
  async #completed(report: RunReport): Promise<void> {
    const kept = await this.#deps.rejects.count(this.#run.id)
    // Not acknowledged then: the next worker tells them again.
    if (kept !== report.rejected) throw new Error(`${kept} of ${report.rejected} rejected rows were kept.`)
    const values = { ...this.#fit(report), progress: this.#progress }
    // A run that only compares has done its work, whatever it found.
    if (report.validation.ok || this.#run.purpose === 'compare')
      return this.#settle('completed', { ...values, error: null })
    const error: Failure = {
      code: 'VALIDATION_RED',
      message: 'The two sides are not the same: a check of the validation is red.',
      remedy: 'Look at the validation below. Compare again when the cause is mended, or cancel the run.',
      resumable: true,
    }
    await this.#settle('failed', { ...values, error }, error.message)
  }

  #fit(report: RunReport): { report: RunReport; validation: Validation } {
    const validation = this.#deps.fitValidation(this.#run, report.validation)
    return { validation, report: { ...report, validation, checks: validation.checks } }
  }

  async #fail(failure: Failure): Promise<void> {
    const task = this.#task
    if (task === 'cancel' && this.#run.sourceKind === 'store' && failure.code === 'RUN_FINISHED')
      return this.#settle('cancelled', { error: null })
    if (task === 'resume' && failure.code === 'RUN_UNKNOWN' && !this.#again) {
      // The worker died before it had written anything.
      this.#again = true
      this.#task = 'start'
      return
    }
    if (task === 'follow') return this.#wait(failure)
    if (failure.heals && (isWorking(task) ? failure.resumable : task === 'cancel')) return this.#wait(failure)
    await this.#note('error', `${failure.message} ${failure.remedy}`)
    // The checks say it already.
    if (task === 'plan') return this.#planned(failure.code === 'PREFLIGHT_RED' ? null : failure)
    if (task === 'validate') {
      return this.#validated(failure)
    }
    // What can go on is paused with the reason; what cannot has failed.
    const state = failure.resumable && task !== 'cancel' ? 'paused' : 'failed'
    return this.#settle(state, { error: failure }, failure.message)
  }

  /** The cause can go away: the run is paused, or stays to be cancelled, until the driver tries again. */
  async #wait(failure: Failure): Promise<void> {
    const error = this.#attempts.failed(failure, this.#deps.clock.now())
    const seconds = Math.round(waitAfter(this.#attempts.count) / 1000)
    await this.#note('warn', `${error.message} ${error.remedy} Next try in ${seconds} s.`)
    if (this.#task !== 'cancel' && this.#task !== 'follow' && this.#state !== 'cancelling')
      return this.#settle('paused', { error }, error.message)
    this.#settled = true
    await this.#save({ error })
    this.#publish()
  }

  async #settle(
    state: 'completed' | 'failed' | 'cancelled' | 'paused',
    values?: Partial<RunValues>,
    reason?: string,
  ): Promise<void> {
    this.#settled = true
    this.#state = state
    this.#phase = state === 'completed' ? restingPhase(this.#run) : null
    const { id } = this.#run
    if (state === 'cancelled') {
      try {
        await this.#deps.ended(this.#run, state)
      } catch (error) {
        const failure = toFailure(error, false)
        return this.#settle('failed', { error: failure }, failure.message)
      }
    }
    // A run that waits is in the audit log once, not at every try.
    const silent = state === 'paused' && this.#attempts.count > 1
    await this.#deps.store.run(settleRun, {
      ...{ id, state, phase: this.#phase, now: this.#deps.clock.now(), values, reason, silent },
    })
    if (state === 'completed') await this.#deps.ended(this.#run, state)
    if (state === 'completed' || state === 'cancelled') await this.#note('info', endings[state])
    if (state === 'completed' && values?.report)
      await this.#noteRejects((values.report as RunReport).rejected)
    this.#publish()
  }

  async #noteRejects(count: number): Promise<void> {
    if (count === 0) return
    await this.#note(
      'warn',
      `${rowsWere(count)} rejected: look at them, and accept that before the target is used.`,
    )
  }

  async #planned(error: Failure | null): Promise<void> {
    this.#settled = true
    this.#phase = null
    await this.#deps.store.run(keepPlan, { id: this.#run.id, phase: null, error })
    this.#publish()
  }

  /** Both sides were compared again; the run's state stays. */
  async #validated(error: Failure | null): Promise<void> {
    this.#settled = true
    this.#phase = null
    // Why a run failed says also whether it can be resumed.
    const kept = this.#state === 'failed' ? {} : { error }
    this.#phase = this.#state === 'completed' ? restingPhase(this.#run) : null
    await this.#save({ phase: this.#phase, ...kept })
    this.#publish()
  }

  async #ended(end: RunEnd): Promise<void> {
    this.#worker = null
    if (this.#stopping) return
    if (!this.#settled && end.state === 'stopped' && this.#task === 'plan' && this.#plan)
      await this.#planned(null)
    if (!this.#settled && end.state === 'stopped' && this.#task === 'validate') await this.#validated(null)
    if (this.#settled) return this.#finish()
    if (this.#again && this.#task === 'start') return this.#launch()
    await this.#crashed(end.state === 'failed' ? end.failure.message : 'The worker process ended too early.')
  }

  async #crashed(message: string): Promise<void> {
    const replaceable = isWorking(this.#task) || this.#task === 'cancel' || this.#task === 'follow'
    const remedy = 'Nothing that was committed is lost. Look into the log if it goes on so.'
    const failure: Failure = {
      code: 'WORKER_LOST',
      message,
      remedy,
      resumable: replaceable,
      heals: replaceable,
    }
    if (!replaceable || this.#attempts.count >= MOST_CRASHES) {
      await this.#fail(failure)
      return this.#finish()
    }
    this.#attempts.failed(failure, this.#deps.clock.now())
    await this.#note('warn', `${message} Another one goes on from the last committed batch.`)
    this.#task = this.#state === 'cancelling' ? 'cancel' : this.#task === 'start' ? 'resume' : this.#task
    await this.#launch()
  }

  /** `phase`: of a run that is at work; one that has ended keeps its own. */
  async #save(values: Partial<RunValues>, phase?: string | null): Promise<RunState | null> {
    const until = leaseFrom(this.#deps.clock.now())
    return this.#deps.store.run(keepRun, {
      ...{ id: this.#run.id, owner: this.#owner, until, values },
      ...(phase !== undefined && { phase }),
    })
  }

  #note(level: 'info' | 'warn' | 'error', message: string): Promise<void> {
    return noteLine(this.#deps, this.#run.id, level, message)
  }

  #publish(): void {
    this.#tell({ state: this.#state, phase: this.#phase, progress: this.#progress })
  }

  /** Steps run one after the other; one that fails is told to its caller and does not stop the next. */
  #enqueue(step: () => Promise<void>): Promise<void> {
    const done = this.#queue.then(step)
    this.#queue = done.catch((error) => {
      const about = { run: this.#run.id, task: this.#task, error }
      if (isHoldfastError(error) && error.code === 'NOT_FOUND')
        this.#deps.log.debug(about, 'migration run is gone')
      else this.#deps.log.error(about, 'migration event was not kept')
    })
    return done
  }
}

const isWorking = (task: Task) => task === 'start' || task === 'resume'

function kill({ pid }: RunHandle): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has just ended by itself.
  }
}

const commands: Partial<Record<RunState, 'pause' | 'continue' | 'cancel'>> = {
  paused: 'pause',
  running: 'continue',
  cancelling: 'cancel',
}
