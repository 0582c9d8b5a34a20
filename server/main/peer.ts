import type { IncomingMessage } from 'node:http'
import { requestIdOf } from '@/server/security/requests/headers'

/** The headers in which the app finds what only the server knows. Clients cannot set them. */
export const PEER_HEADER = 'x-holdfast-peer'
export const SECURE_HEADER = 'x-holdfast-secure'
/** Clients may name their requests; what is no plain name is replaced. */
export const REQUEST_ID_HEADER = 'x-request-id'

/**
 * Drops what came in under the internal names, and sets them: the address of the socket's other end, and
 * `1` where the console's public origin is https. Answers the request's id, which is new unless a plain one came.
 */
export function stampRequest(request: IncomingMessage, { secure }: { secure: boolean }): string {
  replace(request, PEER_HEADER, plainAddress(request.socket.remoteAddress))
  replace(request, SECURE_HEADER, secure ? '1' : undefined)
  const requestId = requestIdOf(request.headers[REQUEST_ID_HEADER] as string | undefined)
  replace(request, REQUEST_ID_HEADER, requestId)
  return requestId
}

function replace(request: IncomingMessage, name: string, value: string | undefined): void {
  // Node builds both at the first look, by the number of raw headers that came in: look before changing those.
  const { headers, headersDistinct, rawHeaders } = request
  for (let index = rawHeaders.length - 2; index >= 0; index -= 2) {
    if (rawHeaders[index]?.toLowerCase() === name) rawHeaders.splice(index, 2)
  }
  delete request.trailers[name]
  delete headers[name]
  delete headersDistinct[name]
  if (value === undefined) return
  rawHeaders.push(name, value)
  headers[name] = value
  headersDistinct[name] = [value]
}

/** An IPv4 client of a dual-stack socket is the IPv4 address: ::ffff:192.0.2.1 is 192.0.2.1. */
function plainAddress(address: string | undefined): string {
  return (address ?? 'unknown').replace(/^::ffff:(?=\d+(\.\d+){3}$)/, '')
}
