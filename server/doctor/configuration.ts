import {
  ConfigurationError,
  type Env,
  parseVariables,
  readEnvFile,
  type VariableName,
  variables,
} from '@/server/env'
import { configWarnings } from '@/server/system/config-warnings'
import type { Line } from './line'
import { unknownNames } from './names'

type Given = Record<string, string | undefined>

export interface ExaminedConfiguration {
  /** What the rest is looked at with: values that cannot be used count as not given. Null where they contradict. */
  env: Env | null
  lines: Line[]
}

/** Reads the configuration as a start does, and says everything that is wrong with it, not the first alone. */
export function examineConfiguration(environment: Given): ExaminedConfiguration {
  const title = 'Configuration'
  const path = environment.HOLDFAST_ENV_FILE ?? '.env'
  let file: Given = {}
  const lines: Line[] = []
  try {
    file = readEnvFile(path)
  } catch (error) {
    lines.push({ title, state: 'problem', detail: (error as Error).message })
  }
  const given = Object.keys(file).length
  if (given > 0) lines.push({ title, state: 'ok', detail: `${path} sets ${given} variables.` })
  const known = Object.keys(variables) as VariableName[]
  const unknown = [
    ...unknownNames(Object.keys(file), known, true).map((each) => ({ ...each, where: path })),
    ...unknownNames(Object.keys(environment), known, false).map((each) => ({
      ...each,
      where: 'the environment',
    })),
  ]
  for (const { name, meant, where } of unknown) {
    const remedy = meant ? `Did you mean ${meant}?` : 'Remove it; README.md lists what is read.'
    lines.push({ title, state: 'warning', detail: `${where} sets ${name}, which nothing reads.`, remedy })
  }
  const usable = { environment: { ...environment }, file: { ...file } }
  for (const name of known) {
    try {
      parseVariables({ [name]: environment[name] }, { [name]: file[name] })
    } catch (error) {
      // What two variables say together is looked at below.
      if (!(error instanceof ConfigurationError) || !error.message.startsWith(`${name} is `)) continue
      if (/ but | both /.test(error.message) || name === 'DB_POOL_MIN' || name === 'DB_POOL_MAX') continue
      lines.push({
        title,
        state: 'problem',
        detail: error.message,
        remedy: 'The console does not start with it.',
      })
      usable.environment[name] = usable.file[name] = undefined
    }
  }
  try {
    const env = parseVariables(usable.environment, usable.file)
    for (const { detail, remedy } of configWarnings(env))
      lines.push({ title, state: 'warning', detail, remedy })
    if (lines.every(({ state }) => state === 'ok'))
      lines.push({ title, state: 'ok', detail: 'Nothing in it is wrong, weak or contradictory.' })
    return { env, lines }
  } catch (error) {
    lines.push({ title, state: 'problem', detail: (error as Error).message })
    return { env: null, lines }
  }
}
