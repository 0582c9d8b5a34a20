import { parse, UsageError } from './backup/arguments'
import { perform } from './backup/commands'

try {
  process.exitCode = await perform(parse(process.argv.slice(2)))
} catch (error) {
  const { message, remedy } = error as { message: string; remedy?: string }
  const hint = error instanceof UsageError && 'See npm run backup -- --help'
  process.stderr.write(`${[message, remedy, hint].filter(Boolean).join('\n')}\n`)
  process.exitCode = error instanceof UsageError ? 2 : 1
}
