import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { bearer, program, setUpByProgram } from '@/e2e/program'
import { type RunningConsole, startConsole } from '@/e2e/server'
import { forked } from './lib/forked'
import type { Command, Heard, Listening } from './lib/live/listener'
import { benchLine, median } from './lib/measure'
import { cpuOf, residentOf } from './lib/processes'
import { createViewer, viewer } from './lib/viewer'
import { withoutLimits } from './lib/without-limits'

/**
 * What event streams cost. The built console on SQLite keeps 1,000 of them open, of 50 sessions, by the subscription
 * that every page has; once a second each gets a sample. Beside it a bare node:http server writes the same bytes to
 * as many clients. One after the other, each in a new process, is asked for the age of values on arrival, the CPU
 * time of its process, and its memory.
 */
const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '5' },
    streams: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '10' },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  console.log('Usage: npm run bench -- live [--runs 5] [--streams 1000] [--seconds 10]')
  process.exit(0)
}

const runs = Number(values.runs)
const streams = Number(values.streams)
const ms = Number(values.seconds) * 1000
const SESSIONS = 50
const SETTLE_MS = 3_000
const path = `/api/trpc/system.live?input=${encodeURIComponent('{}')}`
const env = {
  ...withoutLimits,
  ...{ JWT_ACCESS_EXPIRES_IN: '1h', MAX_SESSIONS_PER_USER: String(SESSIONS + 20) },
}

interface Side {
  url: string
  pid: number
}

const prepared = await startConsole({ root: process.cwd(), env })
try {
  const tokens = await openSessions(prepared)
  const sample = await oneSample(prepared, tokens[0] as string)
  const count = Object.values((JSON.parse(sample) as { values: object }).values).length
  console.log(
    `${streams} streams of ${tokens.length} sessions; ${count} values a second, ${sample.length} bytes; ${runs} runs of ${values.seconds} s`,
  )
  await prepared.stop({ keep: true })
  const ours: Measured[] = []
  for (let run = 1; run <= runs; run++) {
    // At the same address: the tokens name it.
    const { dataDir, port } = prepared
    const console_ = await startConsole({ root: process.cwd(), env, dataDir, port })
    const mine = await measure(console_, tokens).finally(() => console_.stop({ keep: true }))
    const peer = await startPeer(sample)
    const theirs = await measure(peer, tokens).finally(peer.stop)
    ours.push(mine)
    show(`run ${run}, ours`, mine)
    show(`run ${run}, bare node:http`, theirs)
  }
  console.log(
    benchLine('live', {
      age_p99_ms: median(ours.map(({ p99 }) => p99)),
      core: median(ours.map(({ core }) => core)),
      kb_per_stream: median(ours.map(({ kb }) => kb)),
    }),
  )
} finally {
  await prepared.stop()
}

interface Measured extends Heard {
  /** Share of one core. */
  core: number
  /** Resident memory a stream, KB. */
  kb: number
}

async function measure({ url, pid }: Side, tokens: string[]): Promise<Measured> {
  const listener = forked<Command, Heard>('testing/listener')
  try {
    const listening: Listening = { origin: url, path, tokens, streams }
    // The first request of a kind loads what it needs: that is no stream's memory.
    await listener.ask({ open: { ...listening, streams: tokens.length } })
    await delay(SETTLE_MS)
    const before = residentOf(pid)
    await listener.ask({ open: { ...listening, streams: streams - tokens.length } })
    await delay(SETTLE_MS)
    const cpu = cpuOf(pid)
    const heard = await listener.ask({ measure: ms })
    const core = (cpuOf(pid) - cpu) / (ms / 1000)
    const kb = (residentOf(pid) - before) / 1024 / (streams - tokens.length)
    if (heard.open !== streams) throw new Error(`${streams - heard.open} streams have ended.`)
    return { ...heard, core, kb }
  } finally {
    await listener.stop()
  }
}

function show(name: string, { values, p50, p99, longest, core, kb }: Measured): void {
  console.log(
    `${name}: ${values} values, age p50 ${p50} ms, p99 ${p99} ms, longest ${longest} ms; ` +
      `${(core * 100).toFixed(0)} % of a core; ${kb.toFixed(0)} KB a stream`,
  )
}

/** Access tokens of so many sessions of a viewer. */
async function openSessions(console_: RunningConsole): Promise<string[]> {
  await setUpByProgram(console_)
  await createViewer(console_)
  const { call } = program(console_)
  const tokens: string[] = []
  for (let number = 0; number < SESSIONS; number++) {
    const { status, body } = await call('auth.signIn', viewer)
    if (status !== 200) throw new Error(`The viewer could not sign in: ${JSON.stringify(body)}`)
    tokens.push(body.tokens.accessToken)
  }
  return tokens
}

/** The data of one sample, as it travels. */
async function oneSample({ url }: Side, token: string): Promise<string> {
  const gone = new AbortController()
  const { body } = await fetch(`${url}${path}`, { headers: bearer(token), signal: gone.signal })
  let text = ''
  try {
    for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) {
      text += Buffer.from(chunk).toString()
      const sample = /^data: (\{"kind":"sample".+\})\nid: /m.exec(text)?.[1]
      if (sample) return sample
    }
    throw new Error(`The stream ended: ${text}`)
  } finally {
    gone.abort()
  }
}

/** The bare server, in a process of its own. */
async function startPeer(sample: string) {
  const child = spawn(process.execPath, [join(process.cwd(), 'dist/testing/sse-peer.mjs'), sample], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  const [port] = await once(child.stdout, 'data')
  return {
    url: `http://127.0.0.1:${Number(port)}`,
    pid: child.pid as number,
    async stop() {
      child.kill()
      await ended
    },
  }
}
