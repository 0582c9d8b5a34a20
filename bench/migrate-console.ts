import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type PostgresServer, startPostgres } from '@/db/testing/servers'
import { bearer, enrolByProgram, setUpByProgram } from '@/e2e/program'
import { type RunningConsole, startConsole } from '@/e2e/server'
import { openClient, quantile } from './lib/load'
import { benchLine, seconds } from './lib/measure'
import { CASES, type Case, makeFile } from './lib/migrate/cases'
import { RunByProgram } from './lib/migrate/run-by-program'
import { paced } from './lib/pace'
import { withoutLimits } from './lib/without-limits'

/**
 * What a run costs those who use the console meanwhile. The built console on SQLite migrates a file of a folder into
 * PostgreSQL on the same machine, as an admin asks for it through the API; `auth.me` is asked at a steady rate,
 * whatever became of the calls before, from the making of the plan to the end of the validation.
 */
const { values } = parseArgs({
  options: {
    case: { type: 'string', default: 'shop' },
    scale: { type: 'string', default: '1' },
    rate: { type: 'string', default: '20' },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  console.log('Usage: npm run bench -- migrate-console [--case shop] [--scale 1] [--rate 20]')
  process.exit(0)
}

const WINDOW = 10
const rate = Number(values.rate)
const one = CASES.find(({ name }) => name === values.case) as Case

const sources = mkdtempSync(join(tmpdir(), 'holdfast-bench-'))
chmodSync(sources, 0o755)
const { rows, bytes } = makeFile(one, join(sources, 'source.db'), Number(values.scale))
console.log(
  `${one.name}: ${rows.toLocaleString('en')} rows, ${(bytes / 1e6).toFixed(0)} MB; ${rate} queries a second; ${availableParallelism()} cores`,
)
const postgres = await startPostgres({
  settings: { fsync: 'on', shared_buffers: '512MB', max_wal_size: '4GB' },
})
const { database } = await postgres.createDatabase()
const served = await startConsole({ root: process.cwd(), env: environment(postgres, database) })
try {
  await bench(served)
} finally {
  await served.stop()
  await postgres.stop()
  rmSync(sources, { recursive: true, force: true })
}

function environment({ host, port, user, password }: PostgresServer, name: string) {
  return {
    ...{ DB_HOST: host, DB_PORT: String(port), DB_USER: user, DB_PASSWORD: password, DB_NAME: name },
    ...withoutLimits,
    ...{ MIGRATION_SOURCE_DIRS: sources, TWO_FA_WINDOW: String(WINDOW) },
  }
}

async function bench(console_: RunningConsole): Promise<void> {
  const first = await setUpByProgram(console_)
  const { app, verified } = await enrolByProgram(console_.url, first.accessToken, WINDOW)
  const signedIn = { token: verified.body.tokens?.accessToken ?? first.accessToken, app }
  const client = openClient(console_.url)
  const ask = () =>
    client.send({ method: 'GET', path: '/api/trpc/auth.me', headers: { ...bearer(signedIn.token) } })

  const idle = await measure(ask, () => new Promise((resolve) => setTimeout(resolve, 5_000)))
  show('without a run', idle)

  const run = await RunByProgram.create(console_, signedIn, join(sources, 'source.db'))
  const started = performance.now()
  const planning = await measure(ask, () => run.planned())
  show('checks and plan', planning)
  const headers = await run.granted()
  const running = await measure(ask, () => run.completed(headers))
  show('transfer, build and validation', running)
  client.close()
  console.log(`the run took ${seconds(performance.now() - started)}`)
  console.log(benchLine('migrate-console', { p99_ms: quantile([...planning, ...running], 0.99) }))
}

/** Times of the calls that were begun while `work` went on, ms. */
async function measure(ask: () => Promise<unknown>, work: () => Promise<unknown>): Promise<number[]> {
  const times: number[] = []
  const open = new Set<Promise<unknown>>()
  const stop = paced(rate, () => {
    const begun = performance.now()
    const call = ask().then(() => {
      times.push(performance.now() - begun)
      open.delete(call)
    })
    open.add(call)
  })
  try {
    await work()
  } finally {
    stop()
  }
  await Promise.all(open)
  return times
}

function show(name: string, times: number[]): void {
  const [half, most, longest] = [0.5, 0.99, 1].map((share) => quantile(times, share).toFixed(1))
  console.log(`${name}: ${times.length} queries, p50 ${half} ms, p99 ${most} ms, longest ${longest} ms`)
}
