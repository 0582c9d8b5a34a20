import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { Client } from 'pg'
import { type PostgresServer, startPostgres } from '@/db/testing/servers'
import { type Agreement, askAdvisor } from './lib/advisor/agree'
import { DESK } from './lib/advisor/desk'
import { type Harm, measureHarm } from './lib/advisor/harm'
import { proveLabels } from './lib/advisor/prove'
import { SHOP } from './lib/advisor/shop'
import { loadWork, SERVER, type Work } from './lib/advisor/work'
import { benchLine, seconds } from './lib/measure'

/**
 * Labelled statements of two applications, of which one was never used to tune the advisor: proves the labels by
 * timing, asks the advisor, by HypoPG where the server has it and by statistics, then does what it says on a copy
 * and measures what that slows. `agreed` is the lowest share of any set by any method; `harmful` counts what a single
 * piece of advice slows by more than a tenth; `together` what all at once slow so, of how much, and at most how much.
 */
const help = `Usage: npm run bench -- advisor [--work shop,desk] [--part labels,advice,harm]

  labels   times every label: a right index gives 2×, and beside a 'none' no index of one or two columns gives 1.3×
  advice   asks the advisor and counts where it says what the label says
  harm     applies the advice to a copy, piece by piece and then all, and measures statements and writes beside the
           original, in turn; what a piece seems to slow is measured again, with and without its index`

const PARTS = ['labels', 'advice', 'harm']
const WORKS = [SHOP, DESK]

const { values } = parseArgs({
  options: {
    work: { type: 'string', default: WORKS.map(({ name }) => name).join(',') },
    part: { type: 'string', default: PARTS.join(',') },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  console.log(help)
  process.exit(0)
}
const wanted = (part: string): boolean => values.part.split(',').includes(part)
const works = WORKS.filter(({ name }) => values.work.split(',').includes(name))

const started = performance.now()
const server = await startPostgres({ settings: SERVER })
try {
  await bench(server)
} finally {
  await server.stop()
}

async function bench(postgres: PostgresServer): Promise<void> {
  const settings = Object.entries(SERVER).map(([key, value]) => `${key}=${value}`)
  console.log(`PostgreSQL ${postgres.version}: ${settings.join(' ')}`)
  console.log(`${availableParallelism()} cores, Node ${process.versions.node}`)
  let wrong = 0
  const shares: number[] = []
  const harms: Harm[] = []
  for (const work of works) {
    const done = await benchWork(postgres, work)
    wrong += done.wrong
    shares.push(...done.agreements.map(({ agreed }) => agreed / work.statements.length))
    if (done.harm) harms.push(done.harm)
  }
  const harmed = harms.flatMap((harm) => harm.harmed)
  const together = harms.map((harm) => harm.together)
  for (const line of harmed) console.log(`HARM ${line}`)
  const statements = works.reduce((sum, work) => sum + work.statements.length, 0)
  // Never rounded up to the bar.
  const agreed = Math.floor(Math.min(...shares) * 100) / 100
  const figures = {
    statements,
    ...(wanted('advice') && { agreed }),
    ...(wanted('harm') && {
      harmful: harmed.length,
      together: together.reduce((sum, { slower }) => sum + slower, 0),
      together_of: together.reduce((sum, { of }) => sum + of, 0),
      together_worst: Math.max(...together.map(({ worst }) => worst)),
    }),
  }
  console.log(`${wrong} labels are refuted; all took ${seconds(performance.now() - started)}`)
  if (wrong > 0 || harmed.length > 0 || agreed < 0.95) process.exitCode = 1
  console.log(benchLine('advisor', figures))
}

async function benchWork(postgres: PostgresServer, work: Work) {
  const clock = stopwatch()
  const url = await loadWork(postgres, work)
  const none = work.statements.filter(({ right }) => right.length === 0).length
  console.log(
    `${work.name}: rows ${JSON.stringify(work.rows)}, loaded in ${clock()}; ${work.statements.length} statements, of ${none} no index is right`,
  )
  const client = new Client({ connectionString: url })
  await client.connect()
  let wrong = 0
  let agreements: Agreement[] = []
  try {
    if (wanted('labels')) {
      wrong = await proveLabels(client, work.statements)
      console.log(`${work.name}: labels timed in ${clock()}, ${wrong} refuted`)
    }
    if (wanted('advice') || wanted('harm')) {
      agreements = await askAdvisor(client, work.statements)
      for (const { method, agreed, advice } of agreements) {
        console.log(
          `${work.name} by ${method}: ${agreed} of ${work.statements.length} agreed, ${advice.length} indexes advised`,
        )
      }
      console.log(`${work.name}: advised in ${clock()}`)
    }
  } finally {
    await client.end()
  }
  const sets = agreements.map(({ advice }) => advice)
  const harm = wanted('harm') ? await measureHarm(postgres, work, url, sets) : undefined
  if (wanted('harm')) console.log(`${work.name}: applied and measured in ${clock()}`)
  return { wrong, agreements, harm }
}

/** Says how long it was since it was asked last. */
function stopwatch(): () => string {
  let from = performance.now()
  return () => {
    const now = performance.now()
    const told = seconds(now - from)
    from = now
    return told
  }
}
