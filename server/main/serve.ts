import type { Server } from 'node:http'
import { fileURLToPath } from 'node:url'
import { type Env, loadEnv } from '@/server/env'
import { appRouter } from '@/server/routers/_app'
import { setRuntime } from '@/server/running'
import { openRuntime, type Runtime } from '@/server/runtime'
import { trpcHandler } from '@/server/trpc/answer'
import { restHandler } from '@/server/trpc/rest'
import { type Answerer, withApi } from './api'
import { failureSentence } from './failure'
import { openGate } from './gate'
import { type Answered, createConsoleServer, listen } from './http'
import { prepareNext } from './next'
import { requestSpan } from './request-span'
import { shutDown } from './shutdown'

/** The project's folder, or the standalone build's: the bundle lies in its dist/. */
const root = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '')

/**
 * Starts the console: configuration, runtime, Next, then the port. Whatever stops the start is one sentence on
 * standard error and exit code 1. Resolves when the console answers.
 */
export async function serve(): Promise<void> {
  process.title = 'holdfast'
  const dev = process.argv.includes('--dev')
  let close: () => Promise<void> = async () => {}
  try {
    const runtime = await setRuntime(openRuntime(loadEnv()))
    const { env } = runtime
    close = () => runtime.close()
    const server = createConsoleServer({
      secure: env.HOLDFAST_URL.startsWith('https:'),
      answered(answer) {
        runtime.exposition.requests.count(answer)
        tellRequest(runtime, answer)
      },
      traced: (request, headers) => requestSpan(runtime, request, headers),
      failed: (error, request) => runtime.log.error({ ...request, error }, 'a request failed'),
    })
    handleSignals({ server, runtime })
    const { limits, clock } = runtime
    server.guard(openGate(limits, { trustedProxies: env.TRUSTED_PROXIES, now: () => clock.now() }))
    const pages = await prepareNext({ root, dev, host: env.HOST, port: env.PORT, upgrades: server.upgrades })
    server.answer(withApi(answerers(), pages))
    await listen(server.http, env)
    announce(env, await runtime.setUpLink())
  } catch (error) {
    process.stderr.write(`${failureSentence(error)}\n`)
    await close().catch(() => {})
    process.exit(1)
  }
}

/** What Next is not asked for. */
function answerers(): Record<string, Answerer> {
  const rest = restHandler(appRouter)
  return { '/api/trpc/': trpcHandler(appRouter), '/api/infrastructure/': rest, '/api/auth/': rest }
}

/** The line of the access log. Its scope says who asked. */
function tellRequest(
  { log, env }: Pick<Runtime, 'log' | 'env'>,
  { milliseconds, ...answer }: Answered,
): void {
  if (env.LOG_REQUESTS === 'off') return
  log[env.LOG_REQUESTS]({ ...answer, ms: Math.round(milliseconds * 10) / 10 }, 'answered')
}

function handleSignals(parts: {
  server: { http: Server; drain(): void }
  runtime: Parameters<typeof shutDown>[0]['runtime']
}): void {
  let stopping = false
  const stop = (signal: NodeJS.Signals) => {
    // A second Ctrl-C means: at once.
    if (stopping) process.exit(signal === 'SIGINT' ? 130 : 143)
    stopping = true
    shutDown(parts).then((code) => process.exit(code))
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
}

function announce(env: Env, setUpLink: string | null): void {
  const lines = [`Holdfast is ready at ${env.HOLDFAST_URL}`]
  if (setUpLink) lines.push(`Create the first admin here (the link works once): ${setUpLink}`)
  if (!isSecureOrigin(env.HOLDFAST_URL)) {
    lines.push(
      `Warning: ${env.HOLDFAST_URL} is plain http, so passwords cross the network unencrypted and browsers withhold` +
        ' passkeys and the clipboard. Put a TLS proxy in front, and set HOLDFAST_URL to its https address.',
    )
  }
  process.stdout.write(`${lines.join('\n')}\n`)
}

/** What browsers call a trustworthy origin: https, or http on this machine. */
function isSecureOrigin(origin: string): boolean {
  const { protocol, hostname } = new URL(origin)
  return protocol === 'https:' || /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)
}
