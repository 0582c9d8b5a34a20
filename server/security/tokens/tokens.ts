import { randomUUID } from 'node:crypto'
import { SignJWT, UnsecuredJWT } from 'jose'
import type { Clock } from '@/server/clock'
import { boundedMap } from '../bounded-map'
import type { Keys, VerifyingKey } from './keys'
import { readHeader } from './token-shape'

/** What an access token says: who, and in which session. */
export interface AccessClaims {
  userId: string
  sessionId: string
  /** The session's count of step-ups when it was signed. */
  generation: number
  tokenId: string
  /** UTC milliseconds. */
  expiresAt: number
}

export interface Tokens {
  /** Signs an access token for a session (RFC 9068 in shape). */
  sign(session: {
    userId: string
    sessionId: string
    generation: number
  }): Promise<{ token: string; expiresAt: number }>
  /** The claims of a token that is ours, whole and in its time; otherwise null, whatever is wrong with it. */
  verify(token: string): Promise<AccessClaims | null>
}

const type = 'at+jwt'
const audience = 'holdfast'
const unsecured = Buffer.from('{"alg":"none"}').toString('base64url')
/** Instances of one console may be apart by so many seconds. */
export const tolerance = 5
const requiredClaims = ['iss', 'aud', 'sub', 'sid', 'jti', 'iat', 'exp']
/** So many verified tokens are remembered; then the oldest is forgotten. */
const remembered = 10_000

interface Verified {
  kid: string
  claims: AccessClaims
  /** The times in which it is good, UTC seconds, the tolerance included. */
  from: number
  until: number
}

/**
 * Signs and verifies access tokens. A signature that was verified once is remembered until the token's end:
 * only whether its key still counts and its time are looked at again. What became of the session is not said
 * here, but by the store.
 * @param accessMs life of a token; none is accepted that is older, whatever it says itself
 */
export function openTokens(
  { keys, clock }: { keys: Keys; clock: Clock },
  { issuer, accessMs }: { issuer: string; accessMs: number },
): Tokens {
  const life = Math.max(1, Math.floor(accessMs / 1000))
  const memory = boundedMap<Verified>(remembered)
  const seconds = () => Math.floor(clock.now() / 1000)

  async function recall(token: string, seen: Verified): Promise<AccessClaims | null> {
    const now = seconds()
    const good = now >= seen.from && now < seen.until && (await keys.verifying(seen.kid)) !== null
    if (good) return seen.claims
    memory.delete(token)
    return null
  }

  /** Throws, or answers null, whatever is wrong with the token. */
  function verifyNew(token: string, found: VerifyingKey): Verified | null {
    const [header = '', claims = '', signature = ''] = token.split('.')
    const signed = Buffer.from(`${header}.${claims}`)
    if (!found.verify(signed, Buffer.from(signature, 'base64url'))) return null
    // What was signed is ours: jose judges the claims, for which it takes them without a signature.
    const { payload } = UnsecuredJWT.decode(`${unsecured}.${claims}.`, {
      issuer,
      audience,
      requiredClaims,
      maxTokenAge: life,
      clockTolerance: tolerance,
      currentDate: new Date(clock.now()),
    })
    const { sub, sid, jti, exp = 0, iat = 0, nbf = 0 } = payload
    if (typeof sub !== 'string' || typeof jti !== 'string' || typeof sid !== 'string') return null
    const [, sessionId, generation] = /^([\w-]{1,64})\.([1-9]\d{0,8})$/.exec(sid) ?? []
    if (!sessionId) return null
    return {
      kid: found.kid,
      claims: {
        ...{ userId: sub, sessionId, generation: Number(generation), tokenId: jti },
        expiresAt: exp * 1000,
      },
      from: Math.max(iat, nbf) - tolerance,
      until: Math.min(exp, iat + life + 1) + tolerance,
    }
  }

  return {
    async sign({ userId, sessionId, generation }) {
      const { kid, algorithm, key } = await keys.signing()
      const now = seconds()
      const token = await new SignJWT({ sid: `${sessionId}.${generation}` })
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
      const seen = memory.get(token)
      if (seen) return recall(token, seen)
      const header = readHeader(token)
      // Outside of the try: a store that is away is no reason to call a token false.
      const found = header?.typ === type ? await keys.verifying(header.kid) : null
      if (!found || found.algorithm !== header?.alg) return null
      try {
        const verified = verifyNew(token, found)
        if (!verified) return null
        memory.set(token, verified)
        return verified.claims
      } catch {
        return null
      }
    },
  }
}
