import { AsyncResource } from 'node:async_hooks'
import { EventEmitter, once } from 'node:events'
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http'
import { ConfigurationError } from '@/server/env'
import { inScope } from '@/server/scope'
import type { OpenSpan } from '@/server/trace'
import type { Gate } from './gate'
import { stampRequest } from './peer'

export type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>

export type ConsoleServer = {
  http: Server
  /** Emits 'upgrade' for WebSockets (Next's reload in development); without a listener they are refused. */
  upgrades: EventEmitter
  /** Sets what answers; call it before listening. */
  answer(handler: Handler): void
  /** Sets who comes first and may refuse. */
  guard(gate: Gate): void
  /** From now on every answer closes its connection, so that browsers don't come back on it. */
  drain(): void
}

export interface ServerOptions {
  /** Whether the public origin is https. */
  secure: boolean
  /** Told of every answer, and how long it took; within the request's scope. */
  answered?: (answer: Answered) => void
  /** Opens the span of a request that is traced. */
  traced?: (request: Pick<Answered, 'method' | 'path'>, headers: IncomingHttpHeaders) => OpenSpan | undefined
  /** Told of what a handler threw; within the request's scope. */
  failed?: (error: unknown, request: Pick<Answered, 'method' | 'path'>) => void
}

export interface Answered {
  method: string
  /** Without the query, which can hold anything. */
  path: string
  status: number
  milliseconds: number
}

/** The HTTP server of the console: every request carries the address of its socket before anybody sees it. */
export function createConsoleServer({
  secure,
  answered = () => {},
  traced = () => undefined,
  failed = () => {},
}: ServerOptions): ConsoleServer {
  const upgrades = new EventEmitter()
  const open = new Set<ServerResponse>()
  let draining = false
  let gate: Gate | undefined
  let answer: Handler = async (_request, response) => {
    response.writeHead(503).end()
  }
  const http = createServer((request, response) =>
    inScope({ requestId: stampRequest(request, { secure }) }, () => take(request, response)),
  )
  function take(request: IncomingMessage, response: ServerResponse): void {
    const known = originForm(request.url ?? '')
    if (known !== null) request.url = known
    const about = { method: request.method ?? '', path: pathOf(request) }
    if (draining) response.shouldKeepAlive = false
    open.add(response)
    const begun = performance.now()
    const span = traced(about, request.headers)
    const closed = () => {
      open.delete(response)
      span?.set({ 'http.response.status_code': response.statusCode })
      span?.end(response.statusCode >= 500 ? response.statusCode : undefined)
      answered({ ...about, status: response.statusCode, milliseconds: performance.now() - begun })
    }
    // The socket tells of it, and knows no scope.
    response.once('close', AsyncResource.bind(closed))
    if (gate?.refuses(request, response)) return
    if (known === null || !isDecodable(about.path)) {
      refuse(response, 400, 'This address is no path, or not escaped as UTF-8.')
      return
    }
    // Requests of fetch know no such method, and Next fails over it.
    if (about.method === 'TRACE') {
      response.setHeader('allow', 'GET, HEAD, POST, OPTIONS')
      refuse(response, 405, 'Nothing here takes this method.')
      return
    }
    const work = () => answer(request, response)
    const answering = span ? span.within(work) : work()
    answering.catch((error: unknown) => {
      failed(error, about)
      if (response.headersSent) response.destroy()
      else response.writeHead(500, { 'content-type': 'text/plain' }).end('Internal server error\n')
    })
  }
  http.on('upgrade', (request, socket, head) => {
    stampRequest(request, { secure })
    const admitted = gate?.admits(request) ?? true
    if (!admitted || !upgrades.emit('upgrade', request, socket, head)) socket.destroy()
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
    guard: (first) => {
      gate = first
    },
    drain: () => {
      draining = true
      for (const response of open) response.shouldKeepAlive = false
    },
  }
}

/**
 * What a request asks for, as path and query; of an address with a host these parts (RFC 9112, 3.2.2). Null for
 * anything else, such as `*`, on which Next fails.
 */
function originForm(target: string): string | null {
  if (target.startsWith('/')) return target
  if (!/^https?:/i.test(target) || !URL.canParse(target)) return null
  const { pathname, search } = new URL(target)
  return `${pathname}${search}`
}

function pathOf(request: IncomingMessage): string {
  return request.url?.split('?')[0] ?? ''
}

/** Whether a path's escapes are UTF-8: Next answers any other with a failure. */
function isDecodable(path: string): boolean {
  try {
    decodeURIComponent(path)
    return true
  } catch {
    return false
  }
}

function refuse(response: ServerResponse, status: number, sentence: string): void {
  response.writeHead(status, { 'content-type': 'text/plain', 'cache-control': 'no-store' })
  response.end(`${sentence}\n`)
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
