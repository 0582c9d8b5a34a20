import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type PostgresServer, startPostgres } from '@/db/testing/servers'
import { bearer, enrolByProgram, program, setUpByProgram } from '@/e2e/program'
import { type RunningConsole, startConsole } from '@/e2e/server'
import { openClient, quantile } from './lib/load'
import { benchLine, seconds } from './lib/measure'
import { CASES, type Case, makeFile } from './lib/migrate/cases'
import { paced } from './lib/pace'

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
const POLL_MS = 500
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
    ...{ MIGRATION_SOURCE_DIRS: sources, TWO_FA_WINDOW: String(WINDOW) },
  }
}

async function bench(console_: RunningConsole): Promise<void> {
  const { call, query, post } = program(console_)
  let { accessToken: token } = await setUpByProgram(console_)
  const { app, verified } = await enrolByProgram(console_.url, token, WINDOW)
  token = verified.body.tokens?.accessToken ?? token
  const client = openClient(console_.url)
  const ask = () => client.send({ method: 'GET', path: '/api/trpc/auth.me', headers: { ...bearer(token) } })

  const idle = await measure(ask, () => new Promise((resolve) => setTimeout(resolve, 5_000)))
  show('without a run', idle)

  const { id } = good(
    await call(
      'migration.create',
      { source: { kind: 'folder', path: join(sources, 'source.db') }, target: { kind: 'environment' } },
      bearer(token),
    ),
  )
  const started = performance.now()
  const planning = await measure(ask, () => until(({ phase }) => phase === null))
  show('checks and plan', planning)
  const { checks } = await read()
  const amber = checks.filter(({ state }: { state: string }) => state === 'amber')
  if (amber.length > 0) {
    const named = { id, checks: amber.map((check: { id: string }) => check.id) }
    good(await call('migration.acknowledge', named, bearer(token)))
  }
  const request = { action: 'migration.start', input: { id }, code: app.next() }
  const granted = good(await post('/api/auth/step-up', request, bearer(token)))
  token = granted.tokens.accessToken
  const headers = { ...bearer(token), 'holdfast-step-up': granted.grantId }
  const running = await measure(ask, async () => {
    good(await call('migration.start', { id }, headers))
    await until(({ state }) => state === 'completed')
  })
  show('transfer, build and validation', running)
  client.close()
  console.log(`the run took ${seconds(performance.now() - started)}`)
  console.log(benchLine('migrate-console', { p99_ms: quantile([...planning, ...running], 0.99) }))

  async function read() {
    const input = encodeURIComponent(JSON.stringify({ id }))
    return good(await query(`migration.run?input=${input}`, bearer(token)))
  }

  /** Asks for the run as its page does. */
  async function until(holds: (run: { state: string; phase: string | null }) => boolean): Promise<void> {
    for (;;) {
      const run = await read()
      if (run.error || run.state === 'failed') throw new Error(`The run failed: ${JSON.stringify(run.error)}`)
      if (holds(run)) return
      await new Promise((resolve) => setTimeout(resolve, POLL_MS))
    }
  }
}

function good<T>({ status, body }: { status: number; body: T }): T {
  if (status !== 200) throw new Error(`The console answered ${status}: ${JSON.stringify(body)}`)
  return body
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
