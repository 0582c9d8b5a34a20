import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A span as OTLP/JSON tells it, with its attributes as plain values. */
export interface CollectedSpan {
  traceId: string
  spanId: string
  parentSpanId: string | undefined
  name: string
  kind: number
  attributes: Record<string, string | number | boolean>
  /** Of the process that sent it. */
  resource: Record<string, string | number | boolean>
  failed: boolean
}

export interface Collector {
  /** For OTEL_EXPORTER_OTLP_ENDPOINT. */
  url: string
  port: number
  spans: CollectedSpan[]
  /** Of every request that came, in order. */
  headers: NodeJS.Dict<string | string[]>[]
  /** From now on it takes requests and never answers them. */
  hang(): void
  close(): Promise<void>
}

type Value = { stringValue?: string; intValue?: number | string; boolValue?: boolean; doubleValue?: number }
type Attributes = { key: string; value: Value }[]

/** A collector of traces on a free port of 127.0.0.1: it takes OTLP over HTTP, in JSON. */
export async function startCollector(): Promise<Collector> {
  const spans: CollectedSpan[] = []
  const headers: Collector['headers'] = []
  const open = new Set<ServerResponse>()
  let hanging = false
  const server = createServer(async (request, response) => {
    open.add(response)
    response.on('close', () => open.delete(response))
    headers.push(request.headers)
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    if (hanging) return
    if (request.url !== '/v1/traces' || request.headers['content-type'] !== 'application/json') {
      response.writeHead(404).end()
      return
    }
    spans.push(...read(JSON.parse(Buffer.concat(chunks).toString('utf8'))))
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    ...{ url: `http://127.0.0.1:${port}`, port, spans, headers },
    hang: () => {
      hanging = true
    },
    async close() {
      server.close()
      server.closeAllConnections()
      if (server.listening) await once(server, 'close')
    },
  }
}

interface Sent {
  resourceSpans: {
    resource: { attributes: Attributes }
    scopeSpans: {
      spans: {
        traceId: string
        spanId: string
        parentSpanId?: string
        name: string
        kind: number
        attributes: Attributes
        status: { code?: number }
      }[]
    }[]
  }[]
}

function read({ resourceSpans }: Sent): CollectedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap((scope) =>
      scope.spans.map(({ traceId, spanId, parentSpanId, name, kind, attributes, status }) => ({
        ...{ traceId, spanId, parentSpanId: parentSpanId || undefined, name, kind },
        attributes: plain(attributes),
        resource: plain(resource.attributes),
        failed: status.code === 2,
      })),
    ),
  )
}

function plain(attributes: Attributes) {
  return Object.fromEntries(
    attributes.map(({ key, value: { stringValue, intValue, boolValue, doubleValue } }) => [
      key,
      stringValue ?? boolValue ?? doubleValue ?? Number(intValue),
    ]),
  )
}

/** Whether every span but one stands below another of them; `above`: the span that the one stands below. */
export function isOneTree(spans: readonly CollectedSpan[], above?: string): boolean {
  const ids = new Set(spans.map(({ spanId }) => spanId))
  const roots = spans.filter(({ parentSpanId }) => parentSpanId === undefined || !ids.has(parentSpanId))
  return ids.size === spans.length && roots.length === 1 && roots[0]?.parentSpanId === above
}
