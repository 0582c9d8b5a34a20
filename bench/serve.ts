import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { bearer, enrolByProgram, setUpByProgram } from '@/e2e/program'
import { startConsole } from '@/e2e/server'
import { forked } from './lib/forked'
import { benchLine, median } from './lib/measure'
import { cpuOf } from './lib/processes'
import { startCold } from './lib/serve/cold'
import type { Loaded, Order } from './lib/serve/loader'
import { startPeer } from './lib/serve/peer'
import { withoutLimits } from './lib/without-limits'

/**
 * What answering costs. The built console on SQLite answers queries of a signed-in admin over tRPC, alone and five in a
 * batch, and over REST; beside it a bare Next answers the same JSON from route handlers that check nothing. Both are
 * asked in turn by 32 connections of another process, then the console alone at a steady rate. At last it is started
 * again and again.
 */
const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '2' },
    rate: { type: 'string', default: '200' },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  console.log('Usage: npm run bench -- serve [--runs 5] [--seconds 2] [--rate 200]')
  process.exit(0)
}

const CONNECTIONS = 32
const WINDOW = 10
const OPEN_MS = 15_000
const runs = Number(values.runs)
const ms = Number(values.seconds) * 1000
/** By name, and by REST address. */
const queries = {
  'auth.me': '/api/auth/me',
  'database.stats': '/api/infrastructure/database/stats',
  'cache.stats': '/api/infrastructure/cache/stats',
  'security.overview': '/api/infrastructure/security/stats',
  'system.health': '/api/infrastructure/system/health',
}
const names = Object.keys(queries)
const batch = `/api/trpc/${names.join(',')}?batch=1&input=%7B%7D`
const kinds = {
  batch: [batch],
  single: names.map((name) => `/api/trpc/${name}`),
  rest: Object.values(queries),
}
type Kind = keyof typeof kinds

const options = {
  root: process.cwd(),
  env: { ...withoutLimits, TWO_FA_WINDOW: String(WINDOW), JWT_ACCESS_EXPIRES_IN: '1h' },
}
const served = await startConsole(options)
try {
  const first = await setUpByProgram(served)
  const { verified } = await enrolByProgram(served.url, first.accessToken, WINDOW)
  const token: string = verified.body.tokens?.accessToken ?? first.accessToken
  const figures = await measureServing(token)
  await served.stop({ keep: true })
  const starts = []
  for (let run = 1; run <= runs; run++) {
    // At the same address: the token names it.
    const { dataDir, port } = served
    const cold = await startCold({ ...options, dataDir, port }, token)
    starts.push(cold)
    console.log(
      `start ${run}: first answer after ${(cold.answerMs / 1000).toFixed(2)} s, first page after ${(cold.pageMs / 1000).toFixed(2)} s, ${megabytes(cold.resident)} MB resident when idle`,
    )
  }
  console.log(
    benchLine('serve', {
      ...figures,
      cold_start_s: median(starts.map(({ answerMs }) => answerMs)) / 1000,
      rss_mb: median(starts.map(({ resident }) => megabytes(resident))),
    }),
  )
} finally {
  await served.stop()
}

async function measureServing(token: string) {
  const bodies: Record<string, unknown> = {}
  for (const [kind, paths] of Object.entries(kinds)) {
    for (const [at, path] of paths.entries()) {
      const answer = await fetch(`${served.url}${path}`, { headers: bearer(token) })
      if (answer.status !== 200) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`)
      bodies[`/${kind}${at}`] = await answer.json()
    }
  }
  console.log(`queries: ${names.join(', ')}; ${availableParallelism()} cores; ${CONNECTIONS} connections`)
  const peer = await startPeer(process.cwd(), bodies)
  const loader = forked<Order, Loaded>('testing/loader')
  const ours = { url: `http://127.0.0.1:${served.port}`, pid: served.pid, headers: bearer(token) }
  const bare = { url: peer.url, pid: peer.pid, headers: {} }

  /** Answers a second, and the server's CPU time for one, µs. */
  async function rate({ url, pid, headers }: typeof ours | typeof bare, paths: string[]) {
    const before = cpuOf(pid)
    const order = { origin: url, headers, paths, ms, connections: CONNECTIONS }
    const { answers, seconds } = await loader.ask(order)
    return { perSecond: answers / seconds, cpu: ((cpuOf(pid) - before) / answers) * 1e6 }
  }

  async function compare(kind: Kind, run: number) {
    const own = () => rate(ours, kinds[kind])
    const its = () =>
      rate(
        bare,
        kinds[kind].map((_, at) => `/${kind}${at}`),
      )
    // Whoever goes second has the quieter machine: they take turns at that.
    const [mine, theirs] =
      run % 2 ? [await own(), await its()] : await its().then(async (it) => [await own(), it])
    if (!mine || !theirs) throw new Error('Nothing was measured.')
    console.log(
      `run ${run}, ${kind}: ours ${mine.perSecond.toFixed(0)}/s, ${mine.cpu.toFixed(0)} µs of CPU each; ` +
        `bare Next ${theirs.perSecond.toFixed(0)}/s, ${theirs.cpu.toFixed(0)} µs`,
    )
    return { rate: mine.perSecond / theirs.perSecond, cpu: theirs.cpu / mine.cpu }
  }

  try {
    const ratios: Record<Kind, { rate: number; cpu: number }[]> = { batch: [], single: [], rest: [] }
    for (let run = 0; run <= runs; run++) {
      for (const kind of Object.keys(ratios) as Kind[]) {
        const compared = await compare(kind, run)
        // The first run warms both up.
        if (run > 0) ratios[kind].push(compared)
      }
    }
    for (const [kind, each] of Object.entries(ratios)) {
      console.log(
        `${kind}: ${median(each.map(({ rate }) => rate)).toFixed(2)} of a bare handler's throughput, ` +
          `${median(each.map(({ cpu }) => cpu)).toFixed(2)} by CPU time`,
      )
    }
    const p99s = []
    const all = Object.values(kinds).flat()
    for (let run = 1; run <= runs; run++) {
      const order = { origin: ours.url, headers: ours.headers, paths: all, connections: 128 }
      const steady = await loader.ask({ ...order, ms: OPEN_MS / runs, perSecond: Number(values.rate) })
      p99s.push(steady.p99)
      console.log(
        `${values.rate} requests/s, run ${run}: ${steady.answers} answers, p50 ${steady.p50.toFixed(1)} ms, p99 ${steady.p99.toFixed(1)} ms`,
      )
    }
    const ratio = (kind: Kind) => median(ratios[kind].map(({ rate }) => rate))
    return { batch: ratio('batch'), single: ratio('single'), rest: ratio('rest'), p99_ms: median(p99s) }
  } finally {
    await loader.stop()
    await peer.stop()
  }
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 1_048_576)
}
