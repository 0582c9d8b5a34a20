import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { Client, Pool } from 'pg'
import { type PostgresServer, startPostgres } from '@/db/testing/servers'
import { systemClock } from '@/server/clock'
import { openPostgresDatabase } from '@/server/database'
import { openLog } from '@/server/log'
import { drive, type Load, type Measured, type Pair, pair } from './lib/drive'
import { benchLine, median } from './lib/measure'

/**
 * The pool of server/database and pg's own Pool in turn, on one server, with the same number of connections and
 * named statements on both sides, in the same process. CPU is this process's: user and system.
 */
const help = `Usage: npm run bench -- database [--rounds 7] [--seconds 1.5] [--connections 8]`

/** Commits don't wait for the disk: the pool is measured, not the disk and who else uses it. */
const SERVER = { synchronous_commit: 'off', shared_buffers: '256MB', max_wal_size: '4GB' }
const ROWS = 100_000
const SLOW_SHARE = 0.01
const SLOW_SECONDS = 0.05

const READ = 'SELECT id, name, price, made_at FROM items WHERE id = $1'
const SLOW = `SELECT id, name, price, made_at, pg_sleep(${SLOW_SECONDS}) FROM items WHERE id = $1`
const EITHER = 'SELECT id, name, price, made_at, pg_sleep($2) FROM items WHERE id = $1'
const TAKE = 'UPDATE items SET price = price - $2 WHERE id = $1'
const NOTE = 'INSERT INTO sales (item_id, amount) VALUES ($1, $2) RETURNING id'
const CLAIM = 'INSERT INTO names (name) VALUES ($1)'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    seconds: { type: 'string', default: '1.5' },
    connections: { type: 'string', default: '8' },
    only: { type: 'string' },
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

/** What both sides offer a load: one statement, and a connection for a transaction. */
interface Side {
  query(name: string, text: string, values: unknown[]): Promise<unknown>
  connect(): Promise<{
    query(name: string, text: string, values?: unknown[]): Promise<unknown>
    release(): void
  }>
}

/** Names that were taken by successful inserts, of both sides. */
let claimed = 0

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
  const raw: Side = {
    query: (name, text, params) => theirs.query({ name, text, values: params }),
    connect: async () => {
      const client = await theirs.connect()
      return {
        query: (name, text, params) => client.query(name ? { name, text, values: params } : text),
        release: () => client.release(),
      }
    },
  }
  const sideOf = (pool: (typeof counted)['client']): Side => {
    const query = pool.query as unknown as (text: string, values: unknown[]) => Promise<unknown>
    return {
      query: (_, text, params) => query(text, params),
      connect: async () => {
        const client = await pool.connect()
        const run = client.query as unknown as (text: string, values?: unknown[]) => Promise<unknown>
        return { query: (_, text, params) => run(text, params), release: () => client.release() }
      },
    }
  }
  const ours = sideOf(counted.client)
  // The sampler of the console reads the counters once a second.
  const sampler = setInterval(() => counted.figures(), 1_000)
  const figures: Record<string, number> = {}
  const wanted = (name: string) => !values.only || values.only.split(',').includes(name)
  const compare = async (name: string, concurrency: number, load: (side: Side) => Load): Promise<Pair[]> => {
    const pairs: Pair[] = []
    for (let round = -1; round < rounds; round++) {
      const measured = await pair(
        round,
        () => drive(concurrency, milliseconds, load(raw)),
        () => drive(concurrency, milliseconds, load(ours)),
      )
      // The first round fills caches and prepares statements.
      if (round >= 0) pairs.push(measured)
    }
    const rate = (pick: (pair: Pair) => Measured) => median(pairs.map((each) => pick(each).rate)).toFixed(0)
    const cpu = (pick: (pair: Pair) => Measured) => median(pairs.map((each) => pick(each).cpu)).toFixed(1)
    const p99 = (pick: (pair: Pair) => Measured) => median(pairs.map((each) => pick(each).p99)).toFixed(2)
    console.log(
      `${name} at ${concurrency}: pg ${rate(({ theirs: t }) => t)}/s, ${cpu(({ theirs: t }) => t)} µs CPU, p99 ${p99(({ theirs: t }) => t)} ms · holdfast ${rate(({ ours: o }) => o)}/s, ${cpu(({ ours: o }) => o)} µs CPU, p99 ${p99(({ ours: o }) => o)} ms`,
    )
    return pairs
  }
  const ratio = (pairs: Pair[], pick: (measured: Measured) => number) =>
    median(pairs.map(({ theirs: t, ours: o }) => pick(o) / pick(t)))

  if (wanted('reads')) {
    const at8 = await compare('reads', 8, reads)
    const at64 = await compare('reads', 64, reads)
    figures.reads_c8 = ratio(at8, ({ rate }) => rate)
    figures.reads_c64 = ratio(at64, ({ rate }) => rate)
    figures.reads_cpu_c8 = ratio(at8, ({ cpu }) => cpu)
    figures.reads_cpu_c64 = ratio(at64, ({ cpu }) => cpu)
  }
  if (wanted('transactions')) {
    const at = [await compare('transactions', 8, sales), await compare('transactions', 64, sales)]
    figures.transactions = Math.min(...at.map((pairs) => ratio(pairs, ({ rate }) => rate)))
  }
  if (wanted('errors')) {
    // Each side against itself: what a failing insert costs beside one that succeeds.
    const good = await compare('inserts', 64, claims(false))
    const bad = await compare('failing inserts', 64, claims(true))
    figures.errors = median(bad.map(({ ours: o }) => o.rate)) / median(good.map(({ ours: o }) => o.rate))
  }
  if (wanted('mixed')) {
    const at = [
      await compare('mixed, short ones', 8, mixed(false)),
      await compare('mixed, short ones', 64, mixed(false)),
    ]
    figures.mixed_p99 = Math.max(...at.map((pairs) => ratio(pairs, ({ p99 }) => p99)))
    const same = [
      await compare('mixed under one text, short ones', 8, mixed(true)),
      await compare('mixed under one text, short ones', 64, mixed(true)),
    ]
    console.log(
      `mixed under one text: ${same.map((pairs) => ratio(pairs, ({ p99 }) => p99).toFixed(2)).join(', ')}`,
    )
  }
  if (wanted('connection')) {
    const each = await drive(8, milliseconds * 2, async (below) => {
      const client = new Client({ connectionString: url })
      await client.connect()
      await client.query({ text: READ, values: [1 + below(ROWS)] })
      await client.end()
    })
    const pooled = await drive(8, milliseconds * 2, reads(ours))
    console.log(`a connection per query: ${each.rate.toFixed(0)}/s · holdfast ${pooled.rate.toFixed(0)}/s`)
    figures.vs_connection_per_query = pooled.rate / each.rate
  }
  if (wanted('metrics')) {
    const pairs: Pair[] = []
    const [without, withThem] = [open(false), open(true)]
    const [plain, counting] = [sideOf(without.client), sideOf(withThem.client)]
    const sampling = setInterval(() => [withThem.figures(), withThem.client.statements()], 1_000)
    for (let round = -4; round < rounds * 8; round++) {
      const measured = await pair(
        round,
        () => drive(64, milliseconds / 2, reads(plain)),
        () => drive(64, milliseconds / 2, reads(counting)),
      )
      if (round >= 0) pairs.push(measured)
    }
    clearInterval(sampling)
    await Promise.all([without.close(), withThem.close()])
    figures.metrics_cost = 1 - ratio(pairs, ({ rate }) => rate)
    console.log(`metrics: CPU ${((ratio(pairs, ({ cpu }) => cpu) - 1) * 100).toFixed(1)} % more`)
  }
  clearInterval(sampler)
  await Promise.all([counted.close(), theirs.end()])
  console.log(benchLine('database', figures))
}

async function fill(postgres: PostgresServer, database: string): Promise<void> {
  const statements = [
    `CREATE TABLE items (id int PRIMARY KEY, name text NOT NULL, price numeric NOT NULL, made_at timestamptz NOT NULL)`,
    `INSERT INTO items SELECT n, 'item ' || md5(n::text), n % 1000, now() - n * interval '1 minute' FROM generate_series(1, ${ROWS}) n`,
    `CREATE TABLE sales (id bigserial PRIMARY KEY, item_id int NOT NULL, amount int NOT NULL)`,
    `CREATE TABLE names (name text PRIMARY KEY)`,
    `INSERT INTO names VALUES ('taken')`,
    `VACUUM ANALYZE`,
  ]
  for (const statement of statements) await postgres.query(statement, [], database)
}

function reads({ query }: Side): Load {
  return async (below) => {
    await query('read', READ, [1 + below(ROWS)])
  }
}

function sales({ connect }: Side): Load {
  return async (below) => {
    const connection = await connect()
    const item = 1 + below(ROWS)
    try {
      await connection.query('', 'BEGIN')
      await connection.query('read', READ, [item])
      await connection.query('take', TAKE, [item, 1])
      await connection.query('note', NOTE, [item, 1])
      await connection.query('', 'COMMIT')
    } finally {
      connection.release()
    }
  }
}

function claims(taken: boolean) {
  return ({ query }: Side): Load =>
    async () => {
      const name = taken ? 'taken' : `name ${++claimed}`
      await query('claim', CLAIM, [name]).catch((error: { code?: string }) => {
        if (!taken || error.code !== '23505') throw error
      })
    }
}

/** 1 % of the reads take 50 ms; those are not timed. */
function mixed(oneText: boolean) {
  return ({ query }: Side): Load =>
    async (below) => {
      const item = 1 + below(ROWS)
      const slow = below(1 / SLOW_SHARE) === 0
      if (oneText) await query('either', EITHER, [item, slow ? SLOW_SECONDS : 0])
      else await query(slow ? 'slow' : 'read', slow ? SLOW : READ, [item])
      return !slow
    }
}
