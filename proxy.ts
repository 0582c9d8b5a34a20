import { type NextRequest, NextResponse } from 'next/server'
import { responseHeaders } from '@/server/security/requests/headers'

/**
 * The security headers of every page and answer. The nonce is new for each request; Next puts it on its own
 * scripts and styles. Uploads and static files stay out of the matcher: Next would clone an upload's body here.
 */
export function proxy(request: NextRequest): NextResponse {
  const nonce = btoa(crypto.randomUUID())
  const policy = contentSecurityPolicy(nonce, process.env.NODE_ENV === 'development')
  // Set by the server's own entry.
  const requestId = request.headers.get('x-request-id') ?? ''

  const forwarded = new Headers(request.headers)
  forwarded.set('x-nonce', nonce)
  forwarded.set('content-security-policy', policy)
  // Where to come back to after a sign-in: a layout isn't told its address otherwise.
  forwarded.set('x-holdfast-path', `${request.nextUrl.pathname}${request.nextUrl.search}`)

  const response = NextResponse.next({ request: { headers: forwarded } })
  // Secure: set by the server's own entry alone, which drops what a client sends under this name.
  const secure = request.headers.get('x-holdfast-secure') === '1'
  const headers = responseHeaders({ policy, requestId, secure })
  for (const [name, value] of Object.entries(headers)) response.headers.set(name, value)
  return response
}

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

export const config = {
  matcher: ['/((?!_next/static|_next/image|api/upload|favicon.ico|robots.txt).*)'],
}
