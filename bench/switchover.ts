import { parseArgs } from 'node:util'
import { startPostgres } from '@/db/testing/servers'
import { startConsole } from '@/e2e/server'
import { quantile } from './lib/load'
import { benchLine } from './lib/measure'
import { openAdmin } from './lib/switchover/admin'
import { startWriters } from './lib/switchover/writers'
import { withoutLimits } from './lib/without-limits'

/**
 * What a move of the console's own store costs those who write to it. The built console stands on SQLite, with a
 * PostgreSQL server as target; 20 clients make 200 writes a second through the API: each adds a connection, which is
 * one row and one audit event. Meanwhile the copied store is switched over and switched back. At the end the console
 * is started anew, and every acknowledged write is looked for in it. `failed` counts answers other than 200, `lost`
 * what was acknowledged and is not there, `longest_ms` is the longest that a write took from the switchover's request
 * on until the end.
 */
const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    rate: { type: 'string', default: '200' },
    clients: { type: 'string', default: '20' },
    seconds: { type: 'string', default: '5' },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  console.log('Usage: npm run bench -- switchover [--rounds 3] [--rate 200] [--clients 20] [--seconds 5]')
  process.exit(0)
}

const rate = Number(values.rate)
const clients = Number(values.clients)
const ms = Number(values.seconds) * 1000
const wait = () => new Promise((resolve) => setTimeout(resolve, ms))

const total = { failed: 0, lost: 0, longest_ms: 0, writes: 0 }
for (let round = 1; round <= Number(values.rounds); round++) await bench(round)
const { writes, ...figures } = total
console.log(`${writes} writes in all`)
if (total.failed > 0 || total.lost > 0 || total.longest_ms > 1_000) process.exitCode = 1
console.log(benchLine('switchover', figures))

async function bench(round: number): Promise<void> {
  // A write is acknowledged when it is on the disk, as in service.
  const postgres = await startPostgres({ settings: { fsync: 'on' } })
  const { host, port, user, password } = postgres
  const { database } = await postgres.createDatabase()
  const env = {
    ...{ DB_HOST: host, DB_PORT: String(port), DB_NAME: database, DB_USER: user, DB_PASSWORD: password },
    ...withoutLimits,
    TWO_FA_WINDOW: '10',
  }
  let server = await startConsole({ root: process.cwd(), env })
  try {
    const admin = await openAdmin(server)
    const key = await admin.createKey()
    const run = await admin.copyStore()
    const writers = startWriters(server.url, { key, rate, clients })
    await wait()
    const from = performance.now()
    const over = await admin.move('switchOver', run)
    await wait()
    const back = await admin.move('switchBack', run)
    await wait()
    const { acknowledged, failures, taken } = await writers.stop()
    const times = taken.filter(({ at }) => at >= from).map(({ took }) => took)
    await server.stop({ keep: true })
    server = await startConsole({ root: process.cwd(), env, dataDir: server.dataDir, port: server.port })
    const kept = await admin.connectionNames()
    const lost = acknowledged.filter((name) => !kept.has(name)).length
    for (const failure of failures.slice(0, 3)) console.log(`failed: ${failure}`)
    const longest = Math.max(...times)
    console.log(
      `round ${round}: ${acknowledged.length} writes, p50 ${quantile(times, 0.5).toFixed(1)} ms, p99 ${quantile(times, 0.99).toFixed(1)} ms, longest ${longest.toFixed(0)} ms; ` +
        `held for ${over.pauseMilliseconds} ms (${over.rowsBroughtOver} rows) and ${back.pauseMilliseconds} ms (${back.rowsBroughtOver} rows back)`,
    )
    total.writes += acknowledged.length
    total.failed += failures.length
    total.lost += lost
    total.longest_ms = Math.max(total.longest_ms, Math.round(longest))
  } finally {
    await server.stop({ keep: false })
    await postgres.stop()
  }
}
