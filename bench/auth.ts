import { parseArgs } from 'node:util'
import { credentials } from '@/e2e/admin'
import { setUpByProgram } from '@/e2e/program'
import { type RunningConsole, startConsole } from '@/e2e/server'
import { load, openClient, quantile } from './lib/load'
import { benchLine, median } from './lib/measure'
import { measureVerification } from './lib/verification'
import { createViewer, viewer } from './lib/viewer'
import { withoutLimits } from './lib/without-limits'

/**
 * What authentication costs. The built console on SQLite serves two queries that each read the store once by key:
 * `auth.me`, for which it verifies a token, reads session, user and policy, and checks a permission; and
 * `auth.setUpState`, which anybody may ask and which checks nothing. They are asked in turn over the same
 * connections, the first with the tokens of 100 sessions one after the other.
 */
const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '7' },
    seconds: { type: 'string', default: '3' },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  console.log('Usage: npm run bench -- auth [--runs 7] [--seconds 3]')
  process.exit(0)
}

const runs = Number(values.runs)
const ms = Number(values.seconds) * 1000
const sessions = 100
const asking = 16
const signingIn = 20

const server = await startConsole({
  root: process.cwd(),
  env: { ...withoutLimits, MAX_SESSIONS_PER_USER: String(sessions + 20), MAX_LOGIN_ATTEMPTS: '1000' },
})
try {
  await bench(server)
} finally {
  await server.stop()
}

async function bench(console_: RunningConsole): Promise<void> {
  await setUpByProgram(console_)
  await createViewer(console_)
  const client = openClient(console_.url)
  const signIn = async (user: typeof credentials) => {
    const text = await client.send({ method: 'POST', path: '/api/trpc/auth.signIn', body: user })
    return JSON.parse(text).result.data.tokens.accessToken as string
  }
  const tokens: string[] = []
  for (let number = 0; number < sessions; number++) tokens.push(await signIn(credentials))
  const me = (number: number) =>
    client.send({
      ...{ method: 'GET', path: '/api/trpc/auth.me' },
      headers: { authorization: `Bearer ${tokens[number % sessions]}` },
    })
  const open = () => client.send({ method: 'GET', path: '/api/trpc/auth.setUpState' })

  console.log(`${sessions} sessions; ${asking} connections; ${runs} runs of ${ms / 1000} s each, in turn`)
  await load(me, { clients: asking, ms })
  await load(open, { clients: asking, ms })
  const guarded: number[] = []
  const cpu: { verify: number; seen: number }[] = []
  for (let run = 1; run <= runs; run++) {
    // Whoever goes second has the warmer caches: they take turns at that too.
    const order = run % 2 ? [me, open] : [open, me]
    const rates = new Map<unknown, number>()
    for (const call of order)
      rates.set(call, (await load(call, { clients: asking, ms })).length / (ms / 1000))
    const [withToken = 0, without = 1] = [rates.get(me), rates.get(open)]
    guarded.push(withToken / without)
    const verification = await measureVerification()
    cpu.push(verification)
    console.log(
      `run ${run}: auth.me ${withToken.toFixed(0)}/s, auth.setUpState ${without.toFixed(0)}/s; ` +
        `verify ${verification.verify.toFixed(1)} µs, seen ${verification.seen.toFixed(1)} µs`,
    )
  }

  console.log(`${signingIn} clients sign in without pause; 2 others ask auth.me`)
  const others: number[] = []
  for (let run = 1; run <= runs; run++) {
    const [asked, signed] = await Promise.all([
      load(me, { clients: 2, ms }),
      load(() => signIn(viewer), { clients: signingIn, ms }),
    ])
    others.push(quantile(asked, 0.99))
    console.log(
      `run ${run}: ${signed.length} sign-ins, ${asked.length} others: p50 ${quantile(asked, 0.5).toFixed(1)} ms, p99 ${quantile(asked, 0.99).toFixed(1)} ms`,
    )
  }
  client.close()
  console.log(
    benchLine('auth', {
      guarded: median(guarded),
      verify_us: median(cpu.map((each) => each.verify)),
      verify_seen_us: median(cpu.map((each) => each.seen)),
      others_p99_ms: median(others),
    }),
  )
}
