import { parse } from './audit/arguments'
import { perform } from './audit/commands'
import { runCommand } from './common/usage'

await runCommand('audit', () => perform(parse(process.argv.slice(2))))
