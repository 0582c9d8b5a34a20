import { and, eq } from 'drizzle-orm'
import type { Store } from '@/db/store'
import { q, unit } from '@/db/unit'
import { appendAudit, type Caller } from '@/server/audit'
import type { Clock } from '@/server/clock'
import { HoldfastError } from '@/server/errors'
import type { Log } from '@/server/log'
import type { Vault } from '@/server/vault'
import { requireGoodPassword } from '../passwords/password-rules'
import type { Passwords } from '../passwords/passwords'
import { originOf } from '../requests/device'
import { hashOf } from '../tokens/opaque-token'
import type {
  Client,
  FactorProver,
  Proven,
  Sessions,
  SessionWatch,
  SignedIn,
  SignInResult,
  SignIns,
} from '../types'
import { applyLink, linkState, linkUsed } from '../users/links'
import { plainEmail } from '../users/plain-email'
import {
  alreadySetUp,
  finishSetUp,
  needsSetUp,
  setUpLinkState,
  linkUsed as setUpLinkUsed,
} from '../users/set-up'
import { type AttemptLimits, attemptKeys, forgetAttempts, requireAttempt } from './attempts'

interface Deps {
  store: Store
  vault: Vault
  clock: Clock
  log: Log
  passwords: Passwords
  factors: FactorProver
  sessions: Sessions
  watch: SessionWatch
}

/** A user whose password was right, and the hash that it was compared with. */
interface ByPassword {
  userId: string
  passwordHash: string
}

/** Opens the ways to get a session. Every limit is claimed in the store before a password is hashed. */
export function openSignIn(deps: Deps, { attempts }: { attempts: AttemptLimits }): SignIns {
  const { store, vault, clock, passwords, factors, sessions, watch } = deps

  function keysOf(email: string, { by, deviceId }: Client): SignInKeys {
    const keys = attemptKeys({ vault }, { email, address: by.address })
    // What a program calls itself is no secret: a device is known by its cookie alone.
    if (!deviceId) return { ...keys, device: null }
    const { deviceHash } = originOf(by, deviceId)
    return { ...keys, device: { key: `device|${keys.account}|${deviceHash}`, deviceHash } }
  }

  /** Opens the session of a sign-in whose proofs are all there, and forgets the attempts that led to it. */
  async function open(proven: Proven, client: Client): Promise<SignedIn> {
    const signedIn = await sessions.open(proven, client)
    if (!signedIn) {
      await store.run(failSignIn, {
        ...{ by: client.by, userId: proven.userId, email: null, now: clock.now() },
        ...{ reason: 'the account changed meanwhile', lockedUntil: null },
      })
      throw wrongCredentials()
    }
    const { pair, account, device } = keysOf(signedIn.session.email, client)
    await store.run(forgetSignIn, device ? [pair, account, device.key] : [pair, account])
    return signedIn
  }

  /** After the right password: a challenge where there is a second factor, otherwise the session. */
  async function admit(user: ByPassword, client: Client): Promise<SignInResult> {
    const asked = await factors.ask(user)
    if (asked) return { state: 'factor', asked }
    return { state: 'signed-in', signedIn: await open({ ...user, methods: ['pwd'] }, client) }
  }

  return {
    async signIn(credentials, client) {
      const email = plainEmail(credentials.email)
      const claim = { keys: keysOf(email, client), email, limits: attempts, now: clock.now() }
      const { lockedUntil } = await store.run(claimSignIn, claim)
      const { users } = store.tables
      const [user] = await store.db.select().from(users).where(eq(users.email, email))
      const right = await passwords.verify(user?.passwordHash ?? null, credentials.password)
      if (user?.passwordHash && right && user.state === 'active') {
        return admit({ userId: user.id, passwordHash: user.passwordHash }, client)
      }
      const reason = !user
        ? 'unknown user'
        : user.state !== 'active'
          ? `user ${user.state}`
          : 'wrong password'
      const failure = { by: client.by, userId: user?.id ?? null, email, reason, lockedUntil }
      await store.run(failSignIn, { ...failure, now: clock.now() })
      throw wrongCredentials()
    },

    verify: async (challenge, proof, client) =>
      open(await factors.prove(challenge, proof, client.by), client),

    signInByPasskey: async (response, client) =>
      open(await factors.proveByPasskey(response, client.by), client),

    async setUp({ token, email, name, password }, client) {
      const state = await setUpLinkState({ store }, token, clock.now())
      if (state !== 'usable') throw (await needsSetUp({ store })) ? setUpLinkUsed() : alreadySetUp()
      await requireGoodPassword(password, { email, name })
      const passwordHash = await passwords.hash(password)
      const user = { email: plainEmail(email), name, passwordHash }
      const finish = { tokenHash: hashOf(token), user, by: client.by, now: clock.now() }
      const { userId } = await store.run(finishSetUp, finish)
      return open({ userId, passwordHash, methods: ['pwd'] }, client)
    },

    async useLink({ token, name, password }, client) {
      const link = await linkState({ store }, token, clock.now())
      if (link.state !== 'usable') throw linkUsed()
      await requireGoodPassword(password, { email: link.email, name: name ?? link.name })
      const passwordHash = await passwords.hash(password)
      const use = { tokenHash: hashOf(token), name, passwordHash, by: client.by, now: clock.now() }
      const { user, ended } = await store.run(applyLink, use)
      watch.ended(ended)
      return admit(user, client)
    },
  }
}

interface SignInKeys {
  pair: string
  account: string
  device: { key: string; deviceHash: string } | null
}

interface ClaimInput {
  keys: SignInKeys
  email: string
  limits: AttemptLimits
  now: number
}

/**
 * Counts a sign-in under the account with its address, and under the account as a whole. A device on which this
 * user was signed in before is not shut out by what others do: it counts for itself. Refusing writes nothing.
 * Throws TOO_MANY_REQUESTS. Answers until when the account is blocked if this attempt fails.
 */
const claimSignIn = unit('sign-in.claim', function* (tx, { keys, email, limits, now }: ClaimInput) {
  const { sessions, users } = tx.tables
  const pairLocked = yield* requireAttempt(tx, { key: keys.pair, limits, now })
  const { device } = keys
  const known = device
    ? yield* q(
        tx.db
          .select({ id: sessions.id })
          .from(sessions)
          .innerJoin(users, eq(users.id, sessions.userId))
          .where(and(eq(users.email, email), eq(sessions.deviceHash, device.deviceHash)))
          .limit(1),
      )
    : []
  const key = device && known.length > 0 ? device.key : keys.account
  const overallLocked = yield* requireAttempt(tx, { key, limits: { ...limits, most: 4 * limits.most }, now })
  const ends = [pairLocked, overallLocked].filter((end) => end !== null)
  return { lockedUntil: ends.length > 0 ? Math.max(...ends) : null }
})

const forgetSignIn = unit('sign-in.forget', (tx, keys: string[]) => forgetAttempts(tx, keys))

interface FailInput {
  by: Caller
  userId: string | null
  /** As it was typed; null where a factor named the user. */
  email: string | null
  reason: string
  /** The block that begins with this failure. */
  lockedUntil: number | null
  now: number
}

const failSignIn = unit(
  'sign-in.fail',
  function* (tx, { by, userId, email, reason, lockedUntil, now }: FailInput) {
    const event = { ...by, actor: email ?? by.actor, time: now, target: userId }
    yield* appendAudit(tx, { ...event, event: 'authn_login_fail', outcome: 'failure', reason })
    if (lockedUntil === null) return
    yield* appendAudit(tx, {
      ...event,
      event: 'authn_login_lock',
      outcome: 'denied',
      reason: 'too many failed sign-ins',
      after: { until: lockedUntil },
    })
  },
)

export const wrongCredentials = () =>
  new HoldfastError('WRONG_CREDENTIALS', {
    message: 'The e-mail address or the password is wrong.',
    remedy: 'Check both and try again.',
  })
