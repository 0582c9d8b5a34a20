import { eq } from 'drizzle-orm'
import type { JWK } from 'jose'
import type { Role } from '@/db/tables'
import { type Caller, system } from '@/server/audit'
import { type Clock, systemClock } from '@/server/clock'
import { HoldfastError } from '@/server/errors'
import type { Log } from '@/server/log'
import { openVault } from '@/server/vault'
import { openSecurity, type Security, type SecurityConfig } from '..'
import type { Credentials, Enrolled, SessionInfo, SignedIn, SignInResult } from '../types'
import { type AccountsDatabase, openAccountsStore } from './store'

export { errorStatus, isHoldfastError } from '@/server/errors'
export type { AccountsDatabase } from './store'

/** From where somebody asks. */
export interface From {
  address: string
  userAgent: string
  /** What the application knows a browser again by, such as a cookie of its own; without it the user agent is taken. */
  deviceId?: string
  /** Stands in the audit log, to find the application's own log lines by. */
  requestId?: string
}

export interface AccountsDeps {
  /** Of the accounts' own. The caller opens and closes it. */
  database: AccountsDatabase
  /** The master key, 32 bytes: factors and signing keys are sealed by it. Keep it apart from the database. */
  key: Buffer
  log: Log
  clock?: Clock
}

/** Users, sessions and second factors of an application, by the rules of the console's own. */
export interface Accounts {
  /** Throws CONFLICT when the address is taken, BAD_INPUT for a password that is easy to guess. */
  createUser(user: Credentials & { name: string; role?: Role }, from: From): Promise<{ userId: string }>
  /** By password; where the user has a second factor the answer holds the challenge for `verify`. WRONG_CREDENTIALS. */
  signIn(credentials: Credentials, from: From): Promise<SignInResult>
  /** The second factor of a sign-in: a code of the app, or a backup code. WRONG_CODE, CHALLENGE_OVER. */
  verify(of: { challenge: string; code: string }, from: From): Promise<SignedIn>
  /**
   * A token pair for a user whose first proof the application has checked by itself. Throws FACTOR_REQUIRED for one
   * with a second factor without `code`, WRONG_CODE, and WRONG_CREDENTIALS for one who is disabled or unknown.
   */
  tokensFor(of: { userId: string; code?: string }, from: From): Promise<SignedIn>
  /** The next token pair. Throws SESSION_ENDED; a refresh token that comes again later ends its session. */
  refresh(refreshToken: string, from: From): Promise<SignedIn>
  /** Whose access token it is, as the store says now; null when it is not valid, or the session has ended. */
  authenticate(accessToken: string, from: From): Promise<SessionInfo | null>
  signOut(session: SessionInfo, from: From): Promise<void>
  /** A TOTP secret in base32 and as otpauth URI, not active yet. With a factor already STEP_UP_REQUIRED. */
  beginTotp(session: SessionInfo, from: From): Promise<{ factorId: string; secret: string; uri: string }>
  /** Activates it by a code; answers the backup codes. Sessions without a factor end. WRONG_CODE. */
  activateTotp(session: SessionInfo, of: { factorId: string; code: string }, from: From): Promise<Enrolled>
  /** Uses a code of a user's app, or a backup code, up. Throws WRONG_CODE, TOO_MANY_REQUESTS, FACTOR_REQUIRED. */
  verifyCode(of: { userId: string; code: string }, from: From): Promise<void>
  /** The public keys by which other programs verify access tokens. */
  jwks(): Promise<{ keys: JWK[] }>
  /** Everything else that the console does with accounts. */
  security: Security
  /** Ends what runs by itself; the database stays open. */
  close(): Promise<void>
}

/**
 * Opens accounts in a database of their own, without a console. It makes or upgrades the tables, and begins to end
 * sessions, rotate keys and clean up by itself.
 */
export async function openAccounts(
  { database, key, log, clock = systemClock }: AccountsDeps,
  config: Omit<SecurityConfig, 'accessMs' | 'refreshMs'> & Partial<SecurityConfig>,
): Promise<Accounts> {
  const vault = openVault(key)
  const store = await openAccountsStore({ database, vault })
  const security = openSecurity(
    { store, vault, clock, log },
    { accessMs: 15 * 60_000, refreshMs: 7 * 86_400_000, ...config },
  )
  security.start()

  /** Proves a user's second factor by a code, as the second half of a sign-in does. */
  async function proven(of: { userId: string; code?: string }, from: From) {
    const { users } = store.tables
    const [user] = await store.db.select().from(users).where(eq(users.id, of.userId))
    if (user?.state !== 'active' || user.passwordHash === null) throw nobody()
    const { passwordHash } = user
    const asked = await security.ask({ userId: user.id, passwordHash })
    if (!asked) return { userId: user.id, passwordHash, methods: ['pwd' as const], factor: false }
    if (of.code === undefined) throw codeMissing()
    return { ...(await security.prove(asked.challenge, { code: of.code }, callerOf(from))), factor: true }
  }

  return {
    createUser: ({ role = 'viewer', ...user }, from) =>
      security.machine.createUser({ ...user, role }, callerOf(from)),
    signIn: (credentials, from) => security.signIn(credentials, clientOf(from)),
    verify: ({ challenge, code }, from) => security.verify(challenge, { code }, clientOf(from)),
    async tokensFor(of, from) {
      const { factor: _, ...proof } = await proven(of, from)
      const signedIn = await security.sessions.open(proof, clientOf(from))
      if (!signedIn) throw nobody()
      return signedIn
    },
    refresh: (refreshToken, from) => security.sessions.refresh(refreshToken, clientOf(from)),
    authenticate: (accessToken, { address }) =>
      security.authenticate(new Headers({ authorization: `Bearer ${accessToken}` }), address),
    signOut: (session, from) => security.sessions.signOut({ session }, callerOf(from, session)),
    beginTotp: (session, from) =>
      security.factors.beginTotp(session, {}, { by: callerOf(from, session), grantId: null }),
    activateTotp: (session, of, from) => security.factors.activateTotp(session, of, callerOf(from, session)),
    async verifyCode(of, from) {
      if (!(await proven(of, from)).factor) throw noFactor()
    },
    jwks: security.jwks,
    security,
    close: security.close,
  }
}

function callerOf({ address, userAgent, requestId = '' }: From, session?: SessionInfo): Caller {
  const who = session
    ? { actorId: session.userId, actor: session.email, sessionId: session.sessionId }
    : { actor: 'anonymous' }
  return { ...system, ...who, address, userAgent: userAgent || null, requestId: requestId || null }
}

const clientOf = (from: From) => ({ by: callerOf(from), deviceId: from.deviceId })

const nobody = () =>
  new HoldfastError('WRONG_CREDENTIALS', {
    message: 'There is no such user, or the user is disabled.',
    remedy: 'Sign in as somebody else.',
  })

const codeMissing = () =>
  new HoldfastError('FACTOR_REQUIRED', {
    message: 'This user has a second factor, and no code came.',
    remedy: 'Ask for a code of the authenticator app, and send it along.',
  })

const noFactor = () =>
  new HoldfastError('FACTOR_REQUIRED', {
    message: 'This user has no authenticator app.',
    remedy: 'Enrol one first.',
  })
