import { randomUUID } from 'node:crypto'
import { decodeProtectedHeader, jwtVerify, SignJWT } from 'jose'
import type { Clock } from '@/server/clock'
import type { Keys } from './keys'

/** What an access token says: who, and in which session. */
export interface AccessClaims {
  userId: string
  sessionId: string
  tokenId: string
  /** UTC milliseconds. */
  expiresAt: number
}

export interface Tokens {
  /** Signs an access token for a session (RFC 9068 in shape). */
  sign(session: { userId: string; sessionId: string }): Promise<{ token: string; expiresAt: number }>
  /** The claims of a token that is ours, whole and in its time; otherwise null, whatever is wrong with it. */
  verify(token: string): Promise<AccessClaims | null>
}

const type = 'at+jwt'
const audience = 'holdfast'
/** Instances of one console may be apart by so many seconds. */
const tolerance = 5
const requiredClaims = ['iss', 'aud', 'sub', 'sid', 'jti', 'iat', 'exp']

/** @param accessMs life of a token; none is accepted that is older, whatever it says itself */
export function openTokens(
  { keys, clock }: { keys: Keys; clock: Clock },
  { issuer, accessMs }: { issuer: string; accessMs: number },
): Tokens {
  const life = Math.max(1, Math.floor(accessMs / 1000))
  return {
    async sign({ userId, sessionId }) {
      const { kid, algorithm, key } = await keys.signing()
      const now = Math.floor(clock.now() / 1000)
      const token = await new SignJWT({ sid: sessionId })
        .setProtectedHeader({ alg: algorithm, typ: type, kid })
        .setIssuer(issuer)
        .setAudience(audience)
        .setSubject(userId)
        .setJti(randomUUID())
        .setIssuedAt(now)
        .setExpirationTime(now + life)
        .sign(key)
      return { token, expiresAt: (now + life) * 1000 }
    },
    async verify(token) {
      try {
        if (!isCanonical(token)) return null
        const { kid } = decodeProtectedHeader(token)
        const found = typeof kid === 'string' ? await keys.verifying(kid) : null
        if (!found) return null
        const { payload } = await jwtVerify(token, found.key, {
          algorithms: [found.algorithm],
          typ: type,
          issuer,
          audience,
          requiredClaims,
          maxTokenAge: life,
          clockTolerance: tolerance,
          currentDate: new Date(clock.now()),
        })
        const { sub, sid, jti, exp } = payload
        if (typeof sub !== 'string' || typeof sid !== 'string' || typeof jti !== 'string') return null
        return { userId: sub, sessionId: sid, tokenId: jti, expiresAt: (exp ?? 0) * 1000 }
      } catch {
        return null
      }
    },
  }
}

/** base64url allows several spellings of the same bytes; only the one that we write counts. */
function isCanonical(token: string): boolean {
  const parts = token.split('.')
  return (
    parts.length === 3 &&
    parts.every((part) => part !== '' && Buffer.from(part, 'base64url').toString('base64url') === part)
  )
}
