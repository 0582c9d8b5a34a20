// npm run bench|chaos|admin|audit|backup|migrate -- …: installs and bundles what is missing, then runs the bundled command.
import fs from 'node:fs'
import path from 'node:path'
import { checkNode, Failure, fail, install, root, run } from './lib.mjs'

const [kind, ...rest] = process.argv.slice(2)

try {
  checkNode()
  await install()
  const { bundle } = await import('./bundle.mjs')
  await bundle()
  const [file, args] = ['bench', 'chaos'].includes(kind)
    ? named(rest)
    : [path.join(root, 'dist/cli', `${kind}.mjs`), rest]
  process.exit(await run(process.execPath, ['--enable-source-maps', file, ...args]))
} catch (error) {
  fail(error)
}

function named([name, ...args]) {
  const folder = path.join(root, 'dist', kind)
  const names = fs.existsSync(folder)
    ? fs
        .readdirSync(folder)
        .filter((file) => file.endsWith('.mjs'))
        .map((file) => file.slice(0, -4))
    : []
  if (!names.includes(name)) {
    throw new Failure(`Which ${kind}? Run "npm run ${kind} -- NAME" with one of: ${names.join(', ')}.`)
  }
  return [path.join(folder, `${name}.mjs`), args]
}
