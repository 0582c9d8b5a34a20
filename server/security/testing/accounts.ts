import type { Store } from '@/db/store'
import type { Role } from '@/db/tables'
import { type Caller, system } from '@/server/audit'
import { grantLife, inputHash } from '@/server/grants'
import { openLog } from '@/server/log'
import {
  type Client,
  type Credentials,
  openSecurity,
  type Privilege,
  type Security,
  type SecurityConfig,
  type SessionInfo,
  type SignedIn,
} from '@/server/security'
import { openVault } from '@/server/vault'
import type { Passwords } from '../passwords/passwords'
import { rememberedPasswords } from './passwords'
import { totpCode } from './totp'

/** A clock that stands still until a test moves it. */
export function testClock(start = 1_760_000_000_000) {
  let time = start
  return {
    now: () => time,
    pass(ms: number) {
      time += ms
    },
  }
}

export const testVault = openVault(Buffer.alloc(32, 9))

export const ana = { email: 'ana@example.org', name: 'Ana', password: 'a horse, a battery and a staple' }

const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'

/** Who asks, as a browser with a device cookie. */
export function browser(deviceId = 'ana-laptop', address = '198.51.100.7') {
  const by: Caller = { ...system, actor: 'anonymous', address, userAgent: firefox, requestId: 'request-1' }
  return { by, deviceId }
}

/** The accounts of a test's store: a clock to move, and Ana, who is an admin without a factor. */
export async function openAccounts(
  store: Store,
  config: Partial<SecurityConfig> = {},
  passwords: Passwords = rememberedPasswords,
) {
  const clock = testClock()
  const deps = { store, vault: testVault, clock, log: openLog('error'), passwords }
  const settings = {
    accessMs: 900_000,
    refreshMs: 7 * 86_400_000,
    url: 'http://localhost:3000',
    ...config,
  }
  const security = openSecurity(deps, settings)
  const { userId } = await security.machine.createUser({ ...ana, role: 'admin' }, system)
  const ended: string[] = []

  /** Signs in by password alone, and notes the session's end in `ended`. Throws when a factor is asked for. */
  async function signIn(credentials: Credentials = ana, client: Client = browser()): Promise<SignedIn> {
    const signedIn = await signedInBy(security, credentials, client)
    const { sessionId } = signedIn.session
    security.watch(sessionId, (change) => change.ended && ended.push(sessionId))
    return signedIn
  }

  /** Makes another user outright. */
  async function addUser(name: string, role: Role = 'viewer') {
    const user = { email: `${name.toLowerCase()}@example.org`, name, password: ana.password }
    return { ...user, ...(await security.machine.createUser({ ...user, role }, system)) }
  }

  return {
    ...{ security, clock, ended, userId, signIn, addUser },
    another: () => openSecurity(deps, settings),
    granted: (session: SessionInfo, action: string, input: unknown) =>
      granted(store, session, { action, input, now: clock.now() }),
    enrol: (session: SessionInfo) => enrolApp(security, clock, session),
  }
}

/** Signs in a user without a factor. */
export async function signedInBy(
  security: Security,
  { email, password }: Credentials = ana,
  client: Client = browser(),
): Promise<SignedIn> {
  const result = await security.signIn({ email, password }, client)
  if (result.state === 'factor') throw new Error(`${email} is asked for a factor.`)
  return result.signedIn
}

/** Who a session is, for what it does. */
export const callerOf = ({ userId, email, sessionId }: SessionInfo): Caller => ({
  ...browser().by,
  ...{ actorId: userId, actor: email, sessionId },
})

/** A grant put straight into the store, for tests of what it allows rather than of how it is got. */
async function granted(
  store: Store,
  session: SessionInfo,
  { action, input, now }: { action: string; input: unknown; now: number },
): Promise<Privilege> {
  const grantId = crypto.randomUUID()
  await store.db.insert(store.tables.stepUpGrants).values({
    ...{ id: grantId, sessionId: session.sessionId, action, inputHash: inputHash(input) },
    ...{ method: 'otp', createdAt: now, expiresAt: now + grantLife },
  })
  return { by: callerOf(session), grantId }
}

/**
 * Enrols an authenticator app, as a user does. `code()` answers a code that was not used before: it lets the next
 * step of 30 s begin first. `stepUp` answers a grant, and the session's next access token with it.
 */
async function enrolApp(security: Security, clock: ReturnType<typeof testClock>, session: SessionInfo) {
  const by = callerOf(session)
  const { factorId, secret } = await security.factors.beginTotp(session, {}, { by, grantId: null })
  const code = () => {
    clock.pass(30_000)
    return totpCode(secret, clock.now())
  }
  const enrolled = await security.factors.activateTotp(session, { factorId, code: code() }, by)
  return {
    ...{ secret, code, enrolled },
    async stepUp(action: string, input: unknown) {
      const { grant, signedIn } = await security.stepUp(
        session,
        { action, input, proof: { code: code() } },
        by,
      )
      return { by, grantId: grant.grantId, signedIn }
    },
  }
}

/** Headers of a request with a bearer token. */
export const bearer = (token: string) => new Headers({ authorization: `Bearer ${token}` })
