import { randomUUID } from 'node:crypto'

const PERMISSIONS = [
  'camera=()',
  'microphone=()',
  'geolocation=()',
  'payment=()',
  'usb=()',
  'browsing-topics=()',
  'clipboard-read=(self)',
  'clipboard-write=(self)',
  'publickey-credentials-get=(self)',
  'publickey-credentials-create=(self)',
].join(', ')

const always = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'x-robots-tag': 'noindex, nofollow',
  'referrer-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': PERMISSIONS,
}

/** The security headers of every page and answer. `secure`: the console's public origin is https. */
export function responseHeaders({
  policy,
  requestId,
  secure,
}: {
  policy: string
  requestId: string
  secure: boolean
}): Record<string, string> {
  const headers = { 'content-security-policy': policy, 'x-request-id': requestId, ...always }
  return secure ? { ...headers, 'strict-transport-security': 'max-age=31536000' } : headers
}

/** What is no page loads nothing and stands in no frame. */
export const noPagePolicy = "default-src 'none'; frame-ancestors 'none'"

/** A proxy's own request id is kept if it is plain; anything else is replaced. */
export function requestIdOf(given: string | null | undefined): string {
  return given && /^[\w.-]{8,64}$/.test(given) ? given : randomUUID()
}
