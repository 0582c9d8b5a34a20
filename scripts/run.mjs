// npm run admin|audit|backup|migrate -- …: installs and bundles what is missing, then runs the bundled command.
import path from 'node:path'
import { checkNode, fail, install, root, run } from './lib.mjs'

const [command, ...args] = process.argv.slice(2)

try {
  checkNode()
  await install()
  const { bundle } = await import('./bundle.mjs')
  await bundle()
  const file = path.join(root, 'dist/cli', `${command}.mjs`)
  process.exit(await run(process.execPath, ['--enable-source-maps', file, ...args]))
} catch (error) {
  fail(error)
}
