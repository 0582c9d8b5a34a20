import { randomUUID } from 'node:crypto'
import { apart } from '@/server/scope'
import { Drive, type DriveDeps, leaseFrom, type Task } from './drive'
import { claimRun, dropLeases, keepPlan, releaseRuns, retryRun } from './drive-units'
import { getRun, runsWithoutDriver } from './runs'

const TICK_MS = 1_000

/**
 * Drives the runs of this process. What is asked of a run stands in its state, so that any instance can ask and
 * a restarted one finds it. A lease with a heartbeat says who drives; when it lapses, whoever sees it goes on.
 */
export class Driver {
  readonly #deps: DriveDeps
  readonly #owner = randomUUID()
  readonly #drives = new Map<string, Drive>()
  /** Resolved when a drive is gone and its lease is given back. */
  readonly #leaving = new Map<string, Promise<void>>()
  #timer: NodeJS.Timeout | undefined
  #tick: Promise<void> | null = null
  #closing = false

  constructor(deps: DriveDeps) {
    this.#deps = deps
  }

  /** Picks up the runs that nobody drives, now and whenever a lease lapses. */
  async start(): Promise<void> {
    // A SQLite store has one serving process: what is held there was held by one that died.
    if (this.#deps.store.dialect === 'sqlite') await this.#deps.store.run(dropLeases, null)
    await this.#ticked()
    this.#timer = setInterval(() => {
      this.#tick ??= this.#ticked()
        .catch((error) => this.#deps.log.error({ error }, 'migration driver'))
        .finally(() => {
          this.#tick = null
        })
    }, TICK_MS).unref()
  }

  /** Makes checks and plan of a planned run anew. Resolves when they are kept. */
  async plan(id: string): Promise<void> {
    await this.release(id)
    await this.#deps.store.run(keepPlan, { id, phase: 'preflight', error: null, checks: [], plan: null })
    await (await this.#take(id, 'plan'))?.done
  }

  /** Plans by other choices, and reads the rows only if the source has changed. Resolves when the plan is kept. */
  async planAnew(id: string): Promise<void> {
    await this.release(id)
    if ((await getRun(this.#deps, id)).plan === null) return this.plan(id)
    await this.#deps.store.run(keepPlan, { id, phase: 'plan', error: null })
    await (await this.#take(id, 'plan'))?.done
  }

  /** Begins the copy. */
  async begin(id: string): Promise<void> {
    await this.#leaving.get(id)
    await this.#take(id, 'start')
  }

  /** Compares both sides again. Resolves when the result is kept. */
  async validate(id: string): Promise<void> {
    // A run that has just ended is still being left: its lease would be given back under the validation.
    if (this.#drives.get(id)?.task === 'follow') await this.release(id)
    for (let left = this.#leaving.get(id); left; left = this.#leaving.get(id)) await left
    await (await this.#take(id, 'validate'))?.done
  }

  /** Makes the worker do what the run's state says; another instance's driver does so within a second. */
  async follow(id: string): Promise<void> {
    const run = await getRun(this.#deps, id)
    const drive = this.#drives.get(id)
    if (run.state === 'cancelled') await drive?.stop()
    else if (drive) drive.tell(run.state)
    else if (run.state === 'running') await this.#take(id, 'resume')
    else if (run.state === 'completed' && run.phase === 'following' && !run.error?.retryAt)
      await this.#take(id, 'follow')
    else if (run.state === 'cancelling' && !run.error?.retryAt) await this.#take(id, 'cancel')
    const { state, phase } = run
    this.#deps.publish({ kind: 'migration', runId: id, news: { state, phase, progress: null } })
  }

  /** Ends what is at work for a run; resolves when its worker is gone and its lease is given back. */
  async release(id: string): Promise<void> {
    await this.#drives.get(id)?.stop()
    await this.#leaving.get(id)
  }

  isDriving(id: string): boolean {
    return this.#drives.has(id)
  }

  /** Stops every worker at a committed batch and gives the leases back, so that the next start goes on at once. */
  async close(): Promise<void> {
    this.#closing = true
    clearInterval(this.#timer)
    await this.#tick
    await Promise.all([...this.#drives.values()].map((drive) => drive.stop()))
    await this.#deps.store.run(releaseRuns, { owner: this.#owner })
  }

  async #ticked(): Promise<void> {
    for (const drive of [...this.#drives.values()]) {
      const state = await drive.beat()
      if (state === null) await drive.stop()
      else drive.tell(state)
    }
    const now = this.#deps.clock.now()
    for (const { id, state, attempts } of await runsWithoutDriver(this.#deps, now)) {
      if (this.#closing || this.#drives.has(id)) continue
      if (state === 'paused' && !(await this.#deps.store.run(retryRun, { id, now }))) continue
      const task = state === 'cancelling' ? 'cancel' : state === 'completed' ? 'follow' : 'resume'
      await this.#take(id, task, attempts)
    }
  }

  /** Takes the lease of a run and drives it; null when another instance does. */
  async #take(id: string, task: Task, attempts = 0): Promise<Drive | null> {
    const now = this.#deps.clock.now()
    const claim = { id, owner: this.#owner, now, until: leaseFrom(now) }
    const run = this.#closing ? null : await this.#deps.store.run(claimRun, claim)
    const running = this.#drives.get(id)
    if (!run || running || this.#closing) return running ?? null
    const drive = apart({ run: id }, () => new Drive(this.#deps, this.#owner, run, task, attempts))
    this.#drives.set(id, drive)
    const left = drive.done
      .then(() => this.#gone(id, drive))
      .finally(() => {
        if (this.#leaving.get(id) === left) this.#leaving.delete(id)
      })
    this.#leaving.set(id, left)
    return drive
  }

  /**
   * Gives the lease back, and goes on with what was asked meanwhile. Until it is back no other drive is made: that
   * one's lease is the same owner's and would go with it, and a plan without a lease is stopped for good.
   */
  async #gone(id: string, drive: Drive): Promise<void> {
    if (this.#drives.get(id) !== drive) return
    if (this.#closing) {
      this.#drives.delete(id)
      return
    }
    try {
      await this.#deps.store
        .run(releaseRuns, { owner: this.#owner, id })
        .finally(() => this.#drives.delete(id))
      await this.follow(id)
    } catch (error) {
      this.#deps.log.debug({ run: id, error }, 'migration run is gone')
    }
  }
}
