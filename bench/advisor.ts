import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { Client } from 'pg'
import { type PostgresServer, startPostgres } from '@/db/testing/servers'
import { loadShop, ROWS, SERVER } from './lib/advisor-data'
import { proveLabels } from './lib/advisor-prove'
import { seconds } from './lib/measure'

const help = `Usage: npm run bench -- advisor [--prove-labels]`

const { values } = parseArgs({
  options: {
    'prove-labels': { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  console.log(help)
  process.exit(0)
}

const server = await startPostgres({ settings: SERVER })
try {
  await bench(server)
} finally {
  await server.stop()
}

async function bench(postgres: PostgresServer): Promise<void> {
  console.log(
    `PostgreSQL ${postgres.version}: ${Object.entries(SERVER)
      .map(([key, value]) => `${key}=${value}`)
      .join(' ')}`,
  )
  console.log(`${availableParallelism()} cores, Node ${process.versions.node}`)
  const started = performance.now()
  const url = await loadShop(postgres)
  console.log(`rows ${JSON.stringify(ROWS)}, loaded in ${seconds(performance.now() - started)}`)
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    if ((await proveLabels(client)) > 0) process.exitCode = 1
  } finally {
    await client.end()
  }
}
