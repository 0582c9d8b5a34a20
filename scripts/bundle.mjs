// Bundles what runs outside Next with esbuild: the server entry, the worker, the command lines, the benches
// and what tests start as processes. Run by hand it prints what it wrote.
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as esbuild from 'esbuild'
import nextConfig from '../next.config.mjs'

export const root = resolve(fileURLToPath(new URL('.', import.meta.url)), '..')

/** Single files, and folders of which every module but the tests is an entry: [source, output below dist/]. */
const FILES = [
  ['server/main.ts', 'main'],
  ['server/main/serve.ts', 'serve'],
  ['server/migration/engine/worker.ts', 'migration-worker'],
  ['db/sqlite/worker.ts', 'sqlite-worker'],
  ['server/database/changes/worker.ts', 'advisor-worker'],
  ['server/audit/worker.ts', 'audit-worker'],
  ['server/database/index.ts', 'database'],
  ['server/cache/index.ts', 'cache'],
  ['server/security/embedded/index.ts', 'security'],
  ['db/testing/servers.ts', 'testing/servers'],
  ['server/security/testing/refresher.ts', 'testing/refresher'],
  ['server/security/testing/guard.ts', 'testing/guard'],
  ['server/audit/testing/appender.ts', 'testing/appender'],
  ['server/tracing/testing/loads.ts', 'testing/loads'],
  ['bench/demo/main.ts', 'demo/main'],
  ['bench/demo/screenshots.ts', 'demo/screenshots'],
  ['bench/lib/serve/loader.ts', 'testing/loader'],
  ['bench/lib/live/listener.ts', 'testing/listener'],
  ['bench/lib/live/peer.ts', 'testing/sse-peer'],
]
const FOLDERS = [
  ['server/cli', 'cli'],
  ['bench', 'bench'],
  ['bench/chaos', 'chaos'],
]

/**
 * What holds its packages, as reading a thousand files takes a third of a start: the console, and the command lines
 * and processes that are begun again and again.
 */
const CONSOLE = ['serve']
const isProcess = (output) => output.startsWith('cli/') || output.endsWith('-worker')
/** What they leave outside: native code, and what is imported when it is needed. */
const OUTSIDE = [
  ...['@node-rs/argon2', 'better-sqlite3', 'pg-native', 'snappy', '@toondepauw/node-zstd'],
  ...['@opentelemetry/*', '@simplewebauthn/server', '@zxcvbn-ts/*', 'nodemailer'],
]
/** The console leaves outside as well what it has in common with Next. */
const SHARED = [...nextConfig.serverExternalPackages, 'next']

/** Every entry that exists: { 'cli/migrate': '…/server/cli/migrate.ts' }. */
export function entryPoints() {
  const entries = {}
  for (const [source, output] of FILES) {
    if (existsSync(join(root, source))) entries[output] = join(root, source)
  }
  for (const [folder, output] of FOLDERS) {
    if (!existsSync(join(root, folder))) continue
    for (const name of readdirSync(join(root, folder)).sort()) {
      if (!name.endsWith('.ts') || name.endsWith('.test.ts') || name.endsWith('.d.ts')) continue
      entries[`${output}/${basename(name, '.ts')}`] = join(root, folder, name)
    }
  }
  return entries
}

/** esbuild's options for the bundles, below `outdir`. */
export function bundleOptions(outdir = join(root, 'dist')) {
  return {
    absWorkingDir: root,
    entryPoints: entryPoints(),
    outdir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.12',
    packages: 'external',
    alias: { '@': root },
    sourcemap: 'linked',
    sourcesContent: false,
    legalComments: 'none',
    logLevel: 'warning',
    write: false,
  }
}

/** The same with their packages, all but those of `external`. */
function withPackages(outdir, external) {
  return {
    ...bundleOptions(outdir),
    packages: 'bundle',
    external,
    legalComments: 'eof',
    // Packages in CommonJS ask for Node's own modules by require.
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
  }
}

/** Writes the bundles; resolves to their paths, relative to the project. Throws when one doesn't compile. */
export async function bundle(outdir = join(root, 'dist')) {
  const kinds = { console: {}, processes: {}, others: {} }
  for (const [output, source] of Object.entries(entryPoints())) {
    const kind = CONSOLE.includes(output) ? 'console' : isProcess(output) ? 'processes' : 'others'
    kinds[kind][output] = source
  }
  const built = await Promise.all([
    esbuild.build({ ...withPackages(outdir, [...OUTSIDE, ...SHARED]), entryPoints: kinds.console }),
    esbuild.build({ ...withPackages(outdir, OUTSIDE), entryPoints: kinds.processes }),
    esbuild.build({ ...bundleOptions(outdir), entryPoints: kinds.others }),
  ])
  const outputFiles = built.flatMap((result) => result.outputFiles)
  for (const file of outputFiles) writeChanged(file.path, file.contents)
  removeStale(outdir, new Set(outputFiles.map((file) => file.path)))
  return outputFiles.map((file) => relative(root, file.path)).filter((path) => path.endsWith('.mjs'))
}

/** By rename: a process that is just forking the old bundle never reads half a file. */
export function writeChanged(path, contents) {
  if (existsSync(path) && readFileSync(path).equals(contents)) return
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(`${path}.${process.pid}`, contents)
  renameSync(`${path}.${process.pid}`, path)
}

/** An entry that was renamed must not leave a bundle behind that still runs. */
function removeStale(folder, written) {
  if (!existsSync(folder)) return
  for (const item of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, item.name)
    if (item.isDirectory()) removeStale(path, written)
    else if (/\.mjs(\.map)?$/.test(item.name) && !written.has(path)) rmSync(path)
  }
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const started = performance.now()
  const files = await bundle()
  for (const file of files) console.log(file)
  console.log(`bundled ${files.length} files in ${Math.round(performance.now() - started)} ms`)
}
