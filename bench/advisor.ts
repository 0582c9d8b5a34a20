import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { Client } from 'pg'
import { type PostgresServer, startPostgres } from '@/db/testing/servers'
import {
  type Advised,
  adviseIndexes,
  describeIndex,
  type IndexAdvice,
  type IndexShape,
} from '@/server/database'
import { applyAll, applyAndMeasure, type Before, timeAll } from './lib/advisor-apply'
import { loadShop, ROWS, SERVER } from './lib/advisor-data'
import { proveLabels } from './lib/advisor-prove'
import { type Labelled, STATEMENTS } from './lib/advisor-statements'
import { benchLine, seconds } from './lib/measure'

/**
 * Asks the advisor about every labelled statement, by statistics and, where the server has it, by HypoPG; then does
 * what it says, measures, and takes it back. `agreed` is the lower of the two shares.
 */
const help = `Usage: npm run bench -- advisor [--prove-labels]

  --prove-labels   times every label instead: a right index gives 2×, and beside a 'none' no index gives 1.3×`

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
  const none = STATEMENTS.filter(({ right }) => right.length === 0).length
  console.log(`${STATEMENTS.length} statements, of ${none} no index is right`)
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    if (values['prove-labels']) {
      if ((await proveLabels(client)) > 0) process.exitCode = 1
    } else await adviseAndApply(client)
  } finally {
    await client.end()
  }
}

async function adviseAndApply(client: Client): Promise<void> {
  const before = await timeAll(client)
  const shares: number[] = []
  const advice = new Map<string, IndexAdvice>()
  const sets: IndexAdvice[][] = []
  const known = await client.query("SELECT 1 FROM pg_available_extensions WHERE name = 'hypopg'")
  if (known.rows.length > 0) await client.query('CREATE EXTENSION hypopg')
  else console.log('HypoPG is not installed: by statistics alone')
  for (const method of known.rows.length > 0
    ? (['hypopg', 'statistics'] as const)
    : (['statistics'] as const)) {
    const started = performance.now()
    const advised = await adviseIndexes(
      client,
      statementsFor(before),
      method === 'statistics' ? { method } : {},
    )
    const agreed = STATEMENTS.filter((statement, at) => agrees(statement, advised, at)).length
    shares.push(agreed / STATEMENTS.length)
    sets.push(advised.advice)
    for (const each of advised.advice) advice.set(each.ddl, each)
    console.log(
      `by ${advised.method}: ${agreed} of ${STATEMENTS.length} agreed, ${advised.advice.length} indexes advised, in ${seconds(performance.now() - started)}`,
    )
  }
  if (known.rows.length > 0) await client.query('DROP EXTENSION hypopg')
  const harmed: string[] = []
  const written = new Map<string, { rows: number[]; bulk: number }>()
  for (const each of advice.values()) harmed.push(...(await applyAndMeasure(client, each, before, written)))
  for (const set of sets) harmed.push(...(await applyAll(client, set, before)))
  for (const line of harmed) console.log(`HARM ${line}`)
  console.log(
    benchLine('advisor', {
      statements: STATEMENTS.length,
      agreed: Math.floor(Math.min(...shares) * 100) / 100,
      harmful: harmed.length,
    }),
  )
}

/** What the advisor is told: the text, how often it is called, and what that took, but no values. */
function statementsFor(before: Before) {
  return STATEMENTS.map(({ name, text, calls, values: sets }) => ({
    text,
    calls,
    totalMilliseconds: ((before.get(name)?.time ?? 0) / sets.length) * calls,
  }))
}

/** Whether the verdict is the label; columns that an index only carries along are the advisor's own affair. */
function agrees({ name, right }: Labelled, { method, verdicts }: Advised, at: number): boolean {
  const verdict = verdicts[at]
  const index: IndexShape | null = verdict?.index ?? null
  const said = index ? [describeIndex(index), describeIndex({ ...index, include: [] })] : []
  const same = right.length === 0 ? index === null : said.some((each) => right.includes(each))
  if (!same)
    console.log(
      `DISAGREED by ${method}: ${name}: ${said[0] ?? `none, ${verdict?.because}`}; right is ${right[0] ?? 'none'}`,
    )
  return same
}
