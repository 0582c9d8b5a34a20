import { parse } from './backup/arguments'
import { perform } from './backup/commands'
import { runCommand } from './common/usage'

await runCommand('backup', () => perform(parse(process.argv.slice(2))))
