import type pg from 'pg'
import { blockWrites, isBlocked, unblockWrites } from '../capture/block'
import { installCapture, leaveSource, openForCapture, removeCapture } from '../capture/install'
import { MigrationError } from '../failure'
import { refuseOtherTables, sourceMark } from '../source/mark'
import { lockRun } from '../target/checkpoint'
import { connectTarget, disconnect } from '../target/target'
import type { Job, Plan, Validation } from '../types'
import { bringOver, type Capture, lagOf, openCapture } from './capturing'
import { validate } from './comparison'
import { type EngineDependencies, phase, withSession } from './session'

/** Between two looks at what was noted. */
const PAUSE_MS = 1000
/** Nothing to do is told so often. */
const QUIET_MS = 5000
/** Rounds before the source is blocked, so that little is left then. */
const ROUNDS_BEFORE = 5

const transferred = (job: Job) => ({ parts: new Map(), rejects: job.rejected ?? [] })

/** Brings over what is noted, again and again, until the process is told to stop. */
export async function followSource(deps: EngineDependencies, job: Job): Promise<void> {
  await withCapture(job, async (capture, client) => {
    let told = 0
    for (;;) {
      await deps.control.gate()
      refuseOtherTables(capture.plan.source.mark, sourceMark(capture.reader, job.exclude), job.source)
      const keys = lagOf(capture)
      if (keys > 0) await bringOver(capture, { client, built: true })
      const now = deps.clock.now()
      if (keys > 0 || now - told >= QUIET_MS) {
        deps.emit({ type: 'lag', keys: lagOf(capture), appliedAt: now })
        told = now
      }
      await pause(deps)
    }
  })
}

/** Waits a second, or until something is asked of the process. */
function pause(deps: EngineDependencies): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, PAUSE_MS)
    deps.control.onChange(resolve)
  })
}

/** Brings over what is noted and compares both sides at that moment; the application goes on writing meanwhile. */
export async function compareCaptured(deps: EngineDependencies, job: Job): Promise<Validation> {
  return withCapture(job, (capture, client) =>
    withSession(deps, job, async (session) => {
      await bringOver(capture, { client, built: true, session })
      return phase(deps, session, 'validate', () =>
        validate(deps, session, client, capture.plan, transferred(job)),
      )
    }),
  )
}

/**
 * Refuses the application's writes from now on, brings over what is noted, and compares both sides. If they are the
 * same, the capture goes and the refusal stays; otherwise the application may write again.
 */
export async function cutOver(deps: EngineDependencies, job: Job): Promise<void> {
  const plan = planOf(job)
  const { host, port, database } = job.target
  const client = await connectTarget(job.target, `holdfast migration ${job.runId}`)
  const capture = job.capture ? openNoted(job, plan) : null
  const writer = capture?.writer ?? openForCapture(job.source)
  let done = false
  try {
    await lockRun(client, job.runId)
    let keys = 0
    for (let round = 0; capture && round < ROUNDS_BEFORE && lagOf(capture) > 0; round++)
      keys += await bringOver(capture, { client, built: true })
    const blockedAt = deps.clock.now()
    const unblocked = blockWrites(writer, job.runId, `${host}:${port}/${database}`)
    const validation = await withSession(deps, { ...job, capture: true }, async (session) => {
      if (capture) keys += await bringOver(capture, { client, built: true, session })
      return phase(deps, session, 'validate', () => validate(deps, session, client, plan, transferred(job)))
    })
    if (!validation.ok) throw notTheSame(job)
    if (capture) removeCapture(writer, job.runId)
    done = true
    const milliseconds = deps.clock.now() - blockedAt
    deps.emit({ type: 'cutOver', blockedAt, milliseconds, keys, unblocked })
  } finally {
    if (!done && isBlocked(writer)) unblockWrites(writer)
    if (capture) capture.close()
    else writer.close()
    await disconnect(client)
  }
}

/** Lets the application write to the source again; with capture its writes are noted from the first one on. */
export function reopenSource(job: Job): void {
  const writer = openForCapture(job.source)
  try {
    if (job.capture) installCapture(writer, job.runId, planOf(job).tables)
    unblockWrites(writer)
  } finally {
    writer.close()
  }
}

/** Takes the capture out of the source: its writes are not brought over any more. */
export function stopFollowing(job: Job): void {
  leaveSource(job.source, job.runId)
}

async function withCapture<T>(
  job: Job,
  body: (capture: Capture, client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = await connectTarget(job.target, `holdfast migration ${job.runId}`)
  let capture: Capture | undefined
  try {
    await lockRun(client, job.runId)
    capture = openNoted(job, planOf(job))
    return await body(capture, client)
  } finally {
    capture?.close()
    await disconnect(client)
  }
}

/** The capture that is in the source; without it nobody knows what was written. */
function openNoted(job: Job, plan: Plan): Capture {
  const capture = openCapture(job, plan)
  if (!capture.fresh) return capture
  removeCapture(capture.writer, job.runId)
  capture.close()
  throw new MigrationError(
    'SOURCE_CHANGED',
    `The triggers that note the writes to ${job.source} are gone: it was replaced or restored, or somebody dropped them.`,
    'Its later writes are not known. Delete this run and start a new one.',
  )
}

function planOf({ plan }: Job): Plan {
  if (plan) return plan
  throw new MigrationError('RUN_UNKNOWN', 'Following needs the plan of its run.', 'Name a run that has one.')
}

function notTheSame(job: Job): MigrationError {
  return new MigrationError(
    'VALIDATION_RED',
    'The two sides are not the same, so nothing was moved and the application may write again.',
    job.capture
      ? 'Look at the comparison. Start a new run if the target was written to.'
      : 'The source was written to since its rows were copied: start a new run, with writes noted or the application stopped.',
  )
}
