import { eq } from 'drizzle-orm'
import type { Store } from '@/db/store'
import type { Clock } from '@/server/clock'
import type { Log } from '@/server/log'
import type { Vault } from '@/server/vault'
import { originOf } from '../requests/device'
import { hashOf, newOpaqueToken } from '../tokens/opaque-token'
import type { Tokens } from '../tokens/tokens'
import type { Sessions, SessionWatch, SignedIn } from '../types'
import { endAndTell, endedAlready, sessionEnded } from './session-end'
import { readSession } from './session-facts'
import { listUserSessions } from './session-list'
import { openSession, type SessionLimits } from './session-open'
import { rotateSession } from './session-rotation'

export type { SessionFacts } from './session-facts'
export { listSessions, type SessionEntry } from './session-list'
export type { SessionOrigin } from './session-open'

interface Deps {
  store: Store
  vault: Vault
  clock: Clock
  log: Log
  tokens: Tokens
  watch: SessionWatch
}

/** Opens, renews and ends sessions. Whatever ends is told to {@link SessionWatch} once it is committed. */
export function openSessions(
  { store, vault, clock, log, tokens, watch }: Deps,
  limits: SessionLimits,
): Sessions {
  /** An access token for what the store says of the session now. Null when it has ended meanwhile. */
  async function handOut(sessionId: string, refreshToken?: string): Promise<SignedIn | null> {
    const standing = await readSession({ store }, { sessionId, now: clock.now() })
    if (!standing) return null
    const { token, expiresAt } = await tokens.sign(standing)
    return { session: { ...standing, accessExpiresAt: expiresAt }, accessToken: token, refreshToken }
  }

  const end = (of: Parameters<typeof endAndTell>[1]) => endAndTell({ store, clock, watch }, of)

  return {
    async open(proven, { by, deviceId }) {
      const refreshToken = newOpaqueToken()
      const opened = await store.run(openSession, {
        ...proven,
        refreshHash: hashOf(refreshToken),
        origin: originOf(by, deviceId),
        ...{ limits, by, now: clock.now() },
      })
      if (!opened) return null
      watch.ended(opened.replaced)
      return handOut(opened.sessionId, refreshToken)
    },

    async refresh(refreshToken, { by, deviceId }) {
      const hash = hashOf(refreshToken)
      const { refreshTokens } = store.tables
      const [found] = await store.db
        .select({ salt: refreshTokens.salt })
        .from(refreshTokens)
        .where(eq(refreshTokens.hash, hash))
      if (!found) throw sessionEnded()
      const successor = vault.mac('refresh-successor', `${refreshToken}|${found.salt}`).toString('base64url')
      const rotation = await store.run(rotateSession, {
        ...{ hash, successorHash: hashOf(successor) },
        origin: originOf(by, deviceId),
        ...{ limits, by, now: clock.now() },
      })
      if ('ended' in rotation) watch.ended(rotation.ended)
      if (rotation.outcome === 'reused') {
        log.warn({ address: by.address, requestId: by.requestId }, 'a used refresh token came back')
      }
      const signedIn = 'sessionId' in rotation ? await handOut(rotation.sessionId, successor) : null
      if (!signedIn) throw sessionEnded()
      return signedIn
    },

    async reissue({ sessionId }) {
      const signedIn = await handOut(sessionId)
      if (!signedIn) throw sessionEnded()
      return signedIn
    },

    async signOut({ session, refreshToken }, by) {
      const own = session?.kind === 'session' ? session : null
      const at = own ?? (refreshToken ? await findByRefreshToken({ store }, hashOf(refreshToken)) : null)
      if (at) await end({ userId: at.userId, which: { only: at.sessionId }, reason: 'signed out', by })
    },

    list: ({ userId }) => listUserSessions({ store }, { userId, now: clock.now() }),

    async end({ sessionId }, by) {
      if ((await end({ which: { only: sessionId }, reason: 'ended', by })) === 0) throw endedAlready()
    },
    endAll: ({ userId }, by) => end({ userId, which: 'all', reason: 'ended', by }),
  }
}

/** Whose session a refresh token belongs to, whatever became of either. */
async function findByRefreshToken(
  { store }: { store: Store },
  hash: string,
): Promise<{ userId: string; sessionId: string } | null> {
  const { sessions, refreshTokens: tokens } = store.tables
  const [row] = await store.db
    .select({ userId: sessions.userId, sessionId: sessions.id })
    .from(tokens)
    .innerJoin(sessions, eq(sessions.id, tokens.sessionId))
    .where(eq(tokens.hash, hash))
  return row ?? null
}
