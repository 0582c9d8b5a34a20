const kinds = ['access', 'refresh', 'device', 'position'] as const

export type CookieKind = (typeof kinds)[number]

/** How long a browser keeps its device cookie: browsers allow 400 days at most. */
const deviceLife = 400 * 86_400_000

/** The name of a cookie. `__Host-` binds it to this host, to https and to the whole site (RFC 6265bis). */
export function cookieName(kind: CookieKind, secure: boolean): string {
  return `${secure ? '__Host-' : ''}holdfast-${kind}`
}

/** The value of one of the console's cookies. Of two with the same name neither is believed. */
export function readCookie(headers: Headers, kind: CookieKind, secure: boolean): string | undefined {
  const name = cookieName(kind, secure)
  const values = pairs(headers).filter(([key]) => key === name)
  return values.length === 1 ? values[0]?.[1] : undefined
}

/** Whether a request carries anything that could sign it in. */
export function hasSessionCookie(headers: Headers): boolean {
  const names = new Set(
    [true, false].flatMap((secure) => [cookieName('access', secure), cookieName('refresh', secure)]),
  )
  return pairs(headers).some(([name]) => names.has(name))
}

/** Sets one cookie on an answer, until `expiresAt` (UTC ms). */
export function setCookie(
  headers: Headers,
  kind: CookieKind,
  value: string,
  { secure, now, expiresAt }: { secure: boolean; now: number; expiresAt?: number },
): void {
  const life = kind === 'device' ? deviceLife : Math.max(0, (expiresAt ?? now) - now)
  headers.append(
    'set-cookie',
    [
      `${cookieName(kind, secure)}=${value}`,
      'Path=/',
      'HttpOnly',
      'SameSite=Lax',
      ...(secure ? ['Secure'] : []),
      `Max-Age=${Math.floor(life / 1000)}`,
    ].join('; '),
  )
}

/** Takes the session's cookies away; the device stays known. */
export function clearCookies(headers: Headers, secure: boolean): void {
  for (const kind of ['access', 'refresh'] as const) setCookie(headers, kind, '', { secure, now: 0 })
}

function pairs(headers: Headers): [string, string][] {
  return (headers.get('cookie') ?? '').split(';').map((pair) => {
    const at = pair.indexOf('=')
    return at < 0 ? ['', pair.trim()] : [pair.slice(0, at).trim(), pair.slice(at + 1).trim()]
  })
}
