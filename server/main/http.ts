import { EventEmitter, once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { ConfigurationError } from '@/server/env'
import { stampRequest } from './peer'

export type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>

export type ConsoleServer = {
  http: Server
  /** Emits 'upgrade' for WebSockets (Next's reload in development); without a listener they are refused. */
  upgrades: EventEmitter
  /** Sets what answers; call it before listening. */
  answer(handler: Handler): void
  /** From now on every answer closes its connection, so that browsers don't come back on it. */
  drain(): void
}

/**
 * The HTTP server of the console: every request carries the address of its socket before anybody sees it.
 * @param options.secure whether the public origin is https
 */
export function createConsoleServer({ secure }: { secure: boolean }): ConsoleServer {
  const upgrades = new EventEmitter()
  const open = new Set<ServerResponse>()
  let draining = false
  let answer: Handler = async (_request, response) => {
    response.writeHead(503).end()
  }
  const http = createServer((request, response) => {
    stampRequest(request, { secure })
    if (draining) response.shouldKeepAlive = false
    open.add(response)
    response.once('close', () => open.delete(response))
    answer(request, response).catch((error: unknown) => {
      process.stderr.write(`${request.method} ${pathOf(request)} failed: ${stackOf(error)}\n`)
      if (response.headersSent) response.destroy()
      else response.writeHead(500, { 'content-type': 'text/plain' }).end('Internal server error\n')
    })
  })
  http.on('upgrade', (request, socket, head) => {
    stampRequest(request, { secure })
    if (!upgrades.emit('upgrade', request, socket, head)) socket.destroy()
  })
  // Longer than what proxies keep idle connections for; an upload of gigabytes may take an hour.
  http.keepAliveTimeout = 65_000
  http.requestTimeout = 3_600_000
  return {
    http,
    upgrades,
    answer: (handler) => {
      answer = handler
    },
    drain: () => {
      draining = true
      for (const response of open) response.shouldKeepAlive = false
    },
  }
}

function pathOf(request: IncomingMessage): string {
  return request.url?.split('?')[0] ?? ''
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

/** Opens the port. Throws a sentence when it is taken, forbidden or not on this machine. */
export async function listen(http: Server, { HOST, PORT }: { HOST: string; PORT: number }): Promise<void> {
  http.listen(PORT, HOST)
  try {
    await once(http, 'listening')
  } catch (error) {
    throw new ConfigurationError(listenSentence((error as NodeJS.ErrnoException).code, HOST, PORT), {
      cause: error,
    })
  }
}

function listenSentence(code: string | undefined, host: string, port: number): string {
  switch (code) {
    case 'EADDRINUSE':
      return `Port ${port} on ${host} is already in use: stop what uses it, or set PORT to another one.`
    case 'EACCES':
      return `This user may not listen on port ${port}: set PORT to one above 1023.`
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `HOST is "${host}", which is no address of this machine: set it to 127.0.0.1, 0.0.0.0 or one that is.`
    default:
      return `Holdfast cannot listen on port ${port} of ${host} (${code}).`
  }
}
