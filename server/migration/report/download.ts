import type { Store } from '@/db/store'
import type { Clock } from '@/server/clock'
import { HoldfastError } from '@/server/errors'
import { choicesOf } from '../plan/choices-of'
import type { RejectFiles } from '../runs/reject-file'
import type { Run } from '../runs/run'
import { getRun } from '../runs/runs'
import { reportPage } from './page'

export interface Download {
  /** File name that says which run it is of. */
  name: string
  type: string
  body: string
}

type Made = Omit<Download, 'name'>
type Maker = (run: Run, deps: DownloadDeps) => Made | Promise<Made>

interface DownloadDeps {
  store: Store
  clock: Clock
  rejects: RejectFiles
}

/** What can be downloaded of a run. */
const files: Record<string, Maker> = {
  'report.html': (run, { clock }) => ({
    type: 'text/html; charset=utf-8',
    body: reportPage(run, clock.now()),
  }),
  'report.json': (run) => asJson(reportOf(run)),
  'choices.json': (run) => asJson(choicesFrom(run)),
  'rejects.ndjson': async (run, { rejects }) => ({
    type: 'application/x-ndjson',
    body: await rejects.text(run.id),
  }),
}

/** One file about a run. Throws NOT_FOUND for an unknown run or file, and for what a run doesn't have yet. */
export async function download(deps: DownloadDeps, id: string, file: string): Promise<Download> {
  const run = await getRun(deps, id)
  const make = Object.hasOwn(files, file) ? files[file] : undefined
  if (!make) {
    throw new HoldfastError('NOT_FOUND', {
      message: 'A run has no file of this name.',
      remedy: `It has ${Object.keys(files).join(', ')}.`,
    })
  }
  return { name: `migration-${id}-${file}`, ...(await make(run, deps)) }
}

const asJson = (value: unknown) => ({ type: 'application/json', body: `${JSON.stringify(value, null, 2)}\n` })

/** The report where there is one, with the speeds of the transfer; before, what is known: the same fields as the run's own. */
function reportOf(run: Run): unknown {
  return run.report ? { ...run.report, speeds: run.progress?.speeds } : { ...run, report: undefined }
}

/** What was chosen; where that is nothing, everything as proposed, to be edited. */
function choicesFrom({ plan, choices }: Run) {
  if (choices) return choices
  if (plan) return choicesOf(plan)
  throw new HoldfastError('NOT_FOUND', {
    message: 'The run has no plan yet.',
    remedy: 'Wait for it, or check again.',
  })
}
