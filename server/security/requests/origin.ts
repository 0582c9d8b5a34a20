import { hasSessionCookie } from './cookies'

/**
 * Whether a state change may follow from a request. Another site can make a browser send a form with our
 * cookies, so with cookies Origin must be the console's own and Sec-Fetch-Site, if sent, same-origin. A request
 * that a browser marked with Origin must fit, too. What has neither is a program: nobody's cookies are at stake.
 * Bearer tokens are never sent by a browser on its own.
 */
export function originAllowed(headers: Headers, url: string): boolean {
  const origin = headers.get('origin')
  const site = headers.get('sec-fetch-site')
  if (origin === null && site === null) return !hasSessionCookie(headers)
  return origin === url && (site === null || site === 'same-origin')
}

/** Whether a browser asks: it gets cookies, a program gets tokens in the answer's body. */
export function isBrowser(headers: Headers): boolean {
  return headers.has('origin') || headers.has('sec-fetch-site') || hasSessionCookie(headers)
}
