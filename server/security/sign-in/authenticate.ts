import type { Store } from '@/db/store'
import type { Clock } from '@/server/clock'
import { type ApiKeyDoor, isApiKey } from '../api-keys/api-keys'
import { readCookie } from '../requests/cookies'
import { readSession } from '../sessions/session-facts'
import type { Tokens } from '../tokens/tokens'
import type { SessionInfo } from '../types'

interface Deps {
  store: Store
  clock: Clock
  tokens: Tokens
  apiKeys: ApiKeyDoor
}

/**
 * Says who a request comes from: by its bearer token or API key, or else by its access cookie. The token tells
 * which session; whether that still lives, and what it may do, the store says each time, in one query.
 */
export function openAuthentication({ store, clock, tokens, apiKeys }: Deps, { secure }: { secure: boolean }) {
  return async (headers: Headers, address: string): Promise<SessionInfo | null> => {
    const bearer = /^Bearer ([^ ]+)$/i.exec(headers.get('authorization') ?? '')?.[1]
    if (bearer && isApiKey(bearer)) return apiKeys.authenticate(bearer, address)
    const token = bearer ?? readCookie(headers, 'access', secure)
    const claims = token ? await tokens.verify(token) : null
    if (!claims) return null
    const { sessionId, generation, userId, expiresAt } = claims
    const session = await readSession({ store }, { sessionId, now: clock.now() })
    if (session?.userId !== userId || session.generation !== generation) return null
    return { ...session, accessExpiresAt: expiresAt }
  }
}
