import { eq } from 'drizzle-orm'
import { unit } from '@/db/unit'
import type { AuditWriter, Caller } from '@/server/audit'
import { HoldfastError } from '@/server/errors'
import { hashOf } from '../tokens/opaque-token'
import type { AuthenticationResponseJSON, Proven } from '../types'
import { challengeOver, firstUse } from './challenges'
import type { ProofConfig, ProofDeps } from './factor-proof'
import { newPasskeyChallenge, passkeyChallengeExpiry } from './passkey-challenge'
import { claimedChallenge, requestOptions, spendPasskey, userHandle, verifyPasskey } from './passkeys'

/** What a browser needs to sign in by a passkey alone. */
export function passkeySignInOptions({ vault, clock }: ProofDeps, { rp }: ProofConfig) {
  return requestOptions(rp, [], newPasskeyChallenge({ vault }, clock.now()))
}

interface PasskeySignIn {
  id: string
  expiresAt: number
  userId: string
  passkeyId: string
  counter: number
  backedUp: boolean
  now: number
}

const finishPasskeySignIn = unit('factor.passkey-sign-in', function* (tx, input: PasskeySignIn) {
  const { id, expiresAt, userId, now, ...use } = input
  const first = yield* firstUse(tx, { id, kind: 'passkey-sign-in', userId, now, expiresAt })
  if (!first) return 'challenge used before'
  return (yield* spendPasskey(tx, { ...use, now })) ? null : 'passkey counter did not grow'
})

/** Proves a user by a passkey alone. Throws WRONG_CREDENTIALS, and CHALLENGE_OVER when it took too long. */
export async function provePasskeyAlone(
  deps: ProofDeps & { refusals: AuditWriter },
  config: ProofConfig,
  response: AuthenticationResponseJSON,
  by: Caller,
): Promise<Proven> {
  const { store, clock, refusals } = deps
  const { passkeys, users } = store.tables
  const [found] = await store.db
    .select({ passkey: passkeys, user: users })
    .from(passkeys)
    .innerJoin(users, eq(users.id, passkeys.userId))
    .where(eq(passkeys.credentialId, String(response.id)))
  const refuse = async (reason: string) => {
    await refusals.write({
      ...by,
      actor: found?.user.email ?? by.actor,
      time: clock.now(),
      event: 'authn_login_fail',
      outcome: 'failure',
      target: found?.user.id ?? null,
      reason,
      after: { methods: ['hwk'] },
    })
    return wrongPasskey()
  }
  const challenge = claimedChallenge(response)
  const expiresAt = challenge === null ? null : passkeyChallengeExpiry(deps, challenge)
  if (challenge === null || expiresAt === null) throw await refuse('wrong challenge')
  if (expiresAt <= clock.now()) throw challengeOver()
  if (!found) throw await refuse('unknown passkey')
  const { user, passkey } = found
  if (user.state !== 'active') throw await refuse(`user ${user.state}`)
  if (response.response.userHandle !== userHandle(user.id)) throw await refuse('passkey of another user')
  const verified = await verifyPasskey(config.rp, response, { passkey, challenge })
  if (!verified.ok) throw await refuse(verified.reason)
  const fault = await store.run(finishPasskeySignIn, {
    ...{ id: hashOf(challenge), expiresAt, userId: user.id },
    ...{ ...verified.value, now: clock.now() },
  })
  if (fault) throw await refuse(fault)
  return { userId: user.id, passwordHash: null, methods: ['hwk'] }
}

const wrongPasskey = () =>
  new HoldfastError('WRONG_CREDENTIALS', {
    message: 'This passkey does not sign in here.',
    remedy: 'Sign in by e-mail address and password, or try another passkey.',
  })
