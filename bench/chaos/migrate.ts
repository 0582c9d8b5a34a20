import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { startPostgres } from '@/db/testing/servers'
import { servePart } from '../lib/chaos/migrate-roles'
import { type Outcome, playRound } from '../lib/chaos/migrate-round'

/**
 * Migrations whose worker, driving process, connections and server are killed at random moments while the source is
 * written to. Counts rows that are missing or wrong in the target, rows that are there too often, and runs without
 * an end. A round's file, writes and faults are given by its seed.
 */
const help = `Usage: npm run chaos -- migrate [--rounds 20] [--seed 1]`

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' },
    /** This process serves a round: its parent says as what. */
    part: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
if (values.part) servePart()
else if (values.help) console.log(help)
else process.exitCode = await play(Number(values.rounds), Number(values.seed))

async function play(rounds: number, seed: number): Promise<number> {
  const self = fileURLToPath(import.meta.url)
  const worker = join(dirname(self), '..', 'migration-worker.mjs')
  const server = await startPostgres()
  const outcomes: Outcome[] = []
  try {
    for (let round = 1; round <= rounds; round++) {
      // In every second round, since a load may be over before the postmaster is killed.
      const outcome = await playRound({ server, self, worker }, seed * 10_000 + round, round % 2 === 1)
      outcomes.push(outcome)
      const { faults, rows, rejected, writes, lost, doubled, killedInLoad, milliseconds, wrong } = outcome
      console.log(
        `round ${round}: killed ${faults.join(', ') || 'nothing'}${killedInLoad ? ' in the load' : ''}; ${rows} rows after ${writes} writes, ${rejected} rejected, ${lost} lost, ${doubled} doubled; ${(milliseconds / 1000).toFixed(1)} s${wrong ? `; ended with ${wrong}` : ''}`,
      )
    }
  } finally {
    await server.stop()
  }
  const sum = (of: (outcome: Outcome) => number) =>
    outcomes.reduce((total, outcome) => total + of(outcome), 0)
  const [lost, doubled, stuck] = [
    sum((one) => one.lost),
    sum((one) => one.doubled),
    sum((one) => Number(one.stuck)),
  ]
  const kills = sum(({ faults }) => faults.length)
  console.log(
    `seed=${seed} kills=${kills} rounds with the postmaster killed in the load=${sum((one) => Number(one.killedInLoad))} rows compared=${sum((one) => one.rows)} in ${Math.round(sum((one) => one.milliseconds) / 1000)} s`,
  )
  console.log(`CHAOS migrate rounds=${rounds} lost=${lost} doubled=${doubled} stuck=${stuck}`)
  return lost + doubled + stuck === 0 ? 0 : 1
}
