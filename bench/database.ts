import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { Client, Pool } from 'pg'
import { type PostgresServer, startPostgres } from '@/db/testing/servers'
import { systemClock } from '@/server/clock'
import { openPostgresDatabase } from '@/server/database'
import { openLog } from '@/server/log'
import {
  anyItem,
  claims,
  fill,
  mixed,
  ourSide,
  READ,
  rawSide,
  reads,
  SERVER,
  type Side,
  sales,
} from './lib/database-loads'
import { drive, type Load, type Measured, type Pair, pair } from './lib/drive'
import { benchLine, median } from './lib/measure'

/**
 * The database layer that the console stands on and pg's own Pool in turn, on one server, with the same number of
 * connections and named statements on both sides, in the same process. CPU is this process's: user and system.
 */
const PARTS = ['reads', 'transactions', 'errors', 'mixed', 'connection', 'metrics']
const help = `Usage: npm run bench -- database [--rounds 7] [--seconds 1.5] [--connections 8] [--part ${PARTS.join(',')}]`

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    seconds: { type: 'string', default: '1.5' },
    connections: { type: 'string', default: '8' },
    part: { type: 'string', default: PARTS.join(',') },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  console.log(help)
  process.exit(0)
}
const rounds = Math.max(5, Number(values.rounds))
const milliseconds = Number(values.seconds) * 1000
const connections = Number(values.connections)
const wanted = (part: string): boolean => values.part.split(',').includes(part)

/** A load of one side, under the name that the report gives it. */
type Named = [name: string, load: Load]

const server = await startPostgres({ settings: SERVER })
try {
  await bench(server)
} finally {
  await server.stop()
}

async function bench(postgres: PostgresServer): Promise<void> {
  const { database, url } = await postgres.createDatabase()
  await fill(postgres, database)
  console.log(
    `PostgreSQL ${postgres.version}, ${connections} connections on each side, ${rounds} rounds of ${milliseconds} ms, ${availableParallelism()} cores, Node ${process.versions.node}`,
  )
  const { host, port, user, password } = postgres
  const place = { host, port, user, password, database }
  const limits = { min: connections, max: connections, acquireTimeout: 30_000, idleTimeout: 60_000 }
  const open = (metrics: boolean) =>
    openPostgresDatabase(
      { log: openLog('error'), clock: systemClock },
      { ...place, ...limits, maxWaiting: 10_000, metrics },
    )
  const counted = open(true)
  const theirs = new Pool({ connectionString: url, min: connections, max: connections })
  // Its connections end with the server when a bench fails.
  theirs.on('error', () => {})
  const [raw, ours] = [rawSide(theirs), ourSide(counted)]
  // The sampler of the console reads the counters once a second.
  const sampler = setInterval(() => counted.figures(), 1_000)
  const both = (name: string, concurrency: number, load: (side: Side) => Load): Promise<Pair[]> =>
    inTurn(name, concurrency, ['pg', load(raw)], ['holdfast', load(ours)])
  const figures: Record<string, number> = {}

  if (wanted('reads')) {
    const at8 = await both('reads', 8, reads)
    const at64 = await both('reads', 64, reads)
    figures.reads_c8 = ratio(at8, ({ rate }) => rate)
    figures.reads_c64 = ratio(at64, ({ rate }) => rate)
    figures.reads_cpu_c64 = ratio(at64, ({ cpu }) => cpu)
  }
  if (wanted('transactions')) {
    const at = [await both('transactions', 8, sales), await both('transactions', 64, sales)]
    figures.transactions = Math.min(...at.map((pairs) => ratio(pairs, ({ rate }) => rate)))
  }
  if (wanted('errors')) {
    const good: Named = ['succeeding', claims(ours, false)]
    const pairs = await inTurn('inserts', 64, good, ['failing', claims(ours, true)])
    figures.errors = ratio(pairs, ({ rate }) => rate)
    const failing = await drive(64, milliseconds, claims(raw, true))
    console.log(`failing inserts at 64: pg ${failing.rate.toFixed(0)}/s`)
  }
  if (wanted('mixed')) {
    const p99 = async (name: string, concurrency: number, oneText: boolean) =>
      ratio(await both(name, concurrency, (side) => mixed(side, oneText)), (measured) => measured.p99)
    const name = 'mixed, short ones'
    figures.mixed_p99 = Math.max(await p99(name, 8, false), await p99(name, 64, false))
    const same = [await p99(`${name}, one text`, 8, true), await p99(`${name}, one text`, 64, true)]
    console.log(`mixed under one text: p99 ${same.map((each) => each.toFixed(2)).join(', ')}`)
  }
  if (wanted('connection')) {
    const each: Load = async (below) => {
      const client = new Client({ connectionString: url })
      await client.connect()
      await client.query({ text: READ, values: [anyItem(below)] })
      await client.end()
    }
    const pairs = await inTurn('reads', 8, ['a connection each', each], ['holdfast', reads(ours)])
    figures.vs_connection_per_query = ratio(pairs, ({ rate }) => rate)
  }
  if (wanted('metrics')) {
    const [without, withThem] = [open(false), open(true)]
    const sampling = setInterval(() => [withThem.figures(), withThem.client.statements()], 1_000)
    const plain: Named = ['without metrics', reads(ourSide(without))]
    const counting: Named = ['with them', reads(ourSide(withThem))]
    const pairs = await inTurn('reads', 64, plain, counting, { times: 12, share: 0.5 })
    clearInterval(sampling)
    await Promise.all([without.close(), withThem.close()])
    // Never rounded down to the bar.
    figures.metrics_cost = Math.ceil((1 - ratio(pairs, ({ rate }) => rate)) * 100) / 100
  }
  clearInterval(sampler)
  await Promise.all([counted.close(), theirs.end()])
  console.log(benchLine('database', figures))
}

/** Both in turn, who is first changing; `times` as many rounds of that `share` of the time where little is sought. */
async function inTurn(
  what: string,
  concurrency: number,
  [firstName, first]: Named,
  [secondName, second]: Named,
  { times = 1, share = 1 } = {},
): Promise<Pair[]> {
  const pairs: Pair[] = []
  const run = (load: Load) => drive(concurrency, milliseconds * share, load)
  // The first round fills caches and prepares statements.
  for (let round = -1; round < rounds * times; round++) {
    const measured = await pair(
      round,
      () => run(first),
      () => run(second),
    )
    if (round >= 0) pairs.push(measured)
  }
  const told = (name: string, measured: Measured[]) => {
    const middle = (pick: (each: Measured) => number, digits: number) =>
      median(measured.map(pick)).toFixed(digits)
    return `${name} ${middle(({ rate }) => rate, 0)}/s, ${middle(({ cpu }) => cpu, 1)} µs CPU, p99 ${middle(({ p99 }) => p99, 2)} ms`
  }
  console.log(
    `${what} at ${concurrency}: ${told(
      firstName,
      pairs.map(({ theirs }) => theirs),
    )} · ${told(
      secondName,
      pairs.map(({ ours }) => ours),
    )}`,
  )
  return pairs
}

/** The median of the second's figure over the first's, pair by pair. */
function ratio(pairs: Pair[], pick: (measured: Measured) => number): number {
  return median(pairs.map(({ theirs, ours }) => pick(ours) / pick(theirs)))
}
