import { Webhook } from 'standardwebhooks'
import { isHoldfastError } from '@/server/errors'
import { retryAfter } from './schedule'
import type { Message, Sent, WebhookSecrets } from './types'

/** One HTTP call, behind the guard and the limits of its pool. */
export type Request = (
  url: string,
  options: { method: 'POST'; headers: Record<string, string>; body: string; signal: AbortSignal },
) => Promise<{ status: number; headers: Record<string, string> }>

/** How long messages bear the signature of the secret before, too. */
export const overlapMs = 86_400_000

/**
 * The headers and body of a message after Standard Webhooks (standardwebhooks.com): signed by HMAC-SHA-256 over id,
 * timestamp and body, and by the secret before as well while it is being replaced.
 */
export function signed(
  message: Message,
  {
    secret,
    previous,
    previousUntil,
  }: Pick<WebhookSecrets, 'secret' | 'previous'> & { previousUntil: number | null },
  { now, url }: { now: number; url: string },
): { headers: Record<string, string>; body: string } {
  const body = JSON.stringify(payloadOf(message, now, url))
  const at = new Date(now)
  const secrets =
    previous !== null && previousUntil !== null && previousUntil > now ? [secret, previous] : [secret]
  return {
    body,
    headers: {
      'content-type': 'application/json',
      'webhook-id': message.id,
      'webhook-timestamp': String(Math.floor(now / 1_000)),
      'webhook-signature': secrets.map((one) => new Webhook(one).sign(message.id, at, body)).join(' '),
    },
  }
}

function payloadOf({ alerts: [alert] }: Message, now: number, url: string) {
  const timestamp = new Date(now).toISOString()
  if (!alert)
    return {
      type: 'alert.test',
      timestamp,
      data: { title: 'This is a test.', url: `${url}/security/alerts` },
    }
  const { id, key, severity, title, body, findingId, createdAt } = alert
  return {
    type: 'alert.raised',
    timestamp,
    data: {
      ...{ id, key, severity, title, body, findingId, raisedAt: new Date(createdAt).toISOString() },
      url: findingLink(url, findingId),
    },
  }
}

/** Where the console shows what an alert is about. */
export const findingLink = (url: string, findingId: string | null) =>
  findingId ? `${url}/security/findings?finding=${encodeURIComponent(findingId)}` : `${url}/security/alerts`

interface Deps {
  request: Request
  now: () => number
  url: string
}

/** Sends a message, once. Any answer but 2xx is a failure, redirects among them. Throws the reason of the signal. */
export async function sendWebhook(
  { request, now, url }: Deps,
  message: Message,
  secrets: WebhookSecrets & { previousUntil: number | null },
  signal: AbortSignal,
): Promise<Sent> {
  const { headers, body } = signed(message, secrets, { now: now(), url })
  const begun = performance.now()
  const took = () => Math.round(performance.now() - begun)
  try {
    const given = { ...secrets.headers, ...headers, 'user-agent': 'Holdfast' }
    const answer = await request(secrets.url, { method: 'POST', headers: given, body, signal })
    return judge(answer, took(), now())
  } catch (error) {
    if (signal.aborted) throw error
    if (!isHoldfastError(error)) throw error
    const { message: said, remedy, retryAfterMs } = error
    return {
      ...{ ok: false, answer: null, tookMs: took(), retryAfterMs },
      error: remedy ? `${said} ${remedy}` : said,
      // A receiver that is left alone for a while, or a console that ends.
      unsent: retryAfterMs !== undefined || error.code === 'SHUTTING_DOWN',
    }
  }
}

function judge(
  { status, headers }: { status: number; headers: Record<string, string> },
  tookMs: number,
  now: number,
): Sent {
  const answer = String(status)
  if (status >= 200 && status < 300) return { ok: true, answer, tookMs }
  if (status === 410) {
    const error =
      'The receiver answered 410 Gone: it wants no more of this console. Give another address, and switch the channel on again.'
    return { ok: false, answer, tookMs, error, gone: true }
  }
  const retryAfterMs = retryAfter(headers['retry-after'], now)
  return { ok: false, answer, tookMs, retryAfterMs, error: reasonOf(status) }
}

function reasonOf(status: number): string {
  if (status >= 300 && status < 400)
    return `The receiver answered ${status}: it is elsewhere by now. Redirects are not followed; give its new address.`
  if (status === 401 || status === 403)
    return `The receiver answered ${status}: check the signing secret and the headers that it asks for.`
  if (status === 404 || status === 405)
    return `The receiver answered ${status}: check the path of its address.`
  if (status === 429) return 'The receiver answered 429: it gets more than it takes.'
  return `The receiver answered ${status}: its own log tells why.`
}
