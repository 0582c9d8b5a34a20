import type Database from 'better-sqlite3'
import type pg from 'pg'
import { applyRound } from '../capture/apply'
import { installCapture, openForCapture } from '../capture/install'
import { beginRound, countNoted, endRound } from '../capture/rounds'
import { type Watched, watchedTables } from '../capture/watched'
import { openSource } from '../source/open'
import { registerText } from '../transfer/text'
import type { Job, Plan } from '../types'
import { registerCanonical } from '../validation/canonical'
import { retakeSnapshot, type Session } from './session'

/** With so few keys noted the target is as good as level with its source. */
const FEW = 200
/** A source that is written to faster than it is brought over is not chased for ever. */
const MOST_ROUNDS = 20

/** The capture of a run at work: what is noted in the source, and the connections to it. */
export interface Capture {
  runId: string
  plan: Plan
  watched: Watched[]
  /** Positions of the rows that are known to be rejected, once the run has ended. */
  known: ReadonlySet<string>
  /** Its triggers were put in just now: what was written before was not noted. */
  fresh: boolean
  writer: Database.Database
  reader: Database.Database
  close(): void
}

/** Puts the triggers into the source, if they are not there, and opens what the rounds need. */
export function openCapture(job: Job, plan: Plan): Capture {
  const writer = openForCapture(job.source)
  try {
    const fresh = installCapture(writer, job.runId, plan.tables)
    const reader = openSource(job.source)
    registerCanonical(reader)
    registerText(reader)
    const known = new Set(job.rejected?.flatMap(({ position }) => position ?? []))
    const close = () => {
      reader.close()
      writer.close()
    }
    return {
      runId: job.runId,
      plan,
      watched: watchedTables(reader, plan.tables),
      known,
      fresh,
      writer,
      reader,
      close,
    }
  } catch (error) {
    writer.close()
    throw error
  }
}

/** The readers begin at a state whose later writes are all noted; what was noted before it is part of it. */
export async function snapshotCaptured(capture: Capture, session: Session): Promise<void> {
  const { writer, runId, watched } = capture
  const round = await beginRound(writer, runId, () => retakeSnapshot(session))
  endRound(writer, runId, watched, round)
}

/** Keys noted and not yet brought over. */
export const lagOf = ({ writer, runId, watched }: Capture) => countNoted(writer, runId, watched)

interface At {
  client: pg.Client
  /** Keys and foreign keys stand in the target. */
  built: boolean
  /** Its readers move to the same state, in which both sides are then equal. */
  session?: Session
}

/** Brings over what was noted up to now. Answers the number of keys. */
export async function bringOver(capture: Capture, { client, built, session }: At): Promise<number> {
  const { writer, reader, runId, plan, watched, known } = capture
  try {
    const round = await beginRound(writer, runId, async () => {
      reader.exec('BEGIN')
      reader.prepare('SELECT count(*) FROM sqlite_schema').get()
      if (session) await retakeSnapshot(session)
    })
    const keys = await applyRound({ db: reader, client, runId, plan, watched, built, known })
    endRound(writer, runId, watched, round)
    return keys
  } finally {
    if (reader.inTransaction) reader.exec('ROLLBACK')
  }
}

/** Brings over round by round until little is left. */
export async function catchUp(
  capture: Capture,
  at: At,
  between: (lag: number) => Promise<void>,
): Promise<void> {
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const lag = lagOf(capture)
    await between(lag)
    if (lag <= FEW) return
    await bringOver(capture, at)
  }
}
