import type { Failure, Job, RunEvent } from '../types'
import { followAttempts } from './attempts'
import { type ClientOptions, launch, type RunEnd, type RunHandle } from './client'

/**
 * Starts or resumes a run and goes on with it by itself when what stopped it can heal; between two tries it tells
 * `waiting`. `pid` is that of the worker at work, 0 while it waits.
 */
export function persistRun(type: 'start' | 'resume', job: Job, options: ClientOptions = {}): RunHandle {
  const attempts = followAttempts()
  let worker: RunHandle | null = null
  let wanted: 'run' | 'pause' | 'cancel' | 'stop' = 'run'
  let wake = () => {}
  let next: 'start' | 'resume' | 'cancel' = type

  const tell = (event: RunEvent) => {
    if (event.type === 'progress') attempts.hear(event)
    // A failure that is waited out is told as such.
    if (event.type === 'failed' && (waits(event.failure) || leftNothing(event.failure))) return
    return options.onEvent?.(event)
  }

  async function work(): Promise<RunEnd> {
    for (;;) {
      worker = launch({ type: next, job }, { ...options, onEvent: tell })
      if (wanted === 'pause') worker.pause()
      if (wanted === 'stop') worker.stop()
      const end = await worker.ended
      worker = null
      const failure = end.state === 'failed' ? end.failure : null
      if (failure && leftNothing(failure)) next = 'start'
      else if (!failure || !waits(failure)) return end
      else {
        await wait(failure)
        if (stopped()) return { state: 'stopped' }
        if (next !== 'cancel') next = 'resume'
      }
      if (cancelled()) next = 'cancel'
    }
  }

  /** What was begun by this call is begun again. */
  const leftNothing = ({ code }: Failure) => type === 'start' && next === 'resume' && code === 'RUN_UNKNOWN'
  const waits = ({ heals, resumable }: Failure) => heals === true && (resumable || cancelled())
  // Asked by functions: what is wanted changes while this waits.
  const stopped = () => wanted === 'stop'
  const cancelled = () => wanted === 'cancel'

  async function wait(failure: Failure): Promise<void> {
    const now = Date.now()
    const told = attempts.failed(failure, now)
    await options.onEvent?.({ type: 'waiting', failure: told, at: now, runId: job.runId })
    if (stopped() || cancelled()) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, (told.retryAt ?? now) - now)
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  function want(what: typeof wanted, pass: (handle: RunHandle) => void): void {
    if (stopped() || cancelled()) return
    wanted = what
    if (worker) pass(worker)
    else if (what !== 'pause') wake()
  }

  const ended = work()
  return {
    get pid() {
      return worker?.pid ?? 0
    },
    pause: () => want('pause', (handle) => handle.pause()),
    continue: () => want('run', (handle) => handle.continue()),
    cancel: () => want('cancel', (handle) => handle.cancel()),
    stop: () => want('stop', (handle) => handle.stop()),
    ended,
  }
}
