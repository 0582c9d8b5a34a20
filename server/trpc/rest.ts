import { randomUUID } from 'node:crypto'
import { type AnyRouter, getTRPCErrorFromUnknown } from '@trpc/server'
import { HoldfastError, isHoldfastError } from '@/server/errors'
import { getRuntime } from '@/server/running'
import { readJsonText } from './body'
import { clientOf, createContext } from './context'
import { createCallerFactory, translate } from './init'
import { callNamed } from './named'
import { noteUnread } from './noted-refusals'
import { problem } from './problem'
import type { ApiRequest } from './request'
import { findRoutes, type RestRoute, restRoutes } from './rest-routes'

/**
 * Answers the procedures of a router that have an address below /api, by JSON and problem details. Why this is no
 * library: docs/decisions/0007.
 */
export function restHandler(router: AnyRouter): (request: ApiRequest) => Promise<Response> {
  const routes = restRoutes(router)
  const createCaller = createCallerFactory(router)

  return async function handle(request) {
    const headers = new Headers(request.headers)
    const requestId = headers.get('x-request-id') ?? randomUUID()
    headers.set('x-request-id', requestId)
    const resHeaders = new Headers()
    try {
      const { pathname, searchParams } = new URL(request.url)
      const { found, allow } = findRoutes(routes, pathname.replace(/^\/api(?=\/)/, ''))
      if (found.length === 0) throw new HoldfastError('NOT_FOUND', 'There is nothing at this address.')
      if (request.method === 'OPTIONS') return new Response(null, { status: 204, headers: { allow } })
      const method = request.method === 'HEAD' ? 'GET' : request.method
      const match = found.find(({ route }) => route.method === method)
      if (!match) return notAllowed(allow, requestId)

      const { route, values } = match
      const given = method === 'GET' ? queryOf(searchParams, route) : parse(await readJsonText(request))
      const input = knownTo(route, { ...given, ...values })
      const context = await createContext(headers, resHeaders)
      const data = await callNamed(createCaller(context, { signal: request.signal }), route.procedure, input)
      resHeaders.set('cache-control', 'no-store')
      if (data === undefined) return new Response(null, { status: 204, headers: resHeaders })
      return Response.json(data, { headers: resHeaders })
    } catch (cause) {
      const refusal = await refusalOf(cause, requestId)
      const runtime = await getRuntime()
      noteUnread({ runtime, client: clientOf(runtime, headers), requestId }, refusal, 'rest')
      return problem(refusal, requestId, resHeaders)
    }
  }
}

/**
 * A query's values are text: those of numbers and truth values are read, anything else is left to the schema. A
 * list is the same name again and again, and an object is JSON.
 */
function queryOf(params: URLSearchParams, { fields }: RestRoute): Record<string, unknown> {
  const entries = [...new Set(params.keys())].map((name) => {
    const [type = '', list] = (Object.hasOwn(fields, name) ? (fields[name] as string) : '').split('[')
    const values = params.getAll(name).map((value) => typed(value, type))
    return [name, list === undefined && values.length === 1 ? values[0] : values]
  })
  return Object.fromEntries(entries)
}

function typed(value: string, type: string): unknown {
  if (type === 'number' && /^-?\d{1,15}(\.\d+)?$/.test(value)) return Number(value)
  if (type === 'boolean' && /^(true|false)$/.test(value)) return value === 'true'
  if (type === 'object') return parsed(value)
  return value
}

function parse(text: string): Record<string, unknown> {
  if (text === '') return {}
  const value = parsed(text)
  if (value === undefined) throw new HoldfastError('BAD_INPUT', 'The body is no JSON.')
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>
  }
  throw new HoldfastError('BAD_INPUT', 'The body is no JSON object.')
}

/** What a text says in JSON; undefined where it is none. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** A procedure without an input would ignore one; nobody shall believe that it was heard. */
function knownTo(
  { takesInput }: RestRoute,
  input: Record<string, unknown>,
): Record<string, unknown> | undefined {
  const [first] = Object.keys(input)
  if (takesInput) return input
  if (first !== undefined) throw new HoldfastError('BAD_INPUT', `Nothing here is called ${first}.`)
  return {}
}

function notAllowed(allow: string, requestId: string): Response {
  const error = new HoldfastError('METHOD_NOT_ALLOWED', {
    message: 'This address takes another method.',
    remedy: `Send one of ${allow}.`,
  })
  return problem(error, requestId, new Headers({ allow }))
}

/** What a client may see. Procedures log for themselves what nobody expected; the rest is logged here. */
async function refusalOf(cause: unknown, requestId: string): Promise<HoldfastError> {
  if (isHoldfastError(cause)) return cause
  const error = getTRPCErrorFromUnknown(cause)
  const known = translate(error)
  if (known.code === 'INTERNAL' && !isHoldfastError(error.cause)) {
    const { log } = await getRuntime()
    log.error({ requestId, error: error.cause ?? error }, 'request failed')
  }
  return known
}
