import { type ParseArgsConfig, parseArgs } from 'node:util'

/** Wrong arguments: exit status 2. */
export class UsageError extends Error {
  override name = 'UsageError'
}

/** What `parseArgs` of Node reads. Throws a {@link UsageError} for what it refuses. */
export function readArgs<T extends ParseArgsConfig>(config: T): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config)
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

/**
 * Ends `npm run NAME` with the status that `work` answers: 1 where it fails, 2 where its arguments are wrong, and what
 * failed on standard error. `hint` adds a line to some errors.
 */
export async function runCommand(
  name: string,
  work: () => Promise<number>,
  hint: (error: unknown) => string | undefined = () => undefined,
): Promise<void> {
  try {
    process.exitCode = await work()
  } catch (error) {
    const usage = error instanceof UsageError
    const { message, remedy } = error as { message: string; remedy?: string }
    const more = usage ? `See npm run ${name} -- --help` : hint(error)
    process.stderr.write(`${[message, remedy, more].filter(Boolean).join('\n')}\n`)
    process.exitCode = usage ? 2 : 1
  }
}
