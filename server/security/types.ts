import type {
  AuthenticationResponseJSON,
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
  RegistrationResponseJSON,
} from '@simplewebauthn/server'
import type { Role } from '@/db/tables'
import type { Caller } from '@/server/audit'
import type { Method } from './factors/methods'
import type { Permission } from './roles'
import type { SessionEntry, SessionFacts } from './sessions/sessions'

/** What must be done before a session may do anything else. */
export type Need = 'new password' | 'factor' | 'fresh factor'

/** A signed-in session, or an API key, as every procedure sees it. */
export interface SessionInfo extends SessionFacts {
  /** A person's session, or a program's API key, which may not touch the account itself. */
  kind: 'session' | 'api-key'
  /** What this session may do: its role's permissions, or those of the API key that the role still holds. */
  permissions: readonly Permission[]
  /** As long as something stands here, only the account itself can be reached. */
  needs: readonly Need[]
  /** The one action that an API key may step up for by itself. */
  action?: string
  /** When the access token runs out, UTC ms; a refresh brings the next one. */
  accessExpiresAt: number
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
  /** Absent where the refresh token stays the same: after a step-up. */
  refreshToken?: string
}

/** What a second factor can be proved by. */
export type FactorKind = 'totp' | 'passkey' | 'backup-code'

/** A sign-in whose password was right and that waits for its second factor. */
export interface FactorAsked {
  challenge: string
  factors: FactorKind[]
  /** What `navigator.credentials.get` takes, where the user has a passkey. */
  passkey: PublicKeyCredentialRequestOptionsJSON | null
  expiresAt: number
}

/** A proof of a second factor: a code (6 digits of an app, or a backup code), or a passkey's answer. */
export type FactorProof = { code: string } | { passkey: AuthenticationResponseJSON }

export type {
  AuthenticationResponseJSON,
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
  RegistrationResponseJSON,
} from '@simplewebauthn/server'

/** The factors of one user, as the account page shows them. */
export interface FactorState {
  totp: { since: number; lastUsedAt: number | null } | null
  passkeys: { id: string; name: string; backedUp: boolean; createdAt: number; lastUsedAt: number | null }[]
  backupCodes: { remaining: number; total: number; madeAt: number } | null
  /** Whether the user's role must have a factor. */
  required: boolean
  /** Whether the next enrolment asks for the password: the sign-in is too long ago, and no factor can step up. */
  passwordNeeded: boolean
}

/** A factor came into use: the first one brings backup codes, shown this once. */
export interface Enrolled {
  backupCodes: string[] | null
  /** Seconds by which the device's clock is off; negative means behind. 0 for a passkey. */
  drift: number
  /** Sessions without a factor that ended for it. */
  ended: number
}

/** The user's own second factors. Every change takes a step-up grant as soon as there is a factor. */
export interface Factors {
  state(session: SessionInfo): Promise<FactorState>
  /** Begins to enrol an authenticator app: the secret in base32 and as otpauth URI. Nothing is active yet. */
  beginTotp(
    session: SessionInfo,
    input: { password?: string },
    use: Privilege,
  ): Promise<{ factorId: string; secret: string; uri: string }>
  /** Activates it by a code of the app. Throws WRONG_CODE, with the drift in words where that is the reason. */
  activateTotp(session: SessionInfo, input: { factorId: string; code: string }, by: Caller): Promise<Enrolled>
  removeTotp(session: SessionInfo, use: Privilege): Promise<void>
  beginPasskey(
    session: SessionInfo,
    input: { password?: string },
    use: Privilege,
  ): Promise<{ options: PublicKeyCredentialCreationOptionsJSON }>
  addPasskey(
    session: SessionInfo,
    input: { name: string; response: RegistrationResponseJSON },
    by: Caller,
  ): Promise<Enrolled>
  renamePasskey(session: SessionInfo, input: { id: string; name: string }, by: Caller): Promise<void>
  removePasskey(session: SessionInfo, input: { id: string }, use: Privilege): Promise<void>
  regenerateBackupCodes(session: SessionInfo, use: Privilege): Promise<{ backupCodes: string[] }>
}

/** Who does something that takes a step-up, and the grant that the request brought. */
export interface Privilege {
  by: Caller
  /** Id from the header Holdfast-Step-Up. It must have been made for the caller's session or API key. */
  grantId: string | null
}

/** A user as the list shows it. */
export interface UserEntry {
  id: string
  email: string
  name: string
  role: Role
  state: 'invited' | 'active' | 'disabled'
  factors: FactorKind[]
  sessions: number
  mustChangePassword: boolean
  createdAt: number
  lastSignInAt: number | null
  /** Until when the invitation works, where one is open. */
  invitedUntil: number | null
}

/** A link that works once, and is shown once. */
export interface OneTimeLink {
  link: string
  expiresAt: number
}

/** What a one-time link is good for. */
export type LinkState =
  | { state: 'usable'; kind: 'invite' | 'reset'; email: string; name: string }
  | { state: 'used' | 'unknown' }

/** What admins do with users. What takes a grant says so; the last admin can be neither disabled nor demoted (LAST_ADMIN). */
/** A user as a search shows it. */
export type UserFound = Pick<UserEntry, 'id' | 'email' | 'name' | 'state'>

export interface Users {
  list(): Promise<UserEntry[]>
  /** Those whose address or name holds a text; those that begin with it first. */
  find(text: string, limit: number): Promise<UserFound[]>
  /** Takes a grant. CONFLICT when the address is taken. */
  invite(
    input: { email: string; name: string; role: Role },
    use: Privilege,
  ): Promise<{ userId: string } & OneTimeLink>
  /** A new link for an open invitation; the earlier one stops working. Takes a grant. */
  renewInvite(input: { userId: string }, use: Privilege): Promise<OneTimeLink>
  withdrawInvite(input: { userId: string }, by: Caller): Promise<void>
  /** Takes a grant. */
  setRole(input: { userId: string; role: Role }, use: Privilege): Promise<void>
  /** Takes a grant; the user's sessions end. */
  disable(input: { userId: string }, use: Privilege): Promise<void>
  /** Takes a grant. */
  enable(input: { userId: string }, use: Privilege): Promise<void>
  /** Nothing else works for the user until a new password is given. */
  requirePasswordChange(input: { userId: string }, by: Caller): Promise<void>
  /** A link by which the user gives a new password. The sessions end, the old password stops. Takes a grant. */
  resetPassword(input: { userId: string }, use: Privilege): Promise<OneTimeLink>
  /** Takes all factors of a user away; the sessions end. Takes a grant. */
  resetFactor(input: { userId: string }, use: Privilege): Promise<void>
}

/** Roles that must have a second factor. */
export interface FactorPolicy {
  requiredRoles: Role[]
}

export interface ApiKeyEntry {
  id: string
  name: string
  prefix: string
  /** E-mail address of the user in whose name it acts. */
  owner: string
  permissions: Permission[]
  action: string | null
  createdAt: number
  expiresAt: number
  lastUsedAt: number | null
  lastAddress: string | null
  revokedAt: number | null
}

export interface ApiKeys {
  list(): Promise<ApiKeyEntry[]>
  /** Those whose name holds a text, or that begin with it; revoked ones last. */
  find(text: string, limit: number): Promise<Pick<ApiKeyEntry, 'id' | 'name' | 'prefix' | 'revokedAt'>[]>
  /** Takes a grant. The key is answered this once. FORBIDDEN for permissions that the owner does not hold. */
  create(
    session: SessionInfo,
    input: { name: string; permissions: Permission[]; days: number; action?: string },
    use: Privilege,
  ): Promise<{ id: string; key: string; expiresAt: number }>
  revoke(input: { id: string }, by: Caller): Promise<void>
}

export interface SigningKeyEntry {
  id: string
  algorithm: string
  createdAt: number
  activeFrom: number
  /** `next` is published but does not sign yet; `verifying` no longer signs. */
  state: 'next' | 'signing' | 'verifying'
}

export interface SigningKeys {
  list(): Promise<SigningKeyEntry[]>
  /**
   * Takes a grant. A new key is published now and signs a few minutes later; the old ones verify until their last
   * token is over. With `revokeOld` the new one signs at once and the old ones stop verifying.
   * CONFLICT with JWT_SECRET, which is rotated by hand.
   */
  rotate(input: { revokeOld: boolean }, use: Privilege): Promise<void>
}

/** A live session of any user, as admins see it. */
export interface UserSessionEntry {
  id: string
  userId: string
  email: string
  device: string
  address: string
  methods: string[]
  createdAt: number
  lastUsedAt: number
  expiresAt: number
}

export type SignInResult =
  | { state: 'signed-in'; signedIn: SignedIn }
  | { state: 'factor'; asked: FactorAsked }

export interface StepUpRequest {
  /** The action that is to be allowed: the name of its procedure, such as `migration.start`. */
  action: string
  /** Exactly the input that the action will get. */
  input: unknown
  /** Null where none was sent: an API key that was made for the action needs none. */
  proof: FactorProof | null
}

/** What a user does with the own account. */
export interface Account {
  setName(session: SessionInfo, name: string, by: Caller): Promise<void>
  /** Ends all other sessions. Throws WRONG_CREDENTIALS, and BAD_INPUT for a password that is easy to guess. */
  changePassword(
    session: SessionInfo,
    input: { current: string; password: string },
    by: Caller,
  ): Promise<{ ended: number }>
  sessions(session: SessionInfo): Promise<SessionEntry[]>
  /** NOT_FOUND when it is not his, or has ended. */
  endSession(session: SessionInfo, sessionId: string, by: Caller): Promise<void>
  /** Answers how many ended. */
  endOtherSessions(session: SessionInfo, by: Caller): Promise<number>
}

/** What becomes of a session while somebody serves it: its end, or other permissions. */
export type SessionChange = { ended: true } | { ended: false; permissions: readonly Permission[] }

/** A sign-in whose proofs are all there, ready to become a session. */
export interface Proven {
  userId: string
  /** The hash that the password was compared with: a change meanwhile makes it void. Null after a passkey alone. */
  passwordHash: string | null
  methods: Method[]
}

/** Proves second factors: for sign-in, for a passkey alone, and for a step-up. */
export interface FactorProver {
  /** Begins the second half of a sign-in; null when the user has no factor. */
  ask(user: { userId: string; passwordHash: string }): Promise<FactorAsked | null>
  /** Throws WRONG_CODE (with the drift in words where that is the reason), CHALLENGE_OVER, TOO_MANY_REQUESTS. */
  prove(challenge: string, proof: FactorProof, by: Caller): Promise<Proven>
  /** What a browser needs to sign in by a passkey alone. Writes nothing: anybody may ask. */
  passkeyOptions(): Promise<{ options: PublicKeyCredentialRequestOptionsJSON }>
  proveByPasskey(response: AuthenticationResponseJSON, by: Caller): Promise<Proven>
  stepUpOptions(session: SessionInfo): Promise<{
    factors: FactorKind[]
    passkey: PublicKeyCredentialRequestOptionsJSON | null
  }>
  /**
   * Makes a grant, and for a session a new generation in the same unit, so that access tokens from before it are
   * worthless. Throws FACTOR_REQUIRED when there is no factor, WRONG_CODE, FORBIDDEN for an API key made for
   * something else. Backup codes are not accepted.
   */
  stepUp(
    session: SessionInfo,
    request: StepUpRequest,
    by: Caller,
  ): Promise<{ grantId: string; expiresAt: number }>
}

/** Opens, renews and ends sessions. */
export interface Sessions {
  /** Null when the user was disabled, or the password or factors changed meanwhile. */
  open(proven: Proven, client: Client): Promise<SignedIn | null>
  /** Rotates a refresh token. Throws SESSION_ENDED; a token that was used before ends its session. */
  refresh(refreshToken: string, client: Client): Promise<SignedIn>
  /** An access token for the generation that the store holds now. Throws SESSION_ENDED. */
  reissue(session: SessionInfo): Promise<SignedIn>
  /** Ends the session of a request, found by its access token or else by its refresh token. */
  signOut(of: { session: SessionInfo | null; refreshToken?: string }, by: Caller): Promise<void>
  /** Live sessions of everybody or of one user, the latest used first. */
  list(of: { userId?: string }): Promise<UserSessionEntry[]>
  /** Ends anybody's session. NOT_FOUND when it has ended. */
  end(of: { sessionId: string }, by: Caller): Promise<void>
  /** Ends all sessions of a user; answers how many. */
  endAll(of: { userId: string }, by: Caller): Promise<number>
}

/** Tells those who serve a session, such as open event streams, what becomes of it. */
export interface SessionWatch {
  /** Calls `listener` when the session ends or its permissions change, on whichever instance. Answers what stops it. */
  watch(sessionId: string, listener: (change: SessionChange) => void): () => void
  /** Tells at once what this instance has just ended; others see it within a second. */
  ended(sessionIds: readonly string[]): void
  start(): void
  close(): Promise<void>
}

export interface Credentials {
  email: string
  password: string
}

/** The ways to get a session. All throw TOO_MANY_REQUESTS with the time after which another try makes sense. */
export interface SignIns {
  /** Throws WRONG_CREDENTIALS: the same answer after the same work, whatever is wrong. */
  signIn(credentials: Credentials, client: Client): Promise<SignInResult>
  /** The second factor of a sign-in. Throws WRONG_CODE, CHALLENGE_OVER. */
  verify(challenge: string, proof: FactorProof, client: Client): Promise<SignedIn>
  /** A passkey alone. Throws WRONG_CREDENTIALS. */
  signInByPasskey(response: AuthenticationResponseJSON, client: Client): Promise<SignedIn>
  /** Makes the first admin by a set-up link's token, and signs in. Throws LINK_USED, ALREADY_SET_UP. */
  setUp(input: { token: string; name: string } & Credentials, client: Client): Promise<SignedIn>
  /** Gives the password that an invitation or a reset asks for, and signs in by it. Throws LINK_USED. */
  useLink(input: { token: string; name?: string; password: string }, client: Client): Promise<SignInResult>
}
