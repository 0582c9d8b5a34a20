import { type NextRequest, NextResponse } from 'next/server'

/**
 * The security headers of every page and answer. The nonce is new for each request; Next puts it on its own
 * scripts and styles. Uploads and static files stay out of the matcher: Next would clone an upload's body here.
 */
export function proxy(request: NextRequest): NextResponse {
  const nonce = btoa(crypto.randomUUID())
  const policy = contentSecurityPolicy(nonce, process.env.NODE_ENV === 'development')
  const requestId = requestIdOf(request.headers.get('x-request-id'))

  const forwarded = new Headers(request.headers)
  forwarded.set('x-nonce', nonce)
  forwarded.set('x-request-id', requestId)
  forwarded.set('content-security-policy', policy)
  // Where to come back to after a sign-in: a layout isn't told its address otherwise.
  forwarded.set('x-holdfast-path', `${request.nextUrl.pathname}${request.nextUrl.search}`)

  const response = NextResponse.next({ request: { headers: forwarded } })
  const headers = response.headers
  headers.set('content-security-policy', policy)
  headers.set('x-request-id', requestId)
  headers.set('x-content-type-options', 'nosniff')
  headers.set('x-frame-options', 'DENY')
  headers.set('x-robots-tag', 'noindex, nofollow')
  headers.set('referrer-policy', 'same-origin')
  headers.set('cross-origin-opener-policy', 'same-origin')
  headers.set('cross-origin-resource-policy', 'same-origin')
  headers.set('permissions-policy', PERMISSIONS)
  // Set by the server's own entry alone, which drops what a client sends under this name.
  if (request.headers.get('x-holdfast-secure') === '1') {
    headers.set('strict-transport-security', 'max-age=31536000')
  }
  return response
}

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

/** No inline script or style without the nonce. Development needs eval for stack traces and styles put in by reloading. */
function contentSecurityPolicy(nonce: string, development: boolean): string {
  return [
    `default-src 'self'`,
    `script-src 'self' 'nonce-${nonce}' 'strict-dynamic'${development ? " 'unsafe-eval'" : ''}`,
    `style-src 'self' ${development ? "'unsafe-inline'" : `'nonce-${nonce}'`}`,
    `img-src 'self' data: blob:`,
    `font-src 'self'`,
    `connect-src 'self'${development ? ' ws: wss:' : ''}`,
    `worker-src 'self'`,
    `object-src 'none'`,
    `base-uri 'none'`,
    `form-action 'self'`,
    `frame-src 'none'`,
    `frame-ancestors 'none'`,
  ].join('; ')
}

/** A proxy's own request id is kept if it is plain; anything else is replaced. */
function requestIdOf(given: string | null): string {
  return given && /^[\w.-]{8,64}$/.test(given) ? given : crypto.randomUUID()
}

export const config = {
  matcher: ['/((?!_next/static|_next/image|api/upload|icon.svg|favicon.ico|robots.txt).*)'],
}
