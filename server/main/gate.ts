import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Blocked } from '@/server/security/limits'
import { clientAddress } from '@/server/security/requests/address'
import { noPagePolicy } from '@/server/security/requests/headers'
import { PEER_HEADER, REQUEST_ID_HEADER } from './peer'

/** What is asked of the limits; see server/security/limits. */
export interface Blocks {
  blockOf(address: string): Blocked | null
  noteRefused(blockId: string): void
  watch(listener: () => void): () => void
}

export interface Gate {
  /** Answers a request of a blocked address; false for one that may go on, which ends when its address is blocked. */
  refuses(request: IncomingMessage, response: ServerResponse): boolean
  /** Whether a request that no answer belongs to may go on. */
  admits(request: IncomingMessage): boolean
}

/**
 * Keeps blocked addresses out before anything is done for them: pages, procedures, uploads, files and streams. What
 * is open when its address is blocked ends at once.
 */
export function openGate(
  blocks: Blocks,
  { trustedProxies, now }: { trustedProxies: readonly string[]; now: () => number },
): Gate {
  const open = new Map<ServerResponse, string>()
  const addressOf = ({ headers }: IncomingMessage) =>
    clientAddress(
      String(headers[PEER_HEADER] ?? ''),
      forwardedFor(headers['x-forwarded-for']),
      trustedProxies,
    )

  blocks.watch(() => {
    for (const [response, address] of open) if (blocks.blockOf(address)) response.destroy()
  })

  return {
    admits: (request) => blocks.blockOf(addressOf(request)) === null,
    refuses(request, response) {
      const address = addressOf(request)
      const block = blocks.blockOf(address)
      if (!block) {
        open.set(response, address)
        response.once('close', () => open.delete(response))
        return false
      }
      blocks.noteRefused(block.blockId)
      answer(request, response, { ...block, now: now() })
      return true
    },
  }
}

/** Node joins the header's lines by commas; its type allows a list all the same. */
function forwardedFor(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header.join(',') : header
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { until, now }: { until: number | null; now: number },
): void {
  const requestId = String(request.headers[REQUEST_ID_HEADER] ?? '')
  const { type, body } = wanted(request, { until, now, requestId })
  response.writeHead(403, {
    'content-type': type,
    'cache-control': 'no-store',
    'content-security-policy': noPagePolicy,
    'x-content-type-options': 'nosniff',
    'x-request-id': requestId,
    // What came as a body is not read.
    connection: 'close',
    ...(until === null ? {} : { 'retry-after': String(Math.max(1, Math.ceil((until - now) / 1000))) }),
  })
  response.end(request.method === 'HEAD' ? undefined : body)
}

interface Facts {
  until: number | null
  now: number
  requestId: string
}

const message = 'Your address is blocked.'

/** A page for a browser, the form of a procedure's failure for the console's own client, problem details else. */
function wanted({ url = '', headers }: IncomingMessage, { until, now, requestId }: Facts) {
  const end =
    until === null
      ? 'until an administrator lifts the block'
      : `until ${new Date(until).toISOString().replace('T', ' ').slice(0, 19)} UTC`
  const how = `This console does not answer it ${end}.`
  const detail = `${message} ${how}`
  const remedy = 'If this is a mistake, give an administrator the request id.'
  const code = 'BLOCKED'
  const retryAfterMs = until === null ? null : Math.max(0, until - now)
  if (url.startsWith('/api/trpc/')) {
    const data = { code, httpStatus: 403, requestId, traceId: null, remedy, retryAfterMs, details: null }
    return json('application/json', { error: { message: detail, code: -32600, data } })
  }
  if (!url.startsWith('/api/') && /\btext\/html\b/.test(headers.accept ?? '')) {
    return { type: 'text/html; charset=utf-8', body: page({ detail: how, remedy, requestId }) }
  }
  return json('application/problem+json', {
    ...{ type: 'about:blank', title: 'Forbidden', status: 403, detail },
    ...{ code, requestId, remedy, retryAfterMs },
  })
}

const json = (type: string, body: object) => ({ type, body: JSON.stringify(body) })

/** Nothing in it comes from the request. */
function page({ detail, remedy, requestId }: { detail: string; remedy: string; requestId: string }): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Blocked · Holdfast</title>
<main>
<h1>${message}</h1>
<p>${detail}</p>
<p>${remedy}</p>
<p>Request id: <code>${requestId}</code></p>
</main>
</html>
`
}
