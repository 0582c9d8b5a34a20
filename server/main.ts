// The one entry of the server: `npm start`, the standalone build, containers and systemd all run it.
// It imports nothing but Node, so that an old Node gets a sentence and not a syntax error.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const { engines } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
const [major = 0, minor = 0] = String(engines.node).replace('>=', '').split('.').map(Number)
const [ourMajor = 0, ourMinor = 0] = process.versions.node.split('.').map(Number)

if (ourMajor < major || (ourMajor === major && ourMinor < minor)) {
  console.error(`Holdfast needs Node.js ${major}.${minor} or newer; this is ${process.versions.node}.`)
  process.exit(1)
}

// The store's migrations, the worker's bundle, .env and ./data are found from here.
process.chdir(fileURLToPath(new URL('..', import.meta.url)))

const { serve } = await import(new URL('./serve.mjs', import.meta.url).href)
await serve()
