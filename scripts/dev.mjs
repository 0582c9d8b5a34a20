// npm run dev: the same entry as npm start, with Next in development. Pages reload by themselves; a change below
// server/ or db/ starts the server again, since what lives there lives outside Next's bundles.
import { spawn } from 'node:child_process'
import path from 'node:path'
import { checkNode, fail, install, root } from './lib.mjs'

try {
  checkNode()
  await install()
} catch (error) {
  fail(error)
}

const esbuild = await import('esbuild')
const { bundleOptions } = await import('./bundle.mjs')

let server
let stopping = false

/** Ends the running server and starts one of the new bundle. */
async function restart() {
  await end()
  if (stopping) return
  const child = spawn(process.execPath, ['--enable-source-maps', path.join(root, 'dist/main.mjs'), '--dev'], {
    cwd: root,
    stdio: 'inherit',
  })
  server = child
  child.on('exit', (code) => {
    if (server !== child) return
    server = undefined
    if (code) console.log('The server ended; it starts again at the next change.')
  })
}

function end() {
  const child = server
  server = undefined
  if (!child || child.exitCode !== null) return Promise.resolve()
  return new Promise((resolve) => {
    child.on('exit', resolve)
    child.kill('SIGTERM')
  })
}

let queue = Promise.resolve()
const context = await esbuild.context({
  ...bundleOptions(),
  write: true,
  plugins: [
    {
      name: 'restart',
      setup: (build) =>
        build.onEnd((result) => {
          if (result.errors.length === 0) queue = queue.then(restart)
        }),
    },
  ],
})
await context.watch()

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, async () => {
    stopping = true
    await context.dispose()
    await queue
    await end()
    process.exit(0)
  })
}
