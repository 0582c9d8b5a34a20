import { readFileSync, writeFileSync } from 'node:fs'
import { type Choices, choicesOf, type Plan } from '@/server/migration'
import { UsageError } from './usage'

/** Choices from a file. Whether they fit the source is seen when the plan is made. */
export function readChoices(file: string): Choices {
  let choices: unknown
  try {
    choices = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new UsageError(`--choices ${file} cannot be read: ${(error as Error).message}`)
  }
  if ((choices as Partial<Choices> | null)?.version !== 1)
    throw new UsageError(`--choices ${file} is no file of choices: "version": 1 is missing.`)
  return choices as Choices
}

/** Writes everything as it is planned, to be edited and given to `--choices`. */
export function saveChoices(file: string, plan: Plan): void {
  writeFileSync(file, `${JSON.stringify(choicesOf(plan), null, 2)}\n`)
}
