import { randomUUID } from 'node:crypto'
import type { Writable } from 'node:stream'
import { type AnyRouter, getTRPCErrorFromUnknown } from '@trpc/server'
import { fetchRequestHandler } from '@trpc/server/adapters/fetch'
import { getErrorShape } from '@trpc/server/shared'
import { errorStatus, HoldfastError, isHoldfastError } from '@/server/errors'
import { getRuntime } from '@/server/running'
import { readJsonText } from './body'
import { type Context, clientOf, createContext } from './context'
import { writeEvents } from './event-stream'
import { createCallerFactory, type ErrorData, translate } from './init'
import { callNamed, isSubscription } from './named'
import { noteUnread } from './noted-refusals'
import { errorHeaders, traceIdHere } from './problem'
import type { ApiRequest } from './request'

const MOST_IN_A_BATCH = 20
const ENDPOINT = '/api/trpc'
const METHODS = ['GET', 'HEAD', 'POST']
const ALLOW = [...METHODS, 'OPTIONS'].join(', ')

/** An answer without an end: what is written when events come. Status 200; failures are events as well. */
export interface EventStream {
  headers: Headers
  write(out: Writable): Promise<void>
}

/**
 * Answers every procedure of a router over tRPC. Origin and Fetch-Metadata are checked before each mutation
 * (server/trpc/init).
 */
export function trpcHandler(router: AnyRouter) {
  const createCaller = createCallerFactory(router)

  return async function handle(request: ApiRequest): Promise<Response | EventStream> {
    if (request.method === 'OPTIONS') return new Response(null, { status: 204, headers: { allow: ALLOW } })
    try {
      if (!METHODS.includes(request.method)) throw notAllowed()
      const { pathname, searchParams } = new URL(request.url)
      const name = decoded(pathname.slice(ENDPOINT.length + 1))
      if (request.method === 'GET' && !searchParams.has('batch') && isSubscription(router, name)) {
        return stream(request, name, searchParams)
      }
      refuseBatchOfAuthentication(request, name, searchParams)
      return await answer(request.method === 'POST' ? await withJson(request) : (request as Request))
    } catch (error) {
      if (isHoldfastError(error)) {
        const requestId = request.headers.get('x-request-id') ?? randomUUID()
        const runtime = await getRuntime()
        noteUnread({ runtime, client: clientOf(runtime, request.headers), requestId }, error, 'trpc')
        return refuse(error, requestId)
      }
      throw error
    }
  }

  function answer(request: Request): Promise<Response> {
    return fetchRequestHandler({
      endpoint: ENDPOINT,
      req: request,
      router,
      maxBatchSize: MOST_IN_A_BATCH,
      createContext: ({ resHeaders }) => createContext(request.headers, resHeaders),
      responseMeta: ({ type, errors }) => {
        // A stream names its own caching; anything else is somebody's own and never kept.
        const headers = new Headers(type === 'subscription' ? {} : { 'cache-control': 'no-store' })
        for (const [name, value] of Object.entries(errorHeaders(errors.map(translate))))
          headers.set(name, value)
        return { headers }
      },
    })
  }

  /** The events of a subscription, through the same procedure as in tRPC's own answer. */
  function stream(request: ApiRequest, path: string, params: URLSearchParams): EventStream {
    let ctx: Context | undefined
    let input: unknown
    async function events() {
      input = inputOf(params, lastEventIdOf(request, params))
      ctx = await createContext(request.headers)
      return (await callNamed(
        createCaller(ctx, { signal: request.signal }),
        path,
        input,
      )) as AsyncIterable<unknown>
    }
    function describe(cause: unknown) {
      const error = getTRPCErrorFromUnknown(cause)
      const { _config: config } = router._def
      return getErrorShape({ config, error, type: 'subscription', path, input, ctx })
    }
    return { headers: new Headers(streamHeaders), write: (out) => writeEvents(out, events(), describe) }
  }
}

/** Not to be kept, packed or held back on the way. */
const streamHeaders = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
  vary: 'trpc-accept, accept',
}

/** A browser says after which event it goes on when it comes back by itself. */
function lastEventIdOf({ headers }: ApiRequest, params: URLSearchParams): string | null {
  return headers.get('last-event-id') ?? params.get('lastEventId') ?? params.get('Last-Event-Id')
}

function inputOf(params: URLSearchParams, lastEventId: string | null): unknown {
  const text = params.get('input')
  const input = text ? parsed(text) : undefined
  if (!lastEventId) return input
  if (input === undefined || input === null) return { lastEventId }
  return typeof input === 'object' && !Array.isArray(input) ? { ...input, lastEventId } : input
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new HoldfastError('BAD_INPUT', 'The input is no JSON.')
  }
}

/** What signs in, or proves a factor, comes alone: one request is one guess, and cookies belong to one answer. */
function refuseBatchOfAuthentication({ method }: ApiRequest, path: string, params: URLSearchParams): void {
  const names = path.split(',')
  if (method !== 'POST' || !params.has('batch') || names.length < 2) return
  if (!names.some((name) => name.startsWith('auth.'))) return
  throw new HoldfastError('BAD_INPUT', {
    message: 'Authentication is not batched.',
    remedy: 'Send each of its calls in a request of its own.',
  })
}

function notAllowed(): HoldfastError {
  return new HoldfastError('METHOD_NOT_ALLOWED', {
    message: 'This address takes another method.',
    remedy: `Send one of ${ALLOW}.`,
  })
}

/** As tRPC reads a path: text that is no escape stays as it is. */
function decoded(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}

/** The same request with a body that was read within its limits, in as much of a Request as tRPC looks at. */
async function withJson(request: ApiRequest): Promise<Request> {
  const { url, method, headers, signal } = request
  const text = await readJsonText(request)
  return { url, method, headers, signal, json: async () => bodyOf(text) } as Request
}

/** A call without an input has no body at all. */
const bodyOf = (text: string): unknown => (text === '' ? undefined : JSON.parse(text))

/** A refusal before any procedure, in the form in which procedures fail. */
function refuse(error: HoldfastError, requestId: string): Response {
  const httpStatus = errorStatus[error.code]
  const data: ErrorData & { httpStatus: number } = {
    ...{ code: error.code, httpStatus, requestId, remedy: error.remedy ?? null },
    ...{ traceId: traceIdHere(), retryAfterMs: null, details: null },
  }
  const headers = { 'cache-control': 'no-store', ...errorHeaders([error]) }
  return Response.json(
    { error: { message: error.message, code: -32600, data } },
    { status: httpStatus, headers: httpStatus === 405 ? { ...headers, allow: ALLOW } : headers },
  )
}
