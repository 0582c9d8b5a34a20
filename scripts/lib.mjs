// What the scripts share. Node built-ins alone: this runs before anything is installed.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..')
export const isRoot = process.getuid?.() === 0
/** A missing engine is a failure, never a skip. */
export const strict = isRoot || Boolean(process.env.CI)

/** A failure whose message is for the person who typed the command. */
export class Failure extends Error {}

/** Prints a Failure as its sentence, anything else with its stack, and exits with 1. */
export function fail(error) {
  console.error(error instanceof Failure ? error.message : error)
  process.exit(1)
}

/**
 * Runs one step with a line that tells how long it takes: rewritten each second on a terminal, otherwise one
 * line when it begins and one when it is done.
 */
export async function step(title, work) {
  const started = Date.now()
  const seconds = () => `${((Date.now() - started) / 1000).toFixed(Date.now() - started < 10_000 ? 1 : 0)} s`
  const live = process.stdout.isTTY
  const show = () => process.stdout.write(`\r${title} … ${seconds()} `)
  if (live) show()
  else console.log(`${title} …`)
  const timer = live ? setInterval(show, 1000) : undefined
  try {
    const result = await work()
    console.log(`${live ? '\r' : ''}${title}: done in ${seconds()}   `)
    return result
  } catch (error) {
    console.log(`${live ? '\r' : ''}${title}: failed after ${seconds()}   `)
    throw error
  } finally {
    clearInterval(timer)
  }
}

/**
 * Runs a command to its end and resolves to its exit code. SIGINT and SIGTERM are passed on, and this process
 * ends with the command then. With `log` the output goes into that file; otherwise it is shown.
 */
export function run(command, args, { cwd = root, env = {}, log, tee } = {}) {
  const out = log ? fs.openSync(log, 'a') : 'inherit'
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: tee ? ['inherit', 'pipe', 'pipe'] : [log ? 'ignore' : 'inherit', out, log ? out : 'inherit'],
  })
  if (tee) {
    for (const name of ['stdout', 'stderr']) {
      child[name].pipe(process[name], { end: false })
      child[name].on('data', (data) => fs.appendFileSync(tee, data))
    }
  }
  if (log) fs.closeSync(out)
  let stopped
  const forward = (signal) => {
    stopped = signal
    child.kill(signal)
  }
  process.on('SIGINT', forward)
  process.on('SIGTERM', forward)
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => {
      process.off('SIGINT', forward)
      process.off('SIGTERM', forward)
      if (stopped) process.exit(stopped === 'SIGINT' ? 130 : 143)
      resolve(code ?? 128 + (os.constants.signals[signal] ?? 0))
    })
  })
}

/** Totals of tests as the last line of a run says them. */
export function inWords({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`
}

/** Runs a command with its output in a log; throws a sentence that names the log when it fails. */
export async function runLogged(what, command, args, env) {
  const log = logFile(what)
  const code = await run(command, args, { env, log })
  if (code !== 0) throw new Failure(`"${what}" failed with exit code ${code}; what it said is in ${log}.`)
}

function logFile(what) {
  const name = `${what.replace(/[^a-z0-9]+/gi, '-').toLowerCase()}.log`
  for (const folder of [path.join(root, '.cache'), path.join(os.tmpdir(), `holdfast-logs-${process.pid}`)]) {
    try {
      fs.mkdirSync(folder, { recursive: true })
      const file = path.join(folder, name)
      fs.writeFileSync(file, '')
      return file
    } catch {
      // Read-only checkout: the next folder.
    }
  }
  throw new Failure('No folder for logs can be written.')
}

/** Whether a program is on the PATH. */
export function has(program) {
  const folders = (process.env.PATH ?? '').split(path.delimiter)
  return folders.some((folder) => folder && fs.existsSync(path.join(folder, program)))
}

/** Throws a sentence unless this Node is the one that package.json asks for. */
export function checkNode() {
  const wanted = readJson('package.json').engines.node.replace('>=', '')
  const [major, minor = 0] = wanted.split('.').map(Number)
  const [ourMajor, ourMinor] = process.versions.node.split('.').map(Number)
  if (ourMajor < major || (ourMajor === major && ourMinor < minor)) {
    throw new Failure(`Holdfast needs Node.js ${wanted} or newer; this is ${process.versions.node}.`)
  }
}

function readJson(file) {
  return JSON.parse(fs.readFileSync(path.join(root, file), 'utf8'))
}

function readJsonOrNull(file) {
  try {
    return readJson(file)
  } catch {
    return null
  }
}

const INSTALL_STAMP = 'node_modules/.holdfast.json'

function installState() {
  const lock = createHash('sha256')
    .update(fs.readFileSync(path.join(root, 'package-lock.json')))
    .digest('hex')
  return { lock, abi: process.versions.modules, platform: `${process.platform}-${process.arch}` }
}

/** Whether the packages are installed for this lockfile and this Node. */
export function isInstalled() {
  const [wanted, stamp] = [installState(), readJsonOrNull(INSTALL_STAMP)]
  return stamp !== null && Object.keys(wanted).every((key) => stamp[key] === wanted[key])
}

/** Installs the packages unless they are installed for this lockfile and this Node. */
export async function install() {
  const wanted = installState()
  const write = () => fs.writeFileSync(path.join(root, INSTALL_STAMP), JSON.stringify(wanted))
  if (isInstalled()) return
  if (!readJsonOrNull(INSTALL_STAMP) && (await installedByHand())) return write()
  await step('Installing packages', async () => {
    try {
      await npmCi()
    } catch (error) {
      const missing = missingCompiler()
      if (!missing) throw error
      const packages = ['build-essential', 'python3']
      const command = `apt-get install -y ${packages.join(' ')}`
      if (!isRoot || !has('apt-get')) {
        throw new Failure(
          `better-sqlite3 has to be compiled here, but ${missing} is missing: run "${isRoot ? '' : 'sudo '}${command}" and start again.`,
        )
      }
      await aptInstall(packages)
      await npmCi()
    }
    write()
  })
}

/** Whether `npm ci` or `npm install`, run by hand, has left exactly what the lockfile says, for this Node. */
async function installedByHand() {
  const installed = readJsonOrNull('node_modules/.package-lock.json')?.packages
  if (!installed) return false
  const wanted = Object.entries(readJson('package-lock.json').packages)
  const complete = wanted.every(
    ([name, { version, optional, peer }]) =>
      name === '' || optional || peer || installed[name]?.version === version,
  )
  if (!complete) return false
  const probe = "new (require('better-sqlite3'))(':memory:').close()"
  return (await run(process.execPath, ['-e', probe], { log: logFile('probe') })) === 0
}

function npmCi() {
  const [command, ...args] = npmCommand()
  return runLogged('npm ci', command, [...args, 'ci', '--include=dev', '--no-progress'], {
    JOBS: String(Math.max(2, os.cpus().length)),
  })
}

/** This Node's npm: the one that runs us, or the one beside Node, or the PATH's. */
export function npmCommand() {
  const beside = path.join(path.dirname(process.execPath), '../lib/node_modules/npm/bin/npm-cli.js')
  const candidates = [process.env.npm_execpath, beside].filter((file) => file && /npm-cli\.c?js$/.test(file))
  const script = candidates.find((file) => fs.existsSync(file))
  if (script) return [process.execPath, script]
  if (has('npm')) return ['npm']
  throw new Failure('npm is missing: install it beside Node.js ("apt-get install npm").')
}

/** What the compiler of native packages lacks; undefined when nothing is. */
export function missingCompiler() {
  if (!has('python3')) return 'python3'
  if (!has('make')) return 'make'
  return has('g++') || has('c++') || has('clang++') ? undefined : 'a C++ compiler'
}

let listsFresh = false

/** Installs Debian packages without asking anything. As root only. */
export async function aptInstall(packages) {
  const env = { DEBIAN_FRONTEND: 'noninteractive' }
  if (!listsFresh) await runLogged('apt-get update', 'apt-get', ['update', '-q'], env)
  listsFresh = true
  const args = ['install', '-y', '-q', '--no-install-recommends', ...packages]
  await runLogged('apt-get install', 'apt-get', args, env)
}

/** What the build is made from: folders and files of the project; tests and test servers apart. */
const SOURCES = [
  ...['app', 'bench', 'components', 'db', 'public', 'server'],
  ...[
    'instrumentation.ts',
    'next.config.mjs',
    'package-lock.json',
    'postcss.config.mjs',
    'proxy.ts',
    'tsconfig.json',
  ],
  ...['scripts/build.mjs', 'scripts/bundle.mjs'],
]

/** A hash over the names and contents of all sources. */
export function sourcesHash() {
  const hash = createHash('sha256')
  const add = (file) => {
    const full = path.join(root, file)
    const stat = fs.statSync(full, { throwIfNoEntry: false })
    if (!stat) return
    if (stat.isDirectory()) {
      for (const name of fs.readdirSync(full).sort()) add(path.join(file, name))
    } else if (!/\.test\.tsx?$/.test(file) && !file.startsWith(path.join('db', 'fixtures'))) {
      hash.update(`${file}\0${stat.size}\0`).update(fs.readFileSync(full))
    }
  }
  for (const source of SOURCES) add(source)
  return hash.digest('hex')
}

const BUILD_STAMP = '.next/holdfast-build.json'

/** Remembers that the build is of these sources. */
export function stampBuild(sources) {
  fs.writeFileSync(path.join(root, BUILD_STAMP), JSON.stringify({ sources }))
}

/** Whether the build is of the present sources. */
export function isBuilt() {
  const whole =
    fs.existsSync(path.join(root, '.next/BUILD_ID')) && fs.existsSync(path.join(root, 'dist/main.mjs'))
  return whole && readJsonOrNull(BUILD_STAMP)?.sources === sourcesHash()
}

/** Builds the console unless the build is of the present sources. */
export async function build() {
  if (isBuilt()) return
  await step('Building the console', () =>
    runLogged('npm run build', process.execPath, ['scripts/build.mjs'], { NODE_ENV: 'production' }),
  )
}
