import { isApiKey } from '../api-keys/api-keys'
import { readCookie } from '../requests/cookies'
import type { Tokens } from './tokens'

/**
 * Why what a request brought as proof is refused, when that is worth a line in the audit log; null for none at all, for
 * one that ran out, and for one whose session is over. Ask only where nobody is signed in.
 */
export function openDoubts({ tokens }: { tokens: Tokens }, { secure }: { secure: boolean }) {
  return async (headers: Headers, now: number): Promise<string | null> => {
    const authorization = headers.get('authorization')
    const bearer = /^Bearer ([^ ]+)$/i.exec(authorization ?? '')?.[1]
    if (authorization !== null && bearer === undefined) return 'no bearer token in the header Authorization'
    if (bearer && isApiKey(bearer)) return 'an API key that is unknown, revoked or over'
    const token = bearer ?? readCookie(headers, 'access', secure)
    if (!token || (await tokens.verify(token))) return null
    const claims = claimsOf(token)
    if (!claims) return 'an access token that is malformed'
    const ranOut = typeof claims.exp === 'number' && claims.exp * 1000 <= now
    return ranOut ? null : 'an access token that the console never signed'
  }
}

/** What a token says of itself, whoever made it. */
function claimsOf(token: string): { exp?: unknown } | null {
  const [, claims, signature] = token.split('.')
  if (!claims || signature === undefined) return null
  try {
    const value: unknown = JSON.parse(Buffer.from(claims, 'base64url').toString('utf8'))
    return typeof value === 'object' ? value : null
  } catch {
    return null
  }
}
