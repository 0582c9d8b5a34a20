import type { IncomingMessage, ServerResponse } from 'node:http'
import { promisify } from 'node:util'
import { gzip as gzipCallback } from 'node:zlib'
import { noPagePolicy, responseHeaders } from '@/server/security/requests/headers'
import type { EventStream } from '@/server/trpc/answer'
import type { ApiRequest } from '@/server/trpc/request'
import type { Handler } from './http'
import { REQUEST_ID_HEADER, SECURE_HEADER } from './peer'

const gzip = promisify(gzipCallback)
/** Bodies below are not worth packing. */
const PACKED_FROM = 2_048
/** Of a body that was refused unread, so much is read all the same. */
const MOST_UNREAD = 8 * 1_048_576

/** Answers a request: with all of it, or with events as they come. */
export type Answerer = (request: ApiRequest) => Promise<Response | EventStream>

/**
 * Answers what lies below the given paths with Node's own server, and leaves the rest to `others`: Next would take
 * most of the time of such a request (docs/decisions/0027).
 */
export function withApi(answerers: Record<string, Answerer>, others: Handler): Handler {
  const paths = Object.entries(answerers)
  return async (request, response) => {
    const answerer = paths.find(([path]) => request.url?.startsWith(path))?.[1]
    if (!answerer) return others(request, response)
    const requestId = String(request.headers[REQUEST_ID_HEADER] ?? '')
    const secure = request.headers[SECURE_HEADER] === '1'
    const gone = new AbortController()
    response.once('close', () => {
      if (!response.writableFinished) gone.abort()
    })
    const answer = await answerer(requestOf(request, gone.signal))
    const headers = responseHeaders({ policy: noPagePolicy, requestId, secure })
    if ('write' in answer) await sendEvents(response, answer, headers)
    else {
      await readOut(request).catch(() => {})
      await send(request, response, answer, headers)
    }
  }
}

function requestOf(request: IncomingMessage, signal: AbortSignal): ApiRequest {
  const { method = 'GET', url = '', rawHeaders } = request
  const headers = new Headers()
  for (let at = 0; at < rawHeaders.length; at += 2) {
    headers.append(rawHeaders[at] as string, rawHeaders[at + 1] as string)
  }
  const body = method === 'GET' || method === 'HEAD' ? null : bytesOf(request)
  // Who is asked stands in the configuration, never in what a client says.
  return { url: `http://localhost${url}`, method, headers, body, signal }
}

/** What comes of a body; who stops to read it can still be answered. */
function bytesOf(request: IncomingMessage): AsyncIterable<Uint8Array> {
  return { [Symbol.asyncIterator]: () => request.iterator({ destroyOnReturn: false }) }
}

/** A connection that is closed over bytes that nobody read loses the answer on its way (RFC 9112, 9.6). */
async function readOut(request: IncomingMessage): Promise<void> {
  if (request.complete || request.destroyed) return
  let left = MOST_UNREAD
  for await (const { byteLength } of bytesOf(request)) {
    left -= byteLength
    if (left < 0) return
  }
}

async function sendEvents(
  response: ServerResponse,
  { headers, write }: EventStream,
  more: Record<string, string>,
): Promise<void> {
  response.writeHead(200, { ...Object.fromEntries(headers), ...more })
  await write(response)
}

async function send(
  request: IncomingMessage,
  response: ServerResponse,
  answer: Response,
  more: Record<string, string>,
): Promise<void> {
  const headers: Record<string, string | string[]> = { ...Object.fromEntries(answer.headers), ...more }
  const cookies = answer.headers.getSetCookie()
  if (cookies.length > 0) headers['set-cookie'] = cookies
  const whole = Buffer.from(await answer.arrayBuffer())
  const packed = whole.length >= PACKED_FROM && takesGzip(request)
  const body = packed ? await gzip(whole) : whole
  if (packed) headers['content-encoding'] = 'gzip'
  if (whole.length >= PACKED_FROM)
    headers.vary = headers.vary ? `${headers.vary}, accept-encoding` : 'accept-encoding'
  if (answer.status !== 204) headers['content-length'] = String(body.length)
  response.writeHead(answer.status, headers)
  response.end(request.method === 'HEAD' ? undefined : body)
}

/** Whether a client takes gzip: by name, and not with a weight of zero (RFC 9110, 12.5.3). */
function takesGzip({ headers }: IncomingMessage): boolean {
  return /\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))/i.test(String(headers['accept-encoding'] ?? ''))
}
