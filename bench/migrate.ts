import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type PostgresServer, startPostgres } from '@/db/testing/servers'
import type { RunEvent, RunReport } from '@/server/migration'
import { benchLine, type Finished, median, run, seconds } from './lib/measure'
import { INDEXES, LENGTHS, makeFile, ROWS, SCHEMA, SEED } from './lib/migrate-data'

/**
 * pgloader and this project's command line in turn on the same file into the same server, each into a database of
 * its own. Transfer is from the first COPY begun to the last committed (pgloader's from its own summary); whole is
 * from the command's start to its exit.
 */
const help = `Usage: npm run bench -- migrate [--pairs 5] [--scale 1] [--keep FILE]`

/** A server as one would run it: every commit reaches the disk. */
const SERVER = {
  wal_level: 'replica',
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  shared_buffers: '512MB',
  max_wal_size: '4GB',
  maintenance_work_mem: '256MB',
  checkpoint_timeout: '15min',
}

/** pgloader at its fastest here; with its default of 100,000 prefetched rows it runs out of heap. */
const PGLOADER = 'workers = 4, concurrency = 1, batch rows = 25000, batch size = 20MB, prefetch rows = 25000'

interface Timing {
  transfer: number
  whole: number
}

const { values } = parseArgs({
  options: {
    pairs: { type: 'string', default: '5' },
    scale: { type: 'string', default: '1' },
    keep: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  console.log(help)
  process.exit(0)
}

const version = await run('pgloader', ['--version']).catch(() => null)
if (!version) {
  console.error('pgloader is missing: apt-get install pgloader')
  process.exit(1)
}

const folder = mkdtempSync(join(tmpdir(), 'holdfast-bench-'))
chmodSync(folder, 0o755)
const server = await startPostgres({ settings: SERVER })
try {
  await bench(server, values.keep ?? join(folder, 'source.db'))
} finally {
  await server.stop()
  rmSync(folder, { recursive: true, force: true })
}

async function bench(postgres: PostgresServer, file: string): Promise<void> {
  const started = performance.now()
  const { bytes, rows } = makeFile(file, Number(values.scale))
  console.log(
    `${rows.toLocaleString('en')} rows, ${(bytes / 1e6).toFixed(0)} MB, seed ${SEED}, made in ${seconds(performance.now() - started)}`,
  )
  console.log(`rows ${JSON.stringify(ROWS)} × ${values.scale}; lengths of texts ${JSON.stringify(LENGTHS)}`)
  console.log(`${SCHEMA.trim()}\n${INDEXES.trim()}`)
  console.log(
    `PostgreSQL ${postgres.version}: ${Object.entries(SERVER)
      .map(([key, value]) => `${key}=${value}`)
      .join(' ')}`,
  )
  console.log(`${version?.stdout.split('\n')[0]}: ${PGLOADER}`)
  console.log(`${availableParallelism()} cores, Node ${process.versions.node}`)
  const theirs: Timing[] = []
  const ours: Timing[] = []
  for (let pair = 1; pair <= Number(values.pairs); pair++) {
    theirs.push(await inDatabase(postgres, rows, (database) => pgloader(postgres, file, database)))
    ours.push(await inDatabase(postgres, rows, (database) => holdfast(postgres, file, database)))
    const [a, b] = [theirs.at(-1) as Timing, ours.at(-1) as Timing]
    console.log(
      `pair ${pair}: pgloader transfer ${seconds(a.transfer)}, whole ${seconds(a.whole)} · holdfast transfer ${seconds(b.transfer)}, whole ${seconds(b.whole)}`,
    )
  }
  const of = (timings: Timing[], key: keyof Timing) => median(timings.map((timing) => timing[key]))
  console.log(
    `medians: pgloader transfer ${seconds(of(theirs, 'transfer'))}, whole ${seconds(of(theirs, 'whole'))} · holdfast transfer ${seconds(of(ours, 'transfer'))}, whole ${seconds(of(ours, 'whole'))}`,
  )
  console.log(
    benchLine('migrate', {
      transfer_vs_pgloader: of(theirs, 'transfer') / of(ours, 'transfer'),
      whole_vs_pgloader: of(theirs, 'whole') / of(ours, 'whole'),
    }),
  )
}

/** Gives a run a database of its own, a checkpoint before it, and a count of what arrived after it. */
async function inDatabase(
  postgres: PostgresServer,
  rows: number,
  measure: (database: string) => Promise<Timing>,
): Promise<Timing> {
  const { database } = await postgres.createDatabase()
  await postgres.query('CHECKPOINT')
  try {
    const timing = await measure(database)
    const counts = Object.keys(ROWS).map((table) => `(SELECT count(*) FROM ${table})`)
    const [arrived] = await postgres.query<{ n: string }>(`SELECT ${counts.join(' + ')} AS n`, [], database)
    if (Number(arrived?.n) !== rows) throw new Error(`${arrived?.n} of ${rows} rows arrived in ${database}.`)
    return timing
  } finally {
    await postgres.query(`DROP DATABASE "${database}" WITH (FORCE)`)
  }
}

async function pgloader(postgres: PostgresServer, file: string, database: string): Promise<Timing> {
  const { user, password, host, port } = postgres
  const script = join(folder, 'pgloader.load')
  writeFileSync(
    script,
    `LOAD DATABASE FROM sqlite://${file} INTO pgsql://${user}:${password}@${host}:${port}/${database}
 WITH create tables, create indexes, reset sequences, ${PGLOADER}
 SET work_mem TO '64MB', maintenance_work_mem TO '256MB';\n`,
    { mode: 0o600 },
  )
  const done = await run('pgloader', ['--root-dir', join(folder, 'pgloader'), script])
  const found = /COPY Threads Completion\s+\d+\s+\d+\s+(?:[\d.]+ \w+\s+)?((?:\d+m)?[\d.]+)s/.exec(done.stdout)
  if (done.code !== 0 || !found?.[1]) throw failed('pgloader', done)
  const [, minutes, rest] = /^(?:(\d+)m)?([\d.]+)$/.exec(found[1]) ?? []
  return { transfer: (Number(minutes ?? 0) * 60 + Number(rest)) * 1000, whole: done.milliseconds }
}

async function holdfast(postgres: PostgresServer, file: string, database: string): Promise<Timing> {
  const { user, password, host, port } = postgres
  const command = fileURLToPath(new URL('../cli/migrate.mjs', import.meta.url))
  const target = `postgres://${user}@${host}:${port}/${database}`
  const done = await run(process.execPath, [command, '--source', file, '--target', target, '--json'], {
    PGPASSWORD: password,
  })
  const events = done.stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as RunEvent)
  const report = events.flatMap((event) => (event.type === 'done' ? event.report : []))[0] as
    | RunReport
    | undefined
  if (done.code !== 0 || !report) throw failed('migrate', done)
  console.log(
    `  holdfast: ${report.phases.map((phase) => `${phase.phase} ${seconds(phase.milliseconds)}`).join(', ')}`,
  )
  return { transfer: report.transferMilliseconds, whole: done.milliseconds }
}

function failed(name: string, { code, stdout, stderr }: Finished): Error {
  return new Error(`${name} ended with status ${code}:\n${(stdout + stderr).slice(-3000)}`)
}
