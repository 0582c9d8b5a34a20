import { persistRun } from '../runs/persist'
import type { Failure, FailureCode, Job, RunEvent, RunReport } from '../types'

/** What a test does to the target, and when. */
export interface Trouble {
  /** Makes it at the first event that is so. */
  at(event: RunEvent): boolean
  make(): Promise<unknown> | unknown
  /** Ends it, once the run says that it waits for that. */
  mend(): Promise<unknown> | unknown
  /** For which of several reasons; any, where it is not said. */
  because?: FailureCode
}

/** Runs a migration through a trouble. Answers why it waited, and its report. */
export async function throughTrouble(
  job: Job,
  trouble: Trouble,
): Promise<{ waits: Failure[]; report: RunReport }> {
  const waits: Failure[] = []
  let made = false
  let mended = false
  const handle = persistRun('start', job, {
    async onEvent(event) {
      if (!made && trouble.at(event)) {
        made = true
        await trouble.make()
      }
      if (event.type !== 'waiting') return
      waits.push(event.failure)
      if (mended || (trouble.because ?? event.failure.code) !== event.failure.code) return
      mended = true
      await trouble.mend()
    },
  })
  const end = await handle.ended
  if (end.state !== 'done') throw new Error(JSON.stringify(end))
  return { waits, report: end.report }
}

export const atPhase =
  (phase: string) =>
  (event: RunEvent): boolean =>
    event.type === 'phase' && event.phase === phase && event.state === 'started'
