// Bundles what runs outside Next with esbuild: the server entry, the worker, the command lines, the benches
// and what tests start as processes. Run by hand it prints what it wrote.
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as esbuild from 'esbuild'

export const root = resolve(fileURLToPath(new URL('.', import.meta.url)), '..')

/** Single files, and folders of which every module but the tests is an entry: [source, output below dist/]. */
const FILES = [
  ['server/main.ts', 'main'],
  ['server/main/serve.ts', 'serve'],
  ['server/migration/engine/worker.ts', 'migration-worker'],
  ['db/sqlite/worker.ts', 'sqlite-worker'],
  ['server/database/changes/worker.ts', 'advisor-worker'],
  ['server/database/index.ts', 'database'],
  ['server/cache/index.ts', 'cache'],
  ['db/testing/servers.ts', 'testing/servers'],
  ['server/security/testing/refresher.ts', 'testing/refresher'],
]
const FOLDERS = [
  ['server/cli', 'cli'],
  ['bench', 'bench'],
  ['bench/chaos', 'chaos'],
]

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

/** Writes the bundles; resolves to their paths, relative to the project. Throws when one doesn't compile. */
export async function bundle(outdir = join(root, 'dist')) {
  const { outputFiles } = await esbuild.build(bundleOptions(outdir))
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
