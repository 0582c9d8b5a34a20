import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { openLog } from '@/server/log'
import { type Load, startLoad, TABLE } from '../lib/chaos/load'
import { type Pair, plainPair } from '../lib/chaos/pair'
import { hasPatroni, patroniPair } from '../lib/chaos/patroni'
import { seeded } from '../lib/seeded'

/**
 * The primary is killed under load and its synchronous replica promoted; then the old primary comes back. Counts
 * acknowledged writes that are gone, reads that did not show their session's writes, and reads that failed.
 */
const help = `Usage: npm run chaos -- database [--rounds 20] [--seed 1] [--ops 300] [--patroni]
  --patroni  every round is a failover by Patroni; without it the last one is, where Debian's patroni and etcd are`

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' },
    ops: { type: 'string', default: '300' },
    patroni: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  console.log(help)
  process.exit(0)
}
if (values.patroni && !hasPatroni()) {
  console.error('Patroni is not installed: apt-get install patroni etcd-server python3-etcd')
  process.exit(1)
}
const rounds = Number(values.rounds)
const random = seeded(Number(values.seed))

interface Outcome {
  lost: number
  wrongReads: number
  reads: number
  readErrors: number
  writesBackMs: number
  /** Writes that were begun after the promotion and are on the old primary: there must be none. */
  strayed: number
}

const outcomes: Outcome[] = []
for (let round = 1; round <= rounds; round++) {
  const byPatroni = values.patroni || (rounds >= 20 && round === rounds && hasPatroni())
  outcomes.push(await play(round, byPatroni))
}
const sum = (of: keyof Outcome) => outcomes.reduce((total, outcome) => total + outcome[of], 0)
const worst = Math.max(...outcomes.map(({ writesBackMs }) => writesBackMs))
const readErrors = sum('readErrors') / Math.max(1, sum('reads'))
const good =
  sum('lost') === 0 &&
  sum('wrongReads') === 0 &&
  sum('strayed') === 0 &&
  readErrors <= 0.001 &&
  worst <= 3_000
console.log(`seed=${values.seed} written to an old primary=${sum('strayed')}`)
console.log(
  `CHAOS database rounds=${rounds} lost=${sum('lost')} wrong_reads=${sum('wrongReads')} read_errors=${share(readErrors)} writes_back_ms=${Math.round(worst)}`,
)
process.exit(good ? 0 : 1)

async function play(round: number, byPatroni: boolean): Promise<Outcome> {
  const pair = byPatroni ? await patroniPair() : await plainPair()
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-chaos-'))
  let load: Load | undefined
  try {
    await pair.ask(0, TABLE)
    load = startLoad(
      { log: openLog('error'), random },
      {
        places: pair.places,
        perSecond: Number(values.ops),
        fenceFiles: ['one.json', 'two.json'].map((name) => join(folder, name)),
      },
    )
    return await fail(round, byPatroni, pair, load)
  } finally {
    await load?.close()
    await pair.stop()
    rmSync(folder, { recursive: true })
  }
}

async function fail(round: number, byPatroni: boolean, pair: Pair, load: Load): Promise<Outcome> {
  await load.firstWriteAfter(0, 30_000)
  await pause(500 + random() * 1_000)
  await pair.kill()
  await pause(random() * 500)
  await pair.promote()
  const promotedAt = performance.now()
  load.promoted()
  const writesBackMs = (await load.firstWriteAfter(promotedAt, 60_000)) - promotedAt
  await pause(300 + random() * 500)
  await pair.comeBack()
  await pause(1_500)
  await load.stop()

  const now = await keysAt(pair, 1)
  const old = byPatroni ? new Set<string>() : await keysAt(pair, 0)
  const { tally, acknowledged, begunAfter } = load
  const outcome = {
    lost: [...acknowledged].filter((key) => !now.has(key)).length,
    strayed: [...begunAfter].filter((key) => old.has(key)).length,
    ...tally,
    writesBackMs,
  }
  console.log(
    `round ${round}${byPatroni ? ' by Patroni' : ''}: ${tally.writes} writes acknowledged, ${outcome.lost} lost, ${tally.writeErrors} refused or unknown; ${tally.reads} reads, ${tally.wrongReads} wrong, ${tally.readErrors} failed; writes back after ${Math.round(writesBackMs)} ms; ${outcome.strayed} on the old primary`,
  )
  for (const message of tally.messages) console.log(`  ${message}`)
  return outcome
}

async function keysAt(pair: Pair, at: 0 | 1): Promise<Set<string>> {
  const rows = await pair.ask<{ key: string }>(at, `SELECT session || ':' || n AS key FROM writes`)
  return new Set(rows.map(({ key }) => key))
}

function share(value: number): string {
  return value === 0 ? '0' : value.toFixed(5)
}
