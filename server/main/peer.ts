import type { IncomingMessage } from 'node:http'

/** The header in which the app finds the address of the socket's other end. Clients cannot set it. */
export const PEER_HEADER = 'x-holdfast-peer'

/** Drops every x-holdfast-peer that came in, and sets the one from the socket. */
export function stampPeer(request: IncomingMessage): void {
  // Node makes these two from rawHeaders when they are first read: read them before changing that.
  const { headers, headersDistinct, rawHeaders } = request
  const address = plainAddress(request.socket.remoteAddress)
  for (let index = rawHeaders.length - 2; index >= 0; index -= 2) {
    if (rawHeaders[index]?.toLowerCase() === PEER_HEADER) rawHeaders.splice(index, 2)
  }
  rawHeaders.push(PEER_HEADER, address)
  headers[PEER_HEADER] = address
  headersDistinct[PEER_HEADER] = [address]
}

/** An IPv4 client of a dual-stack socket is the IPv4 address: ::ffff:192.0.2.1 is 192.0.2.1. */
function plainAddress(address: string | undefined): string {
  return (address ?? 'unknown').replace(/^::ffff:(?=\d+(\.\d+){3}$)/, '')
}
