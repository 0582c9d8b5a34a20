import { execFileSync } from 'node:child_process'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { type Consoles, startConsoles } from '@/e2e/consoles'
import { bearer, program } from '@/e2e/program'
import { openAccount } from '../lib/chaos/console-account'
import { startConsoleLoad } from '../lib/chaos/console-load'
import { lostIn, untilReady } from '../lib/chaos/console-scene'
import { keepStreams } from '../lib/chaos/kept-streams'
import { previousRelease } from '../lib/chaos/previous-release'
import { seeded } from '../lib/seeded'
import { withoutLimits } from '../lib/without-limits'

/**
 * The upgrade of three consoles, one after another, under load: from the previous release to this build, behind
 * haproxy. Each round begins with an empty store. Counts requests that failed at their first attempt (haproxy may have
 * sent them again), event streams that did not come back, sessions that did not survive, and writes that are absent.
 */
const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seed: { type: 'string', default: '1' },
    rate: { type: 'string', default: '10' },
  },
})
const rounds = Number(values.rounds)
const random = seeded(Number(values.seed))
const old = previousRelease()

let failed = 0
let lost = 0
for (let round = 1; round <= rounds; round++) {
  const scene = await startConsoles(3, { root: old.folder, env: withoutLimits })
  try {
    await upgrade(scene, round)
  } finally {
    await scene.stop()
  }
}
console.log(`seed=${values.seed} from=${old.version}`)
console.log(`CHAOS upgrade rounds=${rounds} failed=${failed} lost=${lost}`)
process.exit(failed + lost === 0 ? 0 : 1)

async function upgrade(scene: Consoles, round: number): Promise<void> {
  const { url, consoles } = scene
  const [first] = consoles
  if (!first) throw new Error('No console runs.')
  const { refreshToken, ...account } = await openAccount({ ...first, url: scene.at(0).url })
  const before = await schemaOf(scene)
  const load = startConsoleLoad({ url, random }, account, Number(values.rate))
  const streams = keepStreams(url, account.session, 5)
  let token = refreshToken
  for (const index of consoles.keys()) {
    await pause(1_000 + random() * 2_000)
    await replace(scene, index)
    // While both releases serve, each takes what the other has signed.
    for (const [signer, other] of [
      [index, (index + 1) % 3],
      [(index + 1) % 3, index],
    ] as const)
      token = await passOn(scene, token, signer, other)
  }
  await pause(1_000)
  await Promise.all([load.stop(), streams.stop()])
  const { tally } = load
  const others = [...streams.failed, ...(await troublesOf(scene))]
  for (const message of [...tally.messages, ...others].slice(0, 20)) console.log(`  ${message}`)
  failed += tally.again + others.length
  lost += await lostIn(scene, load)
  console.log(
    `round ${round}: reads=${tally.reads} writes=${tally.writes} sent_again=${tally.again} ` +
      `streams_reconnected=${streams.reconnected()} schema=${before}→${await schemaOf(scene)}`,
  )
}

/** Ends one console as a service manager does, and starts the present build in its place. */
async function replace(scene: Consoles, index: number): Promise<void> {
  const begun = performance.now()
  const code = await scene.consoles[index]?.stop()
  if (code !== 0) {
    failed++
    console.log(`  console ${index} ended with ${code}`)
  }
  await scene.restart(index, { root: process.cwd() })
  await untilReady(scene, index)
  console.log(`  console ${index} replaced after ${Math.round(performance.now() - begun)} ms`)
}

/** Refreshes a session at one console, uses it at another; answers the refresh token that comes next. */
async function passOn(scene: Consoles, refreshToken: string, signer: number, other: number): Promise<string> {
  const refreshed = await program(scene.at(signer)).post('/api/auth/refresh', { refreshToken })
  const { accessToken, refreshToken: next } = refreshed.body.tokens ?? {}
  const me = await program(scene.at(other)).get('/api/auth/me', bearer(String(accessToken)))
  if (refreshed.status === 200 && me.status === 200) return next
  failed++
  console.log(`  a session of console ${signer} at ${other}: ${refreshed.status}, then ${me.status}`)
  return next ?? refreshToken
}

/** How many changes of the schema the store has seen. */
async function schemaOf({ query }: Consoles): Promise<number> {
  const [row] = await query<{ count: string }>(
    'SELECT count(DISTINCT hash) FROM drizzle.__drizzle_migrations',
  )
  return Number(row?.count)
}

/** What is wrong with the audit log, and changes of the schema that were made twice. */
async function troublesOf({ env, consoles, query }: Consoles): Promise<string[]> {
  const twice = await query<{ hash: string }>(
    'SELECT hash FROM drizzle.__drizzle_migrations GROUP BY hash HAVING count(*) > 1',
  )
  const found = twice.map(({ hash }) => `the schema was changed twice by ${hash}`)
  const { PATH = '', HOME = '' } = process.env
  try {
    execFileSync(process.execPath, ['dist/cli/audit.mjs', 'verify'], {
      env: {
        ...env,
        ...{ PATH, HOME, NODE_ENV: 'production', HOLDFAST_ENV_FILE: '/dev/null' },
        HOLDFAST_DATA_DIR: consoles[0]?.dataDir,
      },
      stdio: 'pipe',
    })
    return found
  } catch (error) {
    return [...found, `the audit log: ${(error as { stdout?: Buffer }).stdout}${error}`]
  }
}
