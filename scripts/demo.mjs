// npm run demo | screenshots: installs, builds and bundles what is missing, then runs it (bench/demo) to its end.
import path from 'node:path'
import { build, checkNode, fail, install, root, run } from './lib.mjs'

try {
  checkNode()
  await install()
  await build()
  const { bundle } = await import('./bundle.mjs')
  await bundle()
  const file = path.join(root, 'dist/demo', `${process.argv[2]}.mjs`)
  process.exit(await run(process.execPath, ['--enable-source-maps', file, ...process.argv.slice(3)]))
} catch (error) {
  fail(error)
}
