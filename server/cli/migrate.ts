import { parse } from './migrate/arguments'
import { perform } from './migrate/commands'
import { UsageError } from './migrate/usage'

try {
  // biome-ignore lint/style/noProcessEnv: who connects, where to, and whom to trust.
  process.exitCode = await perform(parse(process.argv.slice(2), process.env))
} catch (error) {
  const usage = error instanceof UsageError
  const { message, remedy } = error as { message: string; remedy?: string }
  process.stderr.write(
    `${message}${remedy ? `\n${remedy}` : ''}\n${usage ? 'See npm run migrate -- --help\n' : ''}`,
  )
  process.exitCode = usage ? 2 : 1
}
