import { createHash, randomBytes } from 'node:crypto'
import { eq } from 'drizzle-orm'
import type { JWK } from 'jose'
import type { Store } from '@/db/store'
import type { Role } from '@/db/tables'
import type { Caller } from '@/server/audit'
import type { Clock } from '@/server/clock'
import { HoldfastError } from '@/server/errors'
import type { Log } from '@/server/log'
import type { Vault } from '@/server/vault'
import { readCookie } from './cookies'
import { deviceName } from './device'
import { openSessionEvents } from './events'
import { openKeys } from './keys'
import { openPasswords } from './passwords'
import { type EventPage, recentEvents, type SecurityFigures, securityFigures } from './recent-events'
import {
  type EndReason,
  endSessions,
  findByRefreshToken,
  findSession,
  hashOf,
  listSessions,
  newRefreshToken,
  openSession,
  rotateSession,
  type SessionEntry,
  type SessionFacts,
  type SessionOrigin,
} from './sessions'
import {
  alreadySetUp,
  createSetUpToken,
  createUser,
  finishSetUp,
  linkUsed,
  needsSetUp,
  setUpLinkState,
} from './set-up'
import { type Credentials, plainEmail, proveByPassword, wrongCredentials } from './sign-in'
import { type StepUpRequest, stepUp } from './step-up'
import { openTokens } from './tokens'

export type { SessionEntry } from './sessions'

/** A signed-in session as every procedure sees it. */
export interface SessionInfo extends SessionFacts {
  /** When the access token runs out, UTC ms; a refresh brings the next one. */
  accessExpiresAt: number
}

export interface SecurityConfig {
  /** Life of an access token, ms. */
  accessMs: number
  /** Disuse after which a session ends, ms. */
  refreshMs: number
  /** Signs access tokens by HS256; without it a key pair is made. */
  jwtSecret?: string
  /** The console's public origin: issuer of tokens, address of links, and whether cookies are Secure. */
  url: string
  /** Life of a session however much it is used; 30 days, or `refreshMs` if that is longer. */
  absoluteMs?: number
  maxSessionsPerUser?: number
}

/** Who asks to be signed in: the caller of the event, and what makes a device known again. */
export interface Client {
  by: Caller
  /** The value of the device cookie, if the browser sent one. */
  deviceId?: string
}

/** What a sign-in or a refresh hands out. Tokens go into cookies or a body, and nowhere else. */
export interface SignedIn {
  session: SessionInfo
  accessToken: string
  refreshToken: string
}

export interface Security {
  /** The session of a request, by its access cookie or bearer token; null when there is none that lives. */
  authenticate(headers: Headers): Promise<SessionInfo | null>
  signIn(credentials: Credentials, client: Client): Promise<SignedIn>
  /** Makes the first admin by a set-up link's token, and signs in. Throws LINK_USED, ALREADY_SET_UP. */
  setUp(input: { token: string; name: string } & Credentials, client: Client): Promise<SignedIn>
  /** Rotates a refresh token. Throws SESSION_ENDED; a token that was used before ends its session. */
  refresh(refreshToken: string, client: Client): Promise<SignedIn>
  /** Ends the session of a request, found by its access token or else by its refresh token. */
  signOut(of: { session: SessionInfo | null; refreshToken?: string }, by: Caller): Promise<void>
  /** Ends a session of the user himself. NOT_FOUND when it is not his, or has ended. */
  endSession(session: SessionInfo, sessionId: string, by: Caller): Promise<void>
  /** Ends all sessions of the user but this one; answers how many. */
  endOtherSessions(session: SessionInfo, by: Caller): Promise<number>
  /** Checks the password again and makes a grant for one action with one input. */
  stepUp(
    session: SessionInfo,
    request: StepUpRequest,
    by: Caller,
  ): Promise<{ grantId: string; expiresAt: number }>
  sessions(session: SessionInfo): Promise<SessionEntry[]>
  events(page: { before?: number; limit: number }): Promise<EventPage>
  figures(): Promise<SecurityFigures>
  /** Makes a user outright: for the machine's command line. */
  createUser(user: Credentials & { name: string; role: Role }, by: Caller): Promise<{ userId: string }>
  needsSetUp(): Promise<boolean>
  setUpLinkState(token: string): Promise<'usable' | 'used' | 'unknown'>
  /** A new one-time link for the first admin; null once there is one. */
  createSetUpLink(): Promise<string | null>
  /** The public keys by which other programs verify access tokens. */
  jwks(): Promise<{ keys: JWK[] }>
  onSessionEnded(listener: (sessionId: string) => void): () => void
  /** Whether cookies are Secure. */
  secure: boolean
}

/** Opens the accounts of the console on its store. */
export function openSecurity(
  deps: { store: Store; vault: Vault; clock: Clock; log: Log },
  config: SecurityConfig,
): Security {
  const { store, vault, clock, log } = deps
  const secure = config.url.startsWith('https:')
  const limits = {
    idleMs: config.refreshMs,
    absoluteMs: Math.max(config.absoluteMs ?? 30 * 86_400_000, config.refreshMs),
    perUser: config.maxSessionsPerUser ?? 10,
  }
  const passwords = openPasswords()
  const keys = openKeys(deps, config.jwtSecret)
  const tokens = openTokens({ keys, clock }, { issuer: config.url, accessMs: config.accessMs })
  const ends = openSessionEvents()
  const proving = { store, passwords, clock }

  async function handOut(facts: SessionFacts, refreshToken: string): Promise<SignedIn> {
    const { token, expiresAt } = await tokens.sign(facts)
    return { session: { ...facts, accessExpiresAt: expiresAt }, accessToken: token, refreshToken }
  }

  async function signIn(credentials: Credentials, { by, deviceId }: Client): Promise<SignedIn> {
    const proven = await proveByPassword(proving, credentials, by)
    const refreshToken = newRefreshToken()
    const opened = await store.run(openSession, {
      ...proven,
      refreshHash: hashOf(refreshToken),
      methods: ['pwd'],
      origin: originOf(by, deviceId),
      ...{ limits, by, now: clock.now() },
    })
    if (!opened) throw wrongCredentials()
    ends.ended(opened.replaced)
    return handOut(opened.session, refreshToken)
  }

  async function end(
    userId: string,
    which: { only: string } | { allBut: string },
    why: EndReason,
    by: Caller,
  ) {
    const ended = await store.run(endSessions, { userId, which, reason: why, by, now: clock.now() })
    ends.ended(ended)
    return ended.length
  }

  return {
    secure,
    onSessionEnded: ends.onSessionEnded,
    signIn,

    async authenticate(headers) {
      const bearer = /^Bearer ([^ ]+)$/i.exec(headers.get('authorization') ?? '')?.[1]
      const token = bearer ?? readCookie(headers, 'access', secure)
      const claims = token ? await tokens.verify(token) : null
      const facts = claims && (await findSession({ store }, { ...claims, now: clock.now() }))
      return facts && { ...facts, accessExpiresAt: claims.expiresAt }
    },

    async setUp({ token, email, name, password }, client) {
      const state = await setUpLinkState({ store }, token, clock.now())
      if (state !== 'usable') throw (await needsSetUp({ store })) ? linkUsed() : alreadySetUp()
      const user = { email: plainEmail(email), name, passwordHash: await passwords.hash(password) }
      const now = clock.now()
      await store.run(finishSetUp, { tokenHash: hashOf(token), user, by: client.by, now })
      return signIn({ email, password }, client)
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
      if ('session' in rotation) return handOut(rotation.session, successor)
      if ('ended' in rotation) ends.ended(rotation.ended)
      if (rotation.outcome === 'reused') {
        log.warn({ address: by.address, requestId: by.requestId }, 'a used refresh token came back')
      }
      throw sessionEnded()
    },

    async signOut({ session, refreshToken }, by) {
      const at = session ?? (refreshToken ? await findByRefreshToken({ store }, hashOf(refreshToken)) : null)
      if (at) await end(at.userId, { only: at.sessionId }, 'signed out', by)
    },

    async endSession(session, sessionId, by) {
      const why = sessionId === session.sessionId ? 'signed out' : 'ended'
      if ((await end(session.userId, { only: sessionId }, why, by)) === 0) {
        throw new HoldfastError('NOT_FOUND', 'This session has ended already.')
      }
    },
    endOtherSessions: ({ userId, sessionId }, by) => end(userId, { allBut: sessionId }, 'ended', by),

    stepUp: (session, request, by) => stepUp(proving, session, request, by),

    sessions: (session) => listSessions({ store }, { ...session, now: clock.now() }),
    events: (page) => recentEvents({ store }, page),
    figures: () => securityFigures({ store }, clock.now()),

    async createUser({ email, name, role, password }, by) {
      const passwordHash = await passwords.hash(password)
      const user = { email: plainEmail(email), name, role, passwordHash }
      return store.run(createUser, { user, by, now: clock.now() })
    },
    needsSetUp: () => needsSetUp({ store }),
    setUpLinkState: (token) => setUpLinkState({ store }, token, clock.now()),
    async createSetUpLink() {
      const token = await createSetUpToken({ store }, clock.now())
      // Behind #: browsers send it to nobody, neither in the request nor as Referer.
      return token && `${config.url}/set-up#${token}`
    },
    jwks: () => keys.jwks(),
  }
}

/** A browser is known again by its cookie; a program by what it calls itself. */
function originOf(by: Caller, deviceId: string | undefined): SessionOrigin {
  const userAgent = by.userAgent ?? ''
  return {
    device: deviceName(userAgent),
    deviceHash: createHash('sha256')
      .update(deviceId ? `cookie:${deviceId}` : `agent:${userAgent}`)
      .digest('base64url'),
    address: by.address ?? 'unknown',
  }
}

/** A value for the device cookie. */
export const newDeviceId = () => randomBytes(16).toString('base64url')

const sessionEnded = () =>
  new HoldfastError('SESSION_ENDED', { message: 'Your session has ended.', remedy: 'Sign in again.' })
