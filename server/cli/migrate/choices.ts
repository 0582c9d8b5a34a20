import { readFileSync, writeFileSync } from 'node:fs'
import { type Choices, choicesOf, type Plan, parseChoices } from '@/server/migration'
import { UsageError } from '../common/usage'

/** Choices from a file. Whether they fit the source is seen when the plan is made. */
export function readChoices(file: string): Choices {
  try {
    return parseChoices(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new UsageError(`--choices ${file} cannot be read: ${(error as Error).message}`)
  }
}

/** Writes everything as it is planned, to be edited and given to `--choices`. */
export function saveChoices(file: string, plan: Plan): void {
  writeFileSync(file, `${JSON.stringify(choicesOf(plan), null, 2)}\n`)
}
