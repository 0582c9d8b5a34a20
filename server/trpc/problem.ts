import { STATUS_CODES } from 'node:http'
import { errorStatus, type HoldfastError } from '@/server/errors'
import { scopeFields } from '@/server/scope'

/** Headers that go with errors: when to try again, and how a program signs in (RFC 9110, 10.2.3 and 11.6.1). */
export function errorHeaders(errors: HoldfastError[]): Record<string, string> {
  const waits = errors.map(({ retryAfterMs }) => retryAfterMs ?? 0)
  const seconds = Math.ceil(Math.max(0, ...waits) / 1000)
  return {
    ...(seconds > 0 ? { 'retry-after': String(seconds) } : {}),
    ...(errors.some(({ code }) => errorStatus[code] === 401) ? { 'www-authenticate': 'Bearer' } : {}),
    // What is left of a refused body is not read, so the connection cannot be used again.
    ...(errors.some(({ code }) => code === 'TOO_LARGE') ? { connection: 'close' } : {}),
  }
}

/** Id of the trace of the request that is answered. */
export const traceIdHere = () => scopeFields().traceId ?? null

/** Problem details after RFC 9457; `code`, and not the type, tells programs what is wrong. */
export function problem(error: HoldfastError, requestId: string, headers = new Headers()): Response {
  const { code, message, remedy, retryAfterMs, details } = error
  const status = errorStatus[code]
  const body = {
    type: 'about:blank',
    title: STATUS_CODES[status],
    status,
    detail: message,
    ...{ code, requestId, traceId: traceIdHere() ?? undefined, remedy, retryAfterMs, details },
  }
  headers.set('content-type', 'application/problem+json')
  headers.set('cache-control', 'no-store')
  for (const [name, value] of Object.entries(errorHeaders([error]))) headers.set(name, value)
  return new Response(JSON.stringify(body), { status, headers })
}
