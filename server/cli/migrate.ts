import { AlreadyServedError } from '@/server/instance-lock'
import { runCommand } from './common/usage'
import { parse } from './migrate/arguments'
import { perform } from './migrate/commands'

await runCommand(
  'migrate',
  // biome-ignore lint/style/noProcessEnv: who connects, where to, and whom to trust.
  () => perform(parse(process.argv.slice(2), process.env)),
  (error) =>
    error instanceof AlreadyServedError ? 'A console that runs is moved on its page Migration.' : undefined,
)
