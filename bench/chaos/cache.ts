import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { openLog } from '@/server/log'
import { FAULTS, type FaultName, makeFault } from '../lib/chaos/cache-faults'
import { openScene, type Scene } from '../lib/chaos/cache-scene'
import { seeded } from '../lib/seeded'

/**
 * Redis and a cluster fail under the load of two caches. Counts calls that threw, how long calls took meanwhile,
 * whether the caches use Redis again, and old values that came back to life.
 */
const help = `Usage: npm run chaos -- cache [--rounds 30] [--seed N] [--ops 1500] [--place single|cluster] [--fault NAME] [--states]
  --fault   one of ${FAULTS.join(', ')}; a random one each round without it
  --states  also prints every change of state with its reason`

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '30' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    ops: { type: 'string', default: '1500' },
    place: { type: 'string' },
    fault: { type: 'string' },
    states: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  console.log(help)
  process.exit(0)
}
const PLACES = ['single', 'cluster'] as const
/** Milliseconds after the end of a fault within which Redis must be used again. */
const RECOVERY = 15_000
/** Of rounds, in which one of the caches is restarted during the fault. */
const RESTARTS = 0.25

const rounds = Number(values.rounds)
const seed = Number(values.seed)
// The load's own numbers: how many calls there are depends on the machine, and faults must not.
const [random, loadRandom] = [seeded(seed), seeded(seed + 1)]
const log = openLog('error')
console.log(`seed=${seed}`)

// Both caches and the load share this process: a call that took longer than that did not wait for Redis.
const stalls = monitorEventLoopDelay({ resolution: 10 })
stalls.enable()
const scenes = new Map<string, Scene>()
const outcomes: { recovered: boolean; resurrected: number }[] = []
try {
  for (let round = 1; round <= rounds; round++) {
    const name = chosen(PLACES, values.place)
    const fault = chosen(FAULTS, values.fault)
    const scene =
      scenes.get(name) ??
      (await openScene({ log, random: loadRandom }, { name, perSecond: Number(values.ops) }))
    scenes.set(name, scene)
    outcomes.push(await play(round, scene, fault))
  }
} finally {
  await Promise.all([...scenes.values()].map((scene) => scene.close()))
}

const tallies = [...scenes.values()].map(({ load }) => load.tally)
const times = tallies.flatMap(({ downTimes }) => downTimes)
const all = times.flat()
const p99 = quantile(all, 0.99)
const thrown = tallies.reduce((total, tally) => total + tally.thrown, 0)
const recovered = outcomes.filter((outcome) => outcome.recovered).length
const resurrected = outcomes.reduce((total, outcome) => total + outcome.resurrected, 0)
for (const message of tallies.flatMap(({ messages }) => [...messages])) console.log(`thrown: ${message}`)
const worst = Math.max(...times.map((round) => quantile(round, 0.99)))
console.log(
  `seed=${seed} during faults: calls=${all.length} longest_ms=${quantile(all, 1).toFixed(1)} p99_ms of the worst round=${worst.toFixed(1)}`,
)
console.log(
  `CHAOS cache rounds=${rounds} thrown=${thrown} p99_ms=${p99.toFixed(1)} recovered=${recovered} resurrected=${resurrected}`,
)
process.exit(thrown === 0 && p99 <= 50 && recovered === rounds && resurrected === 0 ? 0 : 1)

async function play(round: number, scene: Scene, name: FaultName) {
  const { place, load } = scene
  await place.settled()
  await scene.recovered(RECOVERY)
  load.resume()
  const fault = await makeFault(random, place, name)
  const [warmUp, restarts, restarted] = [400 + random() * 800, random() < RESTARTS, random() < 0.5 ? 0 : 1]
  await pause(warmUp)
  scene.changes()

  stalls.reset()
  load.down()
  await fault.begin()
  await pause(fault.lasts / 2)
  if (restarts) await scene.restartCache(restarted)
  await pause(fault.lasts / 2)
  await fault.end()
  load.up()
  const stall = Math.round(stalls.max / 1e6)

  const backMs = await scene.recovered(RECOVERY)
  await load.quiet()
  // News of the last changes are on their way to the other cache.
  await pause(100)
  const old = new Set(await scene.check())
  // A failover may come after the recovery.
  await place.settled()
  for (const each of await scene.check()) old.add(each)

  const changes = scene.changes()
  const back = backMs === undefined ? 'NOT back' : `back after ${Math.round(backMs)} ms`
  const also = restarts ? ', a console restarted' : ''
  console.log(
    `round ${round}: ${fault.text} for ${Math.round(fault.lasts)} ms${also}: ${back}, calls p99 ${quantile(load.tally.downTimes.at(-1) ?? [], 0.99).toFixed(1)} ms while this process stood still for ${stall} ms at most, ${old.size} old values, ${changes.length} changes of state`,
  )
  if (values.states) for (const { to, reason } of changes) console.log(`  ${to}: ${reason ?? 'well'}`)
  for (const each of [...old].slice(0, 5)) console.log(`  ${each}`)
  return { recovered: backMs !== undefined, resurrected: old.size }
}

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}

function chosen<T extends string>(all: readonly T[], wanted: string | undefined): T {
  if (wanted === undefined) return all[Math.floor(random() * all.length)] as T
  const found = all.find((each) => each === wanted)
  if (!found) throw new Error(`No such thing: ${wanted}. There are ${all.join(', ')}.`)
  return found
}
