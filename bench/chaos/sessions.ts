import { parseArgs } from 'node:util'
import { systemClock } from '@/server/clock'
import { openLog } from '@/server/log'
import { openSecurity } from '@/server/security'
import { browser, openAccounts, testVault } from '@/server/security/testing/accounts'
import { chaosAuditKey, openSqliteStore, startPostgresStore } from '@/server/security/testing/chaos-stores'
import { openSessionNow, refresherConfig, startRefreshers } from '@/server/security/testing/refreshers'
import { soleSuccessor } from '@/server/security/testing/refreshing'
import { seeded, shuffled } from '../lib/seeded'

type Store = Awaited<ReturnType<typeof openSqliteStore>>['store']

/**
 * Parallel refreshes of one token, round after round: over three processes on PostgreSQL, and in one on SQLite.
 * A round is lost when its answers bring more than one successor, or the store holds another number than one.
 */
const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '50' }, seed: { type: 'string', default: '1' } },
})
const rounds = Number(values.rounds)
const random = seeded(Number(values.seed))
const parallels = [2, 10, 50]

type Refresh = (token: string, parallel: number) => Promise<(string | null | undefined)[]>

const lost = (await onPostgres()) + (await onSqlite())
const all = rounds * parallels.length * 2
console.log(`CHAOS sessions rounds=${all} lost=${lost} seed=${values.seed}`)
process.exit(lost === 0 ? 0 : 1)

async function onPostgres(): Promise<number> {
  const { store, url, close } = await startPostgresStore()
  const refreshers = await startRefreshers(url, chaosAuditKey, 3)
  try {
    return await play('three processes on PostgreSQL', store, refreshers.refresh)
  } finally {
    await refreshers.close()
    await close()
  }
}

async function onSqlite(): Promise<number> {
  const { store, close } = await openSqliteStore()
  const deps = { store, vault: testVault, clock: systemClock, log: openLog('error') }
  const { sessions } = openSecurity(deps, refresherConfig)
  try {
    return await play('one process on SQLite', store, async (token, parallel) => {
      const answers = Array.from({ length: parallel }, () => sessions.refresh(token, browser()))
      return (await Promise.all(answers)).map((answer) => answer.refreshToken)
    })
  } finally {
    await close()
  }
}

/** Each round refreshes one of ten sessions, in an order that the seed gives. Answers how many were lost. */
async function play(where: string, store: Store, refresh: Refresh): Promise<number> {
  const { userId } = await openAccounts(store)
  const sessions = []
  for (let number = 0; number < 10; number++) sessions.push(await openSessionNow(store, userId))
  const order = shuffled(
    parallels.flatMap((parallel) => Array.from({ length: rounds }, () => parallel)),
    random,
  )
  const started = performance.now()
  let lost = 0
  for (const [round, parallel] of order.entries()) {
    const session = sessions[Math.floor(random() * sessions.length)]
    if (!session) continue
    try {
      const answers = await refresh(session.refreshToken, parallel)
      session.refreshToken = await soleSuccessor(store, session.sessionId, answers)
    } catch (error) {
      lost++
      console.log(`${where}: round ${round + 1}, ${parallel} at once: ${error}`)
      Object.assign(session, await openSessionNow(store, userId))
    }
  }
  const took = ((performance.now() - started) / 1000).toFixed(1)
  console.log(
    `${where}: ${order.length} rounds of ${parallels.join(', ')} at once in ${took} s, ${lost} lost`,
  )
  return lost
}
