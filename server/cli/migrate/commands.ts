import { loadEnv } from '@/server/env'
import {
  cancelRun,
  makePlan,
  openPrinter,
  persistRun,
  type RunEnd,
  resumeRun,
  runsAt,
  startRun,
} from '@/server/migration'
import type { Command } from './arguments'
import { saveChoices } from './choices'
import { help } from './help'
import { moveOwnStore } from './own-store'
import { statusText } from './status-text'

const done = 0
const failed = 1
const preflightRed = 3
const differ = 4
const stopped = 130

/** Does what is asked, on standard output. Answers the exit status. */
export async function perform(command: Command): Promise<number> {
  switch (command.name) {
    case 'help':
      process.stdout.write(help)
      return done
    case 'own-store':
      return moveOwnStore(loadEnv(), command)
    case 'run':
    case 'resume':
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

async function move({ name, job, json, wait }: Command): Promise<number> {
  const printer = openPrinter(output({ json }))
  printer.begin(job)
  const type = name === 'run' ? 'start' : 'resume'
  const once = type === 'start' ? startRun : resumeRun
  const options = { onEvent: printer.event }
  const handle = wait ? persistRun(type, job, options) : once(job, options)
  process.on('SIGINT', handle.stop)
  process.on('SIGTERM', handle.stop)
  const end = await handle.ended
  printer.end(job, end)
  return endStatus(end)
}

function endStatus(end: RunEnd): number {
  if (end.state === 'done') return end.report.validation.ok ? done : differ
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
