import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer, type ServerOptions } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { setTimeout as rest } from 'node:timers/promises'
import type { AnswerCache } from '../kept'

/** A server on this machine that counts what reaches it. */
export interface Place {
  url: string
  port: number
  /** Connections that were made, and those still open. */
  connections: number
  sockets: Set<Socket>
  requests: IncomingMessage[]
  close(): Promise<void>
}

/** Starts an HTTP server, or with certificates an HTTPS one; `port` 0 takes a free one. */
export async function startPlace(
  listener: RequestListener,
  { tls, port = 0 }: { tls?: ServerOptions; port?: number } = {},
): Promise<Place> {
  const place: Place = { url: '', port: 0, connections: 0, sockets: new Set(), requests: [], close }
  const counted: RequestListener = (request, response) => {
    place.requests.push(request)
    return listener(request, response)
  }
  const server: Server = tls ? createTlsServer(tls, counted) : createServer(counted)
  server.keepAliveTimeout = 60_000
  server.on(tls ? 'secureConnection' : 'connection', (socket: Socket) => {
    place.connections++
    place.sockets.add(socket)
    socket.on('close', () => place.sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(port, '0.0.0.0', resolve))
  place.port = (server.address() as AddressInfo).port
  place.url = `${tls ? 'https' : 'http'}://127.0.0.1:${place.port}`
  async function close() {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  return place
}

/** Waits until it is true; fails after ten seconds. */
export async function until(condition: () => boolean): Promise<void> {
  const end = Date.now() + 10_000
  while (!condition()) {
    if (Date.now() > end) throw new Error('It did not become true')
    await rest(5)
  }
}

/** A cache in a Map whose copies pass through a clone, as they would through Redis; it never forgets by time. */
export function mapCache(): AnswerCache & { entries: Map<string, { value: unknown; ttl: number }> } {
  const entries = new Map<string, { value: unknown; ttl: number }>()
  return {
    entries,
    get: async <T>(key: string) => structuredClone(entries.get(key)?.value) as T | undefined,
    set: async (key, value, { ttl }) => void entries.set(key, { value: structuredClone(value), ttl }),
    delete: async (...keys) => {
      for (const key of keys) entries.delete(key)
    },
  }
}

/** A clock that goes on when it is told to. */
export function handClock() {
  let ahead = 0
  return {
    now: () => Date.now() + ahead,
    pass(milliseconds: number) {
      ahead += milliseconds
    },
  }
}
