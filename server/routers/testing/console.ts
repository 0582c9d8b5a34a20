import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { POST as uploadRoute } from '@/app/api/upload/route'
import { parseVariables } from '@/server/env'
import { appRouter } from '@/server/routers/_app'
import { setRuntime } from '@/server/running'
import { openRuntime } from '@/server/runtime'
import { type EventStream, trpcHandler } from '@/server/trpc/answer'
import { restHandler } from '@/server/trpc/rest'

export const url = 'http://localhost:3000'

const restAnswer = restHandler(appRouter)
const answer = trpcHandler(appRouter)

/** What tRPC answers to anything but a subscription. */
export async function trpcAnswer(request: Request): Promise<Response> {
  return (await answer(request)) as Response
}

/** `ok`, or the code of the refusal; and what was answered. */
export interface Outcome {
  outcome: string
  // biome-ignore lint/suspicious/noExplicitAny: tests read what they expect, and fail on anything else
  body: any
}

/** Everything that lives, on a SQLite store of its own where `env` names no other, behind the handlers of the server. */
export async function openConsole(later: (step: () => unknown) => void, env: Record<string, string> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-routers-'))
  later(() => rmSync(folder, { recursive: true, force: true }))
  const runtime = await setRuntime(
    openRuntime(
      parseVariables({ HOLDFAST_DATA_DIR: folder, HOLDFAST_URL: url, TWO_FA_WINDOW: '10', ...env }),
    ),
  )
  later(() => {
    Reflect.deleteProperty(globalThis, 'holdfast')
    return runtime.close()
  })
  return { runtime, call, rest }
}

/** Calls a procedure over tRPC, as a program does: by bearer token or API key, or signed out with null. */
async function call(
  procedure: string,
  type: string,
  token: string | null,
  input?: object,
  more: Record<string, string> = {},
): Promise<Outcome> {
  const path = `/api/trpc/${procedure}`
  const headers = headersOf(token, more)
  if (type === 'mutation') {
    const body = JSON.stringify(input)
    return outcomeOf(await trpcAnswer(new Request(`${url}${path}`, { method: 'POST', headers, body })))
  }
  const query = input ? `?input=${encodeURIComponent(JSON.stringify(input))}` : ''
  const gone = new AbortController()
  const request = new Request(`${url}${path}${query}`, { headers, signal: gone.signal })
  if (type === 'query') return outcomeOf(await trpcAnswer(request))
  headers.set('accept', 'text/event-stream')
  const outcome = await firstOf((await answer(new Request(request, { headers }))) as EventStream)
  gone.abort()
  return outcome
}

/** Calls an address over REST. */
async function rest(
  method: string,
  path: string,
  token: string | null,
  body?: object,
  more: Record<string, string> = {},
): Promise<Outcome> {
  const handlers: Record<string, (request: Request) => Promise<Response>> = {
    'GET auth': restAnswer,
    'POST auth': restAnswer,
    'GET infrastructure': restAnswer,
    'POST infrastructure': restAnswer,
    'POST upload': uploadRoute,
  }
  const handler = handlers[`${method} ${path.split('/')[2]?.split('?')[0]}`]
  if (!handler) throw new Error(`No route answers ${method} ${path}.`)
  const headers = headersOf(token, more)
  const request = new Request(`${url}${path}`, { method, headers, body: body && JSON.stringify(body) })
  return outcomeOf(await handler(request))
}

function headersOf(token: string | null, more: Record<string, string> = {}) {
  const headers = new Headers({ 'content-type': 'application/json', 'x-holdfast-peer': '127.0.0.1', ...more })
  if (token) headers.set('authorization', `Bearer ${token}`)
  return headers
}

async function outcomeOf(response: Response): Promise<Outcome> {
  const text = await response.text()
  const body = text === '' ? null : JSON.parse(text)
  if (response.ok) return { outcome: 'ok', body: body?.result?.data ?? body }
  return { outcome: body.error?.data.code ?? body.code, body }
}

/** The first message of an event stream that says anything. */
async function firstOf(stream: EventStream): Promise<Outcome> {
  let text = ''
  const out = new PassThrough()
  void stream.write(out)
  for await (const chunk of out.setEncoding('utf8')) {
    text += chunk
    const refused = /event: serialized-error\ndata: (.+)\n/.exec(text)
    if (refused) return { outcome: JSON.parse(refused[1] as string).data.code, body: null }
    if (/^id: /m.test(text)) return { outcome: 'ok', body: null }
  }
  throw new Error(`The stream ended: ${text}`)
}
