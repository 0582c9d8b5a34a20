// npm run bench|chaos [-- NAME [options]]: runs one measurement, or each of them in turn. A run without options is kept
// in docs/benchmarks.json, from which docs/benchmarks.md is written; with options it is when --record is one of them.
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { benchmarksPage, readOutput } from './benchmarks.mjs'
import { build, checkNode, Failure, fail, has, install, root, run } from './lib.mjs'
import { MEASUREMENTS } from './measurements.mjs'

const [kind, ...rest] = process.argv.slice(2)

try {
  checkNode()
  await install()
  const { bundle } = await import('./bundle.mjs')
  await bundle()
  const { names, options, record } = asked(rest)
  const failed = []
  for (const name of names) {
    if (names.length > 1) console.log(`\n${kind} ${name}`)
    if ((await measure(name, options, record)) !== 0) failed.push(name)
  }
  if (names.length > 1 && failed.length > 0) console.log(`\nNot as they should be: ${failed.join(', ')}`)
  process.exit(failed.length > 0 ? 1 : 0)
} catch (error) {
  fail(error)
}

function asked([name, ...others]) {
  const all = Object.keys(MEASUREMENTS[kind])
  if (name === undefined) return { names: all, options: [], record: true }
  if (!all.includes(name)) {
    throw new Failure(
      `Which ${kind}? Run "npm run ${kind}" for all, or with "-- NAME" for ${all.join(', ')}.`,
    )
  }
  const options = others.filter((option) => option !== '--record')
  return { names: [name], options, record: options.length === 0 || others.includes('--record') }
}

/** Resolves to the exit status. */
async function measure(name, options, record) {
  const { console: takesConsole, with: used = [] } = MEASUREMENTS[kind][name]
  if (takesConsole) await build()
  const log = path.join(root, '.cache', `${kind}-${name}.log`)
  fs.mkdirSync(path.dirname(log), { recursive: true })
  fs.writeFileSync(log, '')
  const file = path.join(root, 'dist', kind, `${name}.mjs`)
  // As it is before: what is measured may take hours.
  const before = record && { date: new Date().toISOString().slice(0, 10), commit: commit() }
  const began = performance.now()
  const status = await run(process.execPath, ['--enable-source-maps', file, ...options], { tee: log })
  const seconds = Math.round((performance.now() - began) / 1000)
  if (!record) return status
  const read = readOutput(kind, name, fs.readFileSync(log, 'utf8'))
  const versions = { Node: process.versions.node, ...(await versionsOf(used)) }
  keep(name, { ...before, machine: machine(), versions, options, seconds, status, ...read })
  return status
}

function keep(name, result) {
  const [file, page] = ['json', 'md'].map((ending) => path.join(root, 'docs', `benchmarks.${ending}`))
  const results = JSON.parse(fs.readFileSync(file, 'utf8'))
  results[kind] = { ...results[kind], [name]: result }
  fs.writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`)
  fs.writeFileSync(page, benchmarksPage(results))
}

/** The commit that was measured, with a word where the tree had changes; the page's own do not count. */
function commit() {
  const git = (...args) => execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: 'pipe' }).trim()
  try {
    const changed = git('status', '--porcelain', '--', '.', ':!docs/benchmarks.*') !== ''
    return `${git('rev-parse', '--short=9', 'HEAD')}${changed ? ' with changes' : ''}`
  } catch {
    return 'unknown'
  }
}

function machine() {
  const [cpu] = os.cpus()
  const memory = Math.round(os.totalmem() / 2 ** 30)
  return `${os.availableParallelism()} cores of ${cpu?.model.trim() ?? os.arch()}, ${memory} GiB`
}

/** Versions of packages as package.json pins them, and of programs as they say themselves. */
async function versionsOf(names) {
  const { dependencies, devDependencies } = JSON.parse(
    fs.readFileSync(path.join(root, 'package.json'), 'utf8'),
  )
  const packages = { ...dependencies, ...devDependencies }
  const { findPostgresBinaries, findRedisServer } = await import(path.join(root, 'dist/testing/servers.mjs'))
  const programs = {
    PostgreSQL: [`${findPostgresBinaries()}/postgres`, '--version'],
    Redis: [findRedisServer(), '--version'],
    pgloader: ['pgloader', '--version'],
    haproxy: ['haproxy', '-v'],
    Chromium: [has('chromium') ? 'chromium' : 'chromium-headless-shell', '--version'],
  }
  return Object.fromEntries(names.map((name) => [name, packages[name] ?? said(programs[name])]))
}

function said([program, option]) {
  try {
    return (
      /\d+(\.\d+)+/.exec(execFileSync(program, [option], { encoding: 'utf8', stdio: 'pipe' }))?.[0] ??
      'of unknown version'
    )
  } catch {
    return 'of unknown version'
  }
}
