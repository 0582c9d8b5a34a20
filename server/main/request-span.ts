import type { IncomingHttpHeaders } from 'node:http'
import { kindOf, type RequestKind } from '@/server/exposition/http'
import type { Runtime } from '@/server/runtime'
import type { OpenSpan } from '@/server/trace'
import type { Answered } from './http'

/** Patterns of the addresses that are traced. Streams stay open for hours; files and probes tell nothing. */
const routes: Partial<Record<RequestKind, string>> = {
  trpc: '/api/trpc/{procedures}',
  rest: '/api/{operation}',
  upload: '/api/upload',
  other: '/api/{file}',
  page: '/{page}',
}

/** The span of a request, below the one that its traceparent names. Query and headers are not told. */
export function requestSpan(
  { trace, env }: Pick<Runtime, 'trace' | 'env'>,
  { method, path }: Pick<Answered, 'method' | 'path'>,
  headers: IncomingHttpHeaders,
): OpenSpan | undefined {
  if (!trace) return undefined
  const route = routes[kindOf(path)]
  if (!route) return undefined
  const { protocol, hostname } = new URL(env.HOLDFAST_URL)
  const known = METHODS.has(method) ? method : '_OTHER'
  return trace.begin(
    {
      name: `${known} ${route}`,
      kind: 'server',
      attributes: {
        'http.request.method': known,
        'http.route': route,
        'url.path': path,
        'url.scheme': protocol.slice(0, -1),
        'server.address': hostname,
        'user_agent.original': headers['user-agent'],
      },
    },
    headers,
  )
}

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
