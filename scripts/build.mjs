// npm run build: the bundles, Next's build, and a standalone folder that runs by itself wherever it is put.
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, realpathSync, rmSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { bundle, root } from './bundle.mjs'
import { sourcesHash, stampBuild } from './lib.mjs'

const require = createRequire(import.meta.url)
/** What a served console needs. Next's trace follows joined paths and would take sources, and even ./data, along. */
const SERVED = ['.next', 'node_modules', 'package.json']
// Taken first: what changes while we build makes the build old.
const sources = sourcesHash()

await bundle()
const next = spawnSync(process.execPath, [require.resolve('next/dist/bin/next'), 'build'], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, NODE_ENV: 'production', NEXT_TELEMETRY_DISABLED: '1' },
})
if (next.status !== 0) process.exit(next.status ?? 1)
await completeStandalone(join(root, '.next', 'standalone'))
stampBuild(sources)

/** Keeps what is served, and adds what Next leaves out: static files, migrations, our entries and their packages. */
async function completeStandalone(target) {
  for (const name of readdirSync(target)) {
    if (!SERVED.includes(name)) rmSync(join(target, name), { recursive: true })
  }
  for (const folder of ['.next/static', 'public', 'db/migrations', 'dist']) {
    if (existsSync(join(root, folder))) cpSync(join(root, folder), join(target, folder), { recursive: true })
  }
  // The package that Next itself traces its routes with.
  const { nodeFileTrace } = require('next/dist/compiled/@vercel/nft')
  const entries = [
    'main',
    'serve',
    'migration-worker',
    'sqlite-worker',
    'advisor-worker',
    'audit-worker',
    'cli/admin',
    'cli/audit',
    'cli/backup',
    'cli/doctor',
    'cli/migrate',
  ]
  const files = entries.map((name) => join(root, 'dist', `${name}.mjs`)).filter((file) => existsSync(file))
  const { fileList } = await nodeFileTrace(files, { base: root, ignore: ['node_modules/next/**'] })
  for (const file of fileList) copyFile(join(root, file), join(target, file))
}

function copyFile(from, to) {
  const real = realpathSync(from)
  if (existsSync(to) || statSync(real).isDirectory()) return
  mkdirSync(dirname(to), { recursive: true })
  cpSync(real, to)
}
