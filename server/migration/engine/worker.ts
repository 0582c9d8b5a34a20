import { fileURLToPath } from 'node:url'
import { isMainThread, parentPort, workerData } from 'node:worker_threads'
import { MigrationError, toFailure } from '../failure'
import { isConnectionLoss, targetError } from '../target/errors'
import { explainFull } from '../target/full'
import type { Failure, Job, RunEvent, RunNews, WorkerCommand } from '../types'
import { runValidation } from './comparison'
import { openControl, Stopped } from './control'
import { cancelRun, forgetRun, resumeRun, runPlan, runPreflight, startRun } from './engine'
import { compareCaptured, cutOver, followSource, reopenSource, stopFollowing } from './following'
import type { EngineDependencies } from './session'
import { serveThread, type ThreadSetup } from './thread'
import { watchTarget } from './watchdog'

/** How long a finished run waits for its parent's word that the result is kept. */
const ACKNOWLEDGE_MS = 10_000

/** A batch takes a fraction of a second; whatever isn't committed by then is read again by the next worker. */
const STOP_MS = 4000

/** The child process's side: takes commands over IPC, works on one job, reports, and exits. */
function serveProcess(): void {
  const clock = { now: () => Date.now() }
  /** Resolves when the channel has taken what was sent last, and so all before it. */
  let sent = Promise.resolve()
  const send = (event: RunEvent) => {
    if (!process.connected) return
    sent = new Promise((resolve) => process.send?.(event, undefined, undefined, () => resolve()))
  }
  let job: Job | undefined
  /** The run has left something in the target. */
  let begun = false
  let planned = false
  let acknowledged: (() => void) | undefined
  const acknowledgement = new Promise<void>((resolve) => {
    acknowledged = resolve
  })

  const emit = (news: RunNews) => {
    if (news.type === 'phase' && news.phase === 'transfer') begun = true
    if (news.type === 'plan') planned = true
    send({ at: clock.now(), runId: job?.runId ?? '', ...news } as RunEvent)
  }
  const control = openControl({
    paused: () => emit({ type: 'paused', reason: 'Asked for. What was read so far is committed.' }),
    resumed: () => emit({ type: 'resumed' }),
  })
  const deps: EngineDependencies = { clock, emit, control, entry: new URL(import.meta.url) }

  async function work(
    type: Exclude<WorkerCommand['type'], 'pause' | 'continue' | 'acknowledge'>,
    mine: Job,
  ): Promise<void> {
    if (type === 'preflight') await runPreflight(deps, mine)
    else if (type === 'plan') await runPlan(deps, mine)
    else if (type === 'validate') await (mine.capture ? compareCaptured : runValidation)(deps, mine)
    else if (type === 'cancel') await cancelRun(deps, mine)
    else if (type === 'follow') await followSource(deps, mine)
    else if (type === 'cutOver') await cutOver(deps, mine)
    else if (type === 'reopen') reopenSource(mine)
    else if (type === 'leave') stopFollowing(mine)
    else {
      await (type === 'start' ? startRun : resumeRun)(deps, mine)
      const patience = new Promise<false>((resolve) => setTimeout(resolve, ACKNOWLEDGE_MS, false).unref())
      const kept = await Promise.race([acknowledgement.then(() => true), patience])
      if (kept) await forgetRun(mine)
    }
  }

  async function begin(type: Parameters<typeof work>[0], mine: Job): Promise<void> {
    job = mine
    begun = type === 'resume'
    planned = mine.plan !== undefined
    let code = 0
    const watchdog = watchTarget(mine.target)
    try {
      await Promise.race([work(type, mine), watchdog.lost])
    } catch (error) {
      code = await conclude(error, mine)
    }
    watchdog.end()
    process.exitCode = code
    // A channel that is closed drops what it has not passed on.
    await sent
    if (process.connected) process.disconnect()
    // Nothing is left to do: sockets to a server that doesn't answer must not keep the process.
    setTimeout(() => process.exit(code), 2000).unref()
  }

  /** A cancelled run is undone; anything else is reported, and what is committed stays for a resume. */
  async function conclude(error: unknown, mine: Job): Promise<number> {
    if (error instanceof Stopped || control.wanted === 'stop') return 0
    if (control.wanted === 'cancel') {
      try {
        await cancelRun(deps, mine)
        return 0
      } catch (failed) {
        emit({ type: 'failed', failure: toFailure(known(failed, mine), true) })
        return 1
      }
    }
    // What stopped a planned run before it wrote anything can go away, too.
    const reason = known(error, mine)
    const full = reason instanceof MigrationError && reason.code === 'TARGET_FULL'
    const failure = toFailure(full ? await explainFull(reason, mine) : reason, begun)
    emit({ type: 'failed', failure: { ...failure, resumable: goesOn(failure) } })
    return 1
  }

  const goesOn = ({ code, heals }: Failure) =>
    code !== 'RUN_UNKNOWN' && (begun || (heals === true && (planned || code === 'TARGET_LOST')))

  process.on('message', (command: WorkerCommand) => {
    if (command.type === 'pause') control.want('pause')
    else if (command.type === 'continue') control.want('run')
    else if (command.type === 'acknowledge') acknowledged?.()
    else if (command.type === 'cancel' && !command.job) control.want('cancel')
    else if (command.job && !job) void begin(command.type, command.job)
  })
  // The parent is gone: stop at a committed batch, and don't wait long for one. Another worker can resume then.
  const stop = () => {
    control.want('stop')
    setTimeout(() => process.exit(0), STOP_MS).unref()
  }
  process.on('disconnect', stop)
  process.on('SIGTERM', stop)
  // The parent decides what Ctrl-C means.
  for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => {})
}

function known(error: unknown, job: Job): unknown {
  const { code = '' } = error as { code?: string }
  return error instanceof MigrationError || !(isConnectionLoss(error) || /^[0-9A-Z]{5}$/.test(code))
    ? error
    : targetError(error, job.target)
}

if (!isMainThread && parentPort) serveThread(parentPort, workerData as ThreadSetup)
else if (process.send) serveProcess()
else {
  process.stderr.write(`${fileURLToPath(import.meta.url)} is started by Holdfast, with a channel.\n`)
  process.exitCode = 2
}
