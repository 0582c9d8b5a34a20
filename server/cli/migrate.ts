import { AlreadyServedError } from '@/server/instance-lock'
import { parse } from './migrate/arguments'
import { perform } from './migrate/commands'
import { UsageError } from './migrate/usage'

try {
  // biome-ignore lint/style/noProcessEnv: who connects, where to, and whom to trust.
  process.exitCode = await perform(parse(process.argv.slice(2), process.env))
} catch (error) {
  const usage = error instanceof UsageError
  const { message, remedy } = error as { message: string; remedy?: string }
  const hint = usage
    ? 'See npm run migrate -- --help'
    : error instanceof AlreadyServedError && 'A console that runs is moved on its page Migration.'
  process.stderr.write(`${[message, remedy, hint].filter(Boolean).join('\n')}\n`)
  process.exitCode = usage ? 2 : 1
}
