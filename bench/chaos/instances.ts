import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { type Receiver, startReceiver } from '@/db/testing/receivers'
import { type Consoles, startConsoles } from '@/e2e/consoles'
import { openAccount } from '../lib/chaos/console-account'
import { type ConsoleLoad, startConsoleLoad } from '../lib/chaos/console-load'
import { lostIn, untilReady } from '../lib/chaos/console-scene'
import { seeded } from '../lib/seeded'
import { withoutLimits } from '../lib/without-limits'

/**
 * Three consoles on one PostgreSQL and Redis behind haproxy, under load. Each round one of them is killed, stopped
 * and woken again, or told to end. Counts requests that failed twice, acknowledged writes that are absent, and
 * writes and alerts that are there twice.
 */
const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' },
    rate: { type: 'string', default: '100' },
  },
})
const rounds = Number(values.rounds)
const random = seeded(Number(values.seed))
const faults = ['SIGKILL', 'SIGSTOP', 'SIGTERM'] as const

const receiver = await startReceiver()
const scene = await startConsoles(3, {
  root: process.cwd(),
  env: { ...withoutLimits, OUTBOUND_ALLOW: '127.0.0.1' },
})
let bad = 1
try {
  bad = await play(scene, receiver)
} finally {
  await scene.stop()
  await receiver.close()
}
process.exit(bad === 0 ? 0 : 1)

async function play(scene: Consoles, receiver: Receiver): Promise<number> {
  const { url, consoles } = scene
  const [first] = consoles
  if (!first) throw new Error('No console runs.')
  const account = await openAccount({ ...first, url: scene.at(0).url }, `${receiver.url}/hook`)
  const load = startConsoleLoad({ url, random }, account, Number(values.rate))
  await pause(1_000)
  // Each fault comes in turn, so that a short run meets all that it can; whom it meets, and when, is chance.
  const offset = Math.floor(random() * faults.length)
  for (let round = 1; round <= rounds; round++) {
    await fail(scene, load, round, faults[(round + offset) % faults.length] as (typeof faults)[number])
  }
  await load.stop()
  const doubled = await doubledIn(scene, receiver)
  const lost = await lostIn(scene, load)
  const { tally } = load
  for (const message of tally.messages.slice(0, 20)) console.log(`  ${message}`)
  console.log(
    `seed=${values.seed} reads=${tally.reads} writes=${tally.writes} sent_again=${tally.again} alerts=${receiver.received.length}`,
  )
  console.log(`CHAOS instances rounds=${rounds} failed=${tally.failed} lost=${lost} doubled=${doubled}`)
  return tally.failed + lost + doubled
}

async function fail(
  scene: Consoles,
  load: ConsoleLoad,
  round: number,
  fault: (typeof faults)[number],
): Promise<void> {
  const victim = Math.floor(random() * scene.consoles.length)
  const running = scene.consoles[victim]
  if (!running) throw new Error('No console runs.')
  load.attack(`victim-${round}`, `203.0.113.${round}`)
  await pause(500 + random() * 1_500)
  const begun = performance.now()
  process.kill(running.pid, fault)
  if (fault === 'SIGSTOP') {
    await pause(5_000 + random() * 5_000)
    process.kill(running.pid, 'SIGCONT')
  } else {
    const code = await running.stop()
    if (fault === 'SIGTERM' && code !== 0) console.log(`  ended with ${code}: ${lastLine(running.output())}`)
    await scene.restart(victim)
  }
  await untilReady(scene, victim)
  console.log(
    `round ${round}: ${fault} at console ${victim}, ready again after ${Math.round(performance.now() - begun)} ms`,
  )
}

function lastLine(text: string): string | undefined {
  return text.trimEnd().split('\n').at(-1)
}

/** Writes that are there more than once, and findings that were told more than once. */
async function doubledIn({ query }: Consoles, receiver: Receiver): Promise<number> {
  await told(query)
  const twice = await query<{ name: string }>(`
    SELECT actor AS name FROM audit_events WHERE source = 'shop' AND actor LIKE 'w%' GROUP BY actor HAVING count(*) > 1
    UNION ALL
    SELECT actor FROM audit_events WHERE source = 'shop' AND actor LIKE 'victim-%' GROUP BY actor HAVING count(*) > 12
    UNION ALL
    SELECT network FROM blocks GROUP BY network HAVING count(*) > 1
    UNION ALL
    SELECT finding_id FROM alerts WHERE finding_id IS NOT NULL GROUP BY finding_id HAVING count(*) > 1`)
  // A message that was sent and whose sender was killed comes again under the same id: receivers tell it by that.
  const byAlert = new Map<string, Set<string>>()
  for (const { headers, body } of receiver.received) {
    const alert = String(JSON.parse(body).data.id)
    byAlert.set(alert, (byAlert.get(alert) ?? new Set()).add(String(headers['webhook-id'])))
  }
  const again = [...byAlert].filter(([, ids]) => ids.size > 1)
  for (const { name } of twice.slice(0, 5)) console.log(`  doubled: ${name}`)
  return twice.length + again.length
}

/** Waits until every finding of the attacks was told. */
async function told(query: Consoles['query']): Promise<void> {
  for (const until = performance.now() + 30_000; performance.now() < until; await pause(200)) {
    const open = await query(`SELECT 1 FROM alert_deliveries WHERE state = 'pending'`)
    const [found] = await query<{ count: string }>(`SELECT count(*) FROM findings WHERE rule = 'brute-force'`)
    if (open.length === 0 && Number(found?.count) >= rounds) return
  }
  throw new Error('The attacks of the rounds were not found, or not told, within 30 s.')
}
