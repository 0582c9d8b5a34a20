import { randomBytes } from 'node:crypto'
import type { JWK } from 'jose'
import type { Store } from '@/db/store'
import type { Role } from '@/db/tables'
import { type Caller, openAuditWriter } from '@/server/audit'
import type { Clock } from '@/server/clock'
import type { Log } from '@/server/log'
import type { Vault } from '@/server/vault'
import { openApiKeys } from './api-keys/api-keys'
import { openCleanup } from './cleanup'
import { type Events, openEvents } from './events'
import { type SecurityFigures, securityFigures } from './events/figures'
import { type Exports, openExports } from './export'
import { openFactorPolicy } from './factors/factor-policy'
import { openFactors } from './factors/factors'
import { type Ingest, openIngest } from './ingest/report'
import { preparePasswordRules } from './passwords/password-rules'
import { openPasswords, type Passwords } from './passwords/passwords'
import { openSessionWatch } from './sessions/session-watch'
import { openSessions } from './sessions/sessions'
import { openAuthentication } from './sign-in/authenticate'
import { openSignIn } from './sign-in/sign-in'
import { openDoubts } from './tokens/doubtful-token'
import { openKeys } from './tokens/keys'
import { openTokens } from './tokens/tokens'
import type {
  Account,
  ApiKeys,
  Credentials,
  FactorPolicy,
  FactorProver,
  Factors,
  LinkState,
  OneTimeLink,
  Privilege,
  SessionInfo,
  Sessions,
  SessionWatch,
  SignedIn,
  SignIns,
  SigningKeys,
  StepUpRequest,
  Users,
} from './types'
import { openAccount } from './users/account'
import { linkState } from './users/links'
import { createSetUpToken, needsSetUp, setUpLinkState } from './users/set-up'
import { openUsers } from './users/users'

export { type EventFilter, type Events, openEvents } from './events'
export { openExports } from './export'
export { createEngine, evaluate, threatColumns } from './threats'
export type * from './types'

export interface SecurityConfig {
  /** The console's public origin: issuer of tokens, address of links, and whether cookies are Secure. */
  url: string
  /** Life of an access token, ms. */
  accessMs: number
  /** Disuse after which a session ends, ms. */
  refreshMs: number
  /** Signs access tokens by HS256; without it a key pair is made. */
  jwtSecret?: string
  /** Life of a session however much it is used; 30 days, or `refreshMs` if that is longer. */
  absoluteMs?: number
  maxSessionsPerUser?: number
  /** Failed sign-ins of one account from one address before it is blocked. */
  maxLoginAttempts?: number
  loginWindowMs?: number
  /** The longest block, ms. */
  loginBlockMs?: number
  /** Name shown in authenticator apps. */
  totpIssuer?: string
  /** Steps of 30 s by which a code may be early or late. */
  totpWindow?: number
}

export interface Security
  extends SignIns,
    Pick<FactorProver, 'ask' | 'prove' | 'passkeyOptions' | 'stepUpOptions'> {
  /** Whether cookies are Secure. */
  secure: boolean
  /** Who a request comes from, by access cookie, bearer token or API key; null when nothing in it is valid. */
  authenticate(headers: Headers, address: string): Promise<SessionInfo | null>
  /** Why a request's proof of who asks is refused, when that is worth noting; ask where `authenticate` answers null. */
  doubt(headers: Headers, now: number): Promise<string | null>
  /** Makes a grant for one action with one input; a session gets a new access token with it. */
  stepUp(
    session: SessionInfo,
    request: StepUpRequest,
    by: Caller,
  ): Promise<{ grant: { grantId: string; expiresAt: number }; signedIn: SignedIn | null }>
  sessions: Sessions
  account: Account
  factors: Factors
  users: Users
  apiKeys: ApiKeys
  signingKeys: SigningKeys
  watch: SessionWatch['watch']
  /** To be told of sessions that something else has ended. */
  ended: SessionWatch['ended']
  factorPolicy(): Promise<FactorPolicy>
  /** Takes a grant. */
  setFactorPolicy(policy: FactorPolicy, use: Privilege): Promise<void>
  events: Events
  /** Files of events. */
  export: Exports
  /** What other applications report. */
  ingest: Ingest
  figures(): Promise<SecurityFigures>
  /** What only the machine's own command line may do, without a grant. */
  machine: {
    createUser(user: Credentials & { name: string; role: Role }, by: Caller): Promise<{ userId: string }>
    /** Takes all factors of a user away; the sessions end. NOT_FOUND. */
    resetFactor(user: { email: string }, by: Caller): Promise<void>
    /** Takes a user's password away; the sessions end, and the link asks for a new one. NOT_FOUND. */
    resetPassword(user: { email: string }, by: Caller): Promise<OneTimeLink>
    /** Ends every session, after a restore: what was revoked since the backup is valid again in it. Answers how many. */
    endSessions(by: Caller): Promise<number>
  }
  needsSetUp(): Promise<boolean>
  setUpLinkState(token: string): Promise<'usable' | 'used' | 'unknown'>
  linkState(token: string): Promise<LinkState>
  /** A new one-time link for the first admin; null once there is one. */
  createSetUpLink(): Promise<string | null>
  /** The public keys by which other programs verify access tokens. */
  jwks(): Promise<{ keys: JWK[] }>
  /** Starts the watch over sessions, the rotation of signing keys and the cleanup. */
  start(): void
  close(): Promise<void>
}

/** Opens the accounts of the console on its store. Without `passwords` hashing has its own queue. */
export function openSecurity(
  deps: { store: Store; vault: Vault; clock: Clock; log: Log; passwords?: Passwords },
  config: SecurityConfig,
): Security {
  const { store, clock, passwords = openPasswords() } = deps
  const { url, accessMs } = config
  const secure = url.startsWith('https:')
  const limits = {
    idleMs: config.refreshMs,
    absoluteMs: Math.max(config.absoluteMs ?? 30 * 86_400_000, config.refreshMs),
    perUser: config.maxSessionsPerUser ?? 10,
  }
  const attempts = {
    most: config.maxLoginAttempts ?? 5,
    windowMs: config.loginWindowMs ?? 900_000,
    blockMs: config.loginBlockMs ?? 3_600_000,
  }
  const refusals = openAuditWriter(deps)
  const watch = openSessionWatch(deps)
  const keys = openKeys(deps, { secret: config.jwtSecret, accessMs })
  const tokens = openTokens({ keys, clock }, { issuer: url, accessMs })
  const sessions = openSessions({ ...deps, tokens, watch }, limits)
  const apiKeys = openApiKeys(deps)
  const factors = openFactors(
    { ...deps, passwords, refusals, watch },
    { url, issuer: config.totpIssuer ?? 'Holdfast', window: config.totpWindow ?? 2, attempts },
  )
  const users = openUsers({ ...deps, passwords, watch }, { url })
  const policy = openFactorPolicy(deps)
  const signIns = openSignIn({ ...deps, passwords, factors, sessions, watch }, { attempts })
  const events = openEvents(deps)
  const cleanup = openCleanup({ ...deps, keys }, { loginBlockMs: attempts.blockMs })

  return {
    secure,
    ...signIns,
    authenticate: openAuthentication({ ...deps, tokens, apiKeys }, { secure }),
    doubt: openDoubts({ tokens }, { secure }),
    ask: factors.ask,
    prove: factors.prove,
    passkeyOptions: factors.passkeyOptions,
    stepUpOptions: factors.stepUpOptions,
    async stepUp(session, request, by) {
      const grant = await factors.stepUp(session, request, by)
      return { grant, signedIn: session.kind === 'session' ? await sessions.reissue(session) : null }
    },
    sessions,
    account: openAccount({ ...deps, passwords, watch }, { attempts }),
    factors,
    users,
    apiKeys,
    signingKeys: keys,
    watch: watch.watch,
    ended: watch.ended,
    factorPolicy: policy.read,
    setFactorPolicy: policy.set,
    events,
    export: openExports(deps),
    ingest: openIngest(deps),
    figures: () => securityFigures({ store, events }, clock.now()),
    machine: users.machine,
    needsSetUp: () => needsSetUp({ store }),
    setUpLinkState: (token) => setUpLinkState({ store }, token, clock.now()),
    linkState: (token) => linkState({ store }, token, clock.now()),
    async createSetUpLink() {
      const token = await createSetUpToken({ store }, clock.now())
      // Behind #: browsers send it to nobody, neither in the request nor as Referer.
      return token && `${url}/set-up#${token}`
    },
    jwks: () => keys.jwks(),
    start() {
      watch.start()
      cleanup.start()
      events.start()
      void preparePasswordRules()
    },
    async close() {
      await Promise.all([watch.close(), cleanup.close(), refusals.close()])
    },
  }
}

/** A value for the device cookie. */
export const newDeviceId = () => randomBytes(16).toString('base64url')
