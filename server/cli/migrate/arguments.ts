import { randomUUID } from 'node:crypto'
import { resolve } from 'node:path'
import type { Job } from '@/server/migration'
import { readArgs, UsageError } from '../common/usage'
import { readChoices } from './choices'
import { type Given, readTarget } from './target'

const names = ['run', 'plan', 'resume', 'validate', 'cancel', 'status', 'switch-back'] as const
/** Commands that begin with a file, and not with a run. */
const fromSource: readonly string[] = ['run', 'plan', 'validate']

/** What is to be done. */
export interface Command {
  /** 'own-store': the console's own store is moved to the PostgreSQL of the environment. */
  name: (typeof names)[number] | 'help' | 'own-store'
  /** Empty for 'help', 'own-store' and 'switch-back'. */
  job: Job
  json: boolean
  /** Whatever may pass is waited for. */
  wait: boolean
  /** File that receives the choices of a plan. */
  saveChoices?: string
  /** File that receives rejected rows. */
  rejects?: string
  /** `status` of one run alone. */
  runId?: string
}

const options = {
  source: { type: 'string' },
  target: { type: 'string' },
  schema: { type: 'string' },
  exclude: { type: 'string', multiple: true },
  choices: { type: 'string' },
  'save-choices': { type: 'string' },
  rejects: { type: 'string' },
  workers: { type: 'string' },
  run: { type: 'string' },
  resume: { type: 'string' },
  cancel: { type: 'string' },
  json: { type: 'boolean', default: false },
  'no-wait': { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const

const read = (args: string[]) => readArgs({ args, options, allowPositionals: true })
type Values = ReturnType<typeof read>['values']

/** Reads the command line. Throws a {@link UsageError} that says what is wrong. */
export function parse(args: string[], given: Given): Command {
  const { values, positionals } = read(args)
  if (values.help) return { name: 'help', job: {} as Job, json: false, wait: false }
  const { name, runId } = named(values, positionals)
  if (name === 'switch-back') {
    if (onlyJson(values)) return { name, job: {} as Job, json: values.json, wait: false }
    throw new UsageError('switch-back is of the own store: it takes no option but --json.')
  }
  if (name === 'run' && onlyJson(values) && given.DB_TYPE === 'postgresql')
    return { name: 'own-store', job: {} as Job, json: values.json, wait: true }
  if (fromSource.includes(name)) {
    if (values.source === undefined) throw new UsageError('--source FILE is missing.')
    if (runId !== undefined) throw new UsageError(`${name} begins anew: it takes no name of a run.`)
    if (values.choices !== undefined && name === 'validate')
      throw new UsageError('validate goes by what is in the target: it takes no choices.')
  } else {
    if (values.source !== undefined && name !== 'resume')
      throw new UsageError(`${name} needs the target alone.`)
    if (values.choices !== undefined) throw new UsageError(`${name} goes by the plan of the run.`)
    if (runId === undefined && name !== 'status') throw new UsageError(`${name} which run?`)
  }
  if (values['save-choices'] !== undefined && name !== 'plan')
    throw new UsageError('--save-choices belongs to plan.')
  return {
    name,
    job: { ...jobOf(values, runId, given), mode: name === 'validate' ? 'compare' : 'create' },
    json: values.json,
    wait: !values['no-wait'],
    ...(runId !== undefined && { runId }),
    ...(values.rejects !== undefined && { rejects: values.rejects }),
    ...(values['save-choices'] !== undefined && { saveChoices: values['save-choices'] }),
  }
}

/** Nothing was said but how to print, and perhaps the command. */
function onlyJson({ json: _, schema, ...rest }: Values): boolean {
  return schema === undefined && Object.values(rest).every((value) => value === undefined || value === false)
}

/** `resume RUN`, `resume --run RUN` and `--resume RUN` are the same. */
function named(values: Values, [word, ...rest]: string[]): { name: (typeof names)[number]; runId?: string } {
  const known = names.find((name) => name === word)
  if (word !== undefined && !known)
    throw new UsageError(`There is no command "${word}": ${names.join(', ')}.`)
  const said = [values.run, values.resume, values.cancel, ...rest].filter((id) => id !== undefined)
  const flags = (['resume', 'cancel'] as const).filter((flag) => values[flag] !== undefined)
  if (said.length > 1 || (known && flags.some((flag) => flag !== known)))
    throw new UsageError('One command and one run at a time.')
  return { name: known ?? flags[0] ?? 'run', ...(said[0] !== undefined && { runId: said[0] }) }
}

function jobOf(values: Values, runId: string | undefined, given: Given): Job {
  const workers = values.workers === undefined ? undefined : Number(values.workers)
  if (workers !== undefined && !(Number.isInteger(workers) && workers >= 1 && workers <= 16)) {
    throw new UsageError(`--workers takes 1 to 16, not "${values.workers}".`)
  }
  return {
    runId: runId ?? randomUUID(),
    source: values.source === undefined ? '' : resolve(values.source),
    target: readTarget(values.target, values.schema ?? 'public', given),
    mode: 'create',
    exclude: values.exclude ?? [],
    ...(workers !== undefined && { workers }),
    ...(values.choices !== undefined && { choices: readChoices(values.choices) }),
  }
}
