import { execFileSync } from 'node:child_process'
import { admin } from './admin'
import { plant } from './output'
import type { RunningConsole } from './server'

export interface Answer {
  status: number
  headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: tests read what they expect, and fail on anything else
  body: any
}

/** A program that talks to a console over HTTP, as curl does: no Origin, and cookies only where a test says so. */
export function program({ url }: { url: string }) {
  async function send(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      body: body === undefined ? undefined : JSON.stringify(body),
      redirect: 'manual',
    })
    const text = await response.text()
    const answer: Answer = { status: response.status, headers: response.headers, body: parsed(text) }
    return answer
  }
  return {
    get: (path: string, headers?: Record<string, string>) => send('GET', path, undefined, headers),
    post: (path: string, body: unknown = {}, headers?: Record<string, string>) =>
      send('POST', path, body, headers),
    /** A procedure: its answer without tRPC's envelope, or the envelope's error. */
    async call(procedure: string, input: unknown = {}, headers?: Record<string, string>) {
      const answer = await send('POST', `/api/trpc/${procedure}`, input, headers)
      return { ...answer, body: answer.body?.result?.data ?? answer.body?.error?.data ?? answer.body }
    },
    async query(procedure: string, headers?: Record<string, string>) {
      const answer = await send('GET', `/api/trpc/${procedure}`, undefined, headers)
      return { ...answer, body: answer.body?.result?.data ?? answer.body?.error?.data ?? answer.body }
    },
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

export const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

/** Makes the first admin without a browser; answers the tokens of the session. */
export async function setUpByProgram(console: RunningConsole) {
  const token = console.setUpLink?.split('#')[1] ?? ''
  const { body } = await program(console).call('auth.setUp', { token, ...admin })
  plant(body.tokens?.accessToken?.split('.')[2], body.tokens?.refreshToken)
  return body.tokens as { accessToken: string; refreshToken: string }
}

/** Steps before and after now that no console looks beyond. */
const AROUND = 60

/**
 * An authenticator app that shares no code with the console: codes come from oathtool. Every code works once, so
 * each call takes the next step, beginning as early as the console's window allows.
 */
export function authenticatorApp(secret: string, window: number) {
  let last = 0
  const now = () => Math.floor(Date.now() / 30_000)
  const codesFrom = (step: number, more = 0) =>
    execFileSync(
      'oathtool',
      [...['--totp', '-b', secret, '-w', String(more)], ...['--now', new Date(step * 30_000).toISOString()]],
      { encoding: 'utf8' },
    )
      .trim()
      .split('\n')
  const around = () => codesFrom(now() - AROUND, 2 * AROUND)
  const codeAt = (step: number) => codesFrom(step)[0] as string
  return {
    codeAt,
    now,
    /** A code that was never used before. */
    next() {
      last = Math.max(last + 1, now() - window + 1)
      if (last > now() + window)
        throw new Error('All codes of the window are used: give the console a wider one.')
      return codeAt(last)
    },
    /** The step of the last code. */
    last: () => last,
    /** Codes that no step has for a long time before and after now. */
    wrong(count: number): string[] {
      const codes = new Set(around())
      const others = Array.from({ length: count + codes.size }, (_, i) => String(i).padStart(6, '0'))
      return others.filter((code) => !codes.has(code)).slice(0, count)
    },
    /** Of a hundred secrets one has the same six digits for two steps around now: of those nothing is certain. */
    isDistinct(): boolean {
      const codes = around()
      return new Set(codes).size === codes.length
    },
  }
}

/** Enrols an authenticator app over REST, none of whose codes are the same. Answers it, and the backup codes. */
export async function enrolByProgram(url: string, accessToken: string, window: number) {
  const { post } = program({ url })
  const begin = async () => {
    const begun = await post('/api/infrastructure/security/2fa/generate', {}, bearer(accessToken))
    plant(begun.body.secret)
    return { begun, app: authenticatorApp(begun.body.secret, window) }
  }
  let { begun, app } = await begin()
  while (!app.isDistinct()) ({ begun, app } = await begin())
  const verified = await post(
    '/api/infrastructure/security/2fa/verify',
    { factorId: begun.body.factorId, code: app.next() },
    bearer(accessToken),
  )
  plant(...(verified.body.backupCodes ?? []))
  return { app, begun, verified, backupCodes: verified.body.backupCodes as string[] }
}
