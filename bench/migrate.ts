import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type PostgresServer, startPostgres } from '@/db/testing/servers'
import { benchLine, median, run, seconds } from './lib/measure'
import { CASES, type Case, makeFile, SEED } from './lib/migrate/cases'
import { copy, holdfast, PGLOADER, pgloader, render, type Timing } from './lib/migrate/ways'
import { childrenCpu } from './lib/processes'

/**
 * Three ways in turn on the same file into the same server, each into a database of its own: pgloader, this project's
 * command line, and as the limit for text two psql that load rows rendered beforehand. Every pair begins with another
 * way. The last line carries the worst of the cases for each figure.
 */
const help = `Usage: npm run bench -- migrate [--case shop,narrow,wide] [--pairs 5] [--scale 1] [--without pgloader,copy]`

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

const { values } = parseArgs({
  options: {
    case: { type: 'string', default: CASES.map(({ name }) => name).join() },
    pairs: { type: 'string', default: '5' },
    scale: { type: 'string', default: '1' },
    without: { type: 'string', default: '' },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  console.log(help)
  process.exit(0)
}
const wanted = values.case.split(',')
const cases = CASES.filter(({ name }) => wanted.includes(name))
if (cases.length < wanted.length) {
  console.error(`Not every case of ${values.case} exists. ${help}`)
  process.exit(1)
}
const left = values.without.split(',')

const version = await run('pgloader', ['--version']).catch(() => null)
if (!version && !left.includes('pgloader')) {
  console.error('pgloader is missing: apt-get install pgloader')
  process.exit(1)
}

interface Figures {
  transfer_vs_pgloader: number
  whole_vs_pgloader: number
  transfer_vs_copy: number
  rss_mb: number
  validate_vs_transfer: number
}

const folder = mkdtempSync(join(tmpdir(), 'holdfast-bench-'))
chmodSync(folder, 0o755)
const server = await startPostgres({ settings: SERVER })
try {
  console.log(
    `PostgreSQL ${server.version}: ${Object.entries(SERVER)
      .map(([key, value]) => `${key}=${value}`)
      .join(' ')}`,
  )
  console.log(`${version?.stdout.split('\n')[0]}: ${PGLOADER}`)
  console.log(`${availableParallelism()} cores, Node ${process.versions.node}`)
  const all: Figures[] = []
  for (const one of cases) all.push(await bench(server, one))
  const of = (key: keyof Figures) => all.map((figures) => figures[key])
  console.log(
    benchLine('migrate', {
      transfer_vs_pgloader: Math.min(...of('transfer_vs_pgloader')),
      whole_vs_pgloader: Math.min(...of('whole_vs_pgloader')),
      transfer_vs_copy: Math.min(...of('transfer_vs_copy')),
      rss_mb: Math.max(...of('rss_mb')),
      validate_vs_transfer: Math.max(...of('validate_vs_transfer')),
    }),
  )
} finally {
  await server.stop()
  rmSync(folder, { recursive: true, force: true })
}

async function bench(postgres: PostgresServer, one: Case): Promise<Figures> {
  const file = join(folder, `${one.name}.db`)
  const started = performance.now()
  const { bytes, rows } = makeFile(one, file, Number(values.scale))
  console.log(
    `\n${one.name}: ${rows.toLocaleString('en')} rows, ${(bytes / 1e6).toFixed(0)} MB, seed ${SEED}, made in ${seconds(performance.now() - started)}`,
  )
  console.log(`${one.schema}\n${one.indexes}`)
  const rendered = render(one, file, folder)
  const ways = {
    pgloader: (database: string) => pgloader({ postgres, database, folder }, file),
    holdfast: (database: string) => holdfast({ postgres, database, folder }, file),
    copy: (database: string) => copy({ postgres, database, folder }, one, rendered),
  }
  type Way = keyof typeof ways
  const names = (Object.keys(ways) as Way[]).filter((name) => !left.includes(name))
  const timings: Record<Way, Timing[]> = { pgloader: [], holdfast: [], copy: [] }
  for (let pair = 0; pair < Number(values.pairs); pair++) {
    const turn = pair % names.length
    for (const name of [...names.slice(turn), ...names.slice(0, turn)]) {
      timings[name].push(await inDatabase(postgres, one, rows, ways[name]))
    }
    const shown = names.map((name) => `${name} ${describe(timings[name].at(-1) as Timing)}`)
    console.log(`pair ${pair + 1}: ${shown.join(' · ')}`)
  }
  rmSync(file)
  const of = (way: Way, key: keyof Timing) => median(timings[way].map((timing) => timing[key]))
  const figures: Figures = {
    transfer_vs_pgloader: of('pgloader', 'transfer') / of('holdfast', 'transfer'),
    whole_vs_pgloader: of('pgloader', 'whole') / of('holdfast', 'whole'),
    transfer_vs_copy: of('copy', 'transfer') / of('holdfast', 'transfer'),
    rss_mb: Math.max(...timings.holdfast.map(({ memory }) => memory)) / 1e6,
    validate_vs_transfer: median(timings.holdfast.map(({ validate, transfer }) => validate / transfer)),
  }
  const medians = names.map((name) => {
    const keys = ['transfer', 'whole', 'validate', 'memory', 'cpu'] as const
    return `${name} ${describe(Object.fromEntries(keys.map((key) => [key, of(name, key)])) as never)}`
  })
  console.log(`medians: ${medians.join(' · ')}`)
  console.log(benchLine(`migrate ${one.name}:`, { ...figures }).replace('BENCH ', ''))
  return figures
}

function describe({ transfer, whole, validate, memory, cpu }: Timing): string {
  const parts = [`transfer ${seconds(transfer)}`]
  if (whole !== transfer) parts.push(`whole ${seconds(whole)}`)
  if (validate) parts.push(`validate ${seconds(validate)}`)
  return [...parts, `CPU ${cpu.toFixed(1)} s`, `${(memory / 1e6).toFixed(0)} MB`].join(', ')
}

/** Gives a run a database of its own, a checkpoint before it, and a count of what arrived after it. */
async function inDatabase(
  postgres: PostgresServer,
  one: Case,
  rows: number,
  measure: (database: string) => Promise<Omit<Timing, 'cpu'>>,
): Promise<Timing> {
  const { database } = await postgres.createDatabase()
  await postgres.query('CHECKPOINT')
  try {
    const spent = () => childrenCpu('self') + childrenCpu(postgres.pid)
    const before = spent()
    const measured = await measure(database)
    await sessionsEnded(postgres, database)
    const timing = { ...measured, cpu: spent() - before }
    const counts = one.tables.map(({ name }) => `(SELECT count(*) FROM ${name})`)
    const [arrived] = await postgres.query<{ n: string }>(`SELECT ${counts.join(' + ')} AS n`, [], database)
    if (Number(arrived?.n) !== rows) throw new Error(`${arrived?.n} of ${rows} rows arrived in ${database}.`)
    return timing
  } finally {
    await postgres.query(`DROP DATABASE "${database}" WITH (FORCE)`)
  }
}

/** A session's CPU time is known when the server has buried it. */
async function sessionsEnded(postgres: PostgresServer, database: string): Promise<void> {
  const alive = async () =>
    (await postgres.query('SELECT 1 FROM pg_stat_activity WHERE datname = $1', [database])).length > 0
  while (await alive()) await new Promise((resolve) => setTimeout(resolve, 20))
}
