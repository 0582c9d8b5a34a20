import { loadEnv } from '@/server/env'
import {
  cancelRun,
  type Job,
  makePlan,
  openPrinter,
  persistRun,
  type RunEnd,
  type RunEvent,
  resumeRun,
  runsAt,
  startRun,
} from '@/server/migration'
import type { Command } from './arguments'
import { saveChoices } from './choices'
import { help } from './help'
import { moveOwnStore } from './own-store'
import { openRejectFile } from './reject-file'
import { statusText } from './status-text'
import { switchStoreBack } from './switch-back'

const done = 0
const failed = 1
const preflightRed = 3
const differ = 4
const rejected = 5
const stopped = 130

/** Does what is asked, on standard output. Answers the exit status. */
export async function perform(command: Command): Promise<number> {
  switch (command.name) {
    case 'help':
      process.stdout.write(help)
      return done
    case 'own-store':
      return moveOwnStore(loadEnv(), command)
    case 'switch-back':
      return switchStoreBack(loadEnv(), command)
    case 'run':
    case 'resume':
    case 'validate':
      return move(command)
    case 'plan':
      return plan(command)
    case 'cancel':
      await cancelRun(command.job, { onEvent: openPrinter(output(command)).event })
      return stopped
    case 'status':
      return status(command)
  }
}

async function move(command: Command): Promise<number> {
  const { name, json, wait } = command
  const printer = openPrinter(output({ json }))
  printer.begin(command.job)
  const job = await planned(command, printer.event)
  if (!job) return preflightRed
  const rejects = openRejectFile(command.rejects ?? `migration-${job.runId}-rejects.ndjson`)
  const onEvent = (event: RunEvent) => {
    if (event.type === 'rejects') rejects.add(event)
    printer.event(event)
  }
  const type = name === 'resume' ? 'resume' : 'start'
  const once = type === 'start' ? startRun : resumeRun
  const handle = wait ? persistRun(type, job, { onEvent }) : once(job, { onEvent })
  process.on('SIGINT', handle.stop)
  process.on('SIGTERM', handle.stop)
  const end = await handle.ended
  printer.end(job, end)
  if (!json && rejects.file) process.stdout.write(`Rejected rows are in ${rejects.file}.\n`)
  return endStatus(end)
}

/** A comparison goes by a plan of what is in the target; a run makes its own. Null where the preflight is red. */
async function planned({ name, job }: Command, onEvent: (event: RunEvent) => void): Promise<Job | null> {
  if (name !== 'validate') return job
  return makePlan(job, { onEvent }).then(
    (plan) => ({ ...job, plan }),
    (error: { code?: string }) => {
      if (error.code === 'PREFLIGHT_RED') return null
      throw error
    },
  )
}

function endStatus(end: RunEnd): number {
  if (end.state === 'done') {
    if (!end.report.validation.ok) return differ
    return end.report.rejected > 0 ? rejected : done
  }
  if (end.state === 'failed') return end.failure.code === 'PREFLIGHT_RED' ? preflightRed : failed
  return stopped
}

async function plan({ job, json, saveChoices: file }: Command): Promise<number> {
  const printer = openPrinter({ ...output({ json: false }), mapping: true })
  try {
    const plan = await makePlan(job, json ? {} : { onEvent: printer.event })
    if (json) process.stdout.write(`${JSON.stringify(plan, null, 2)}\n`)
    if (file !== undefined) saveChoices(file, plan)
    return done
  } catch (error) {
    if ((error as { code?: string }).code !== 'PREFLIGHT_RED') throw error
    process.stderr.write(`${(error as Error).message}\n`)
    return preflightRed
  }
}

async function status({ job, json, runId }: Command): Promise<number> {
  const runs = (await runsAt(job.target)).filter((run) => runId === undefined || run.runId === runId)
  process.stdout.write(json ? `${JSON.stringify({ runs }, null, 2)}\n` : statusText(runs, job.target))
  return runs.length === 0 && runId !== undefined ? failed : done
}

const output = ({ json }: { json: boolean }) => ({ json, stream: process.stdout, now: Date.now })
