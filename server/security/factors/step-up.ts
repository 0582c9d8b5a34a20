import { unit, type Work } from '@/db/unit'
import type { Caller } from '@/server/audit'
import { HoldfastError } from '@/server/errors'
import { grant, inputHash, type MadeGrant, makeGrant, type NewGrant } from '@/server/grants'
import { type AttemptLimits, claimOne, factorKey, forgetAttempts } from '../sign-in/attempts'
import { hashOf, newOpaqueToken } from '../tokens/opaque-token'
import type { FactorKind, FactorProof, SessionInfo, StepUpRequest } from '../types'
import { saveChallenge, spendCeremony } from './challenges'
import {
  type Checked,
  checkCode,
  checkPasskey,
  isBackupCode,
  type ProofConfig,
  type ProofDeps,
  type Spend,
  spendProof,
} from './factor-proof'
import { factorsOf, kindsOf, type UserFactors } from './factor-state'
import { claimedChallenge, requestOptions } from './passkeys'
import { type Refusal, recordRefusal, refused } from './refusals'

export interface StepUpConfig extends ProofConfig {
  limits: AttemptLimits
}

/** By which factors a session can step up, and what a passkey has to sign for it. */
export async function stepUpOptions({ store, clock }: ProofDeps, { rp }: ProofConfig, session: SessionInfo) {
  const { userId, sessionId } = session
  const factors = await factorsOf(store, userId)
  const kinds: FactorKind[] = kindsOf(factors).filter((kind) => kind !== 'backup-code')
  if (factors.passkeys.length === 0) return { factors: kinds, passkey: null }
  const signed = newOpaqueToken()
  await store.run(saveChallenge, {
    ...{ id: hashOf(signed), kind: 'passkey-step-up', userId, sessionId },
    ...{ data: {}, now: clock.now() },
  })
  return { factors: kinds, passkey: await requestOptions(rp, factors.passkeys, signed) }
}

interface GrantInput {
  userId: string
  spend: Spend
  grant: NewGrant
}

/** Uses the proof up and makes the grant for it. A refusal is answered and changes nothing. */
const grantByProof = unit('step-up.grant', function* (tx, input: GrantInput): Work<Refusal | MadeGrant> {
  const { userId, spend } = input
  const refusal = yield* spendProof(tx, { userId, spend, now: input.grant.now })
  if (refusal) return refusal
  if (spend.kind === 'totp') yield* forgetAttempts(tx, [factorKey(userId)])
  return yield* grant(tx, input.grant)
})

/**
 * Makes a grant for one action with one input, after a fresh code of an app or a passkey. Throws FACTOR_REQUIRED,
 * WRONG_CODE, CHALLENGE_OVER, TOO_MANY_REQUESTS, and FORBIDDEN for an API key that was made for something else.
 */
export async function stepUp(
  deps: ProofDeps,
  config: StepUpConfig,
  { session, request, by }: { session: SessionInfo; request: StepUpRequest; by: Caller },
): Promise<MadeGrant> {
  const { store, clock } = deps
  const { userId, sessionId } = session
  const { action, proof } = request
  const base = { sessionId, action, inputHash: inputHash(request.input), by }
  if (session.kind === 'api-key') {
    if (session.action !== action) throw otherAction(session.name)
    return store.run(makeGrant, { ...base, method: 'api-key', now: clock.now() })
  }
  const factors = await factorsOf(store, userId)
  if (kindsOf(factors).length === 0) throw factorRequired()
  if (!proof) throw proofRequired()
  const { checked, lockedUntil } = await check(deps, config, { userId, sessionId, factors, proof })
  const outcome = checked.right
    ? await store.run(grantByProof, {
        userId,
        spend: checked.spend,
        grant: { ...base, method: checked.spend.kind === 'passkey' ? 'hwk' : 'otp', now: clock.now() },
      })
    : checked.refusal
  if ('grantId' in outcome) return outcome
  await store.run(recordRefusal, {
    ...{ refusal: outcome, event: 'authn_step_up_fail', userId, target: `session:${sessionId}` },
    ...{ action, lockedUntil, by, now: clock.now() },
  })
  throw refused(outcome)
}

interface CheckInput {
  userId: string
  sessionId: string
  factors: UserFactors
  proof: FactorProof
}

/** Claims an attempt, or what the passkey had to sign, and only then compares the proof. */
async function check(
  deps: ProofDeps,
  config: StepUpConfig,
  { userId, sessionId, factors, proof }: CheckInput,
): Promise<{ checked: Checked; lockedUntil: number | null }> {
  const { store, clock } = deps
  if ('passkey' in proof) {
    const challenge = claimedChallenge(proof.passkey) ?? ''
    await store.run(spendCeremony, {
      ...{ id: hashOf(challenge), kind: 'passkey-step-up', userId, sessionId, now: clock.now() },
    })
    const response = proof.passkey
    return { checked: await checkPasskey(config, { factors, response, challenge }), lockedUntil: null }
  }
  const { code } = proof
  if (isBackupCode(code))
    return { checked: { right: false, refusal: { reason: 'backup code' } }, lockedUntil: null }
  const limits = config.limits
  const lockedUntil = await store.run(claimOne, { key: factorKey(userId), limits, now: clock.now() })
  // Read again: the state from before the claim may be one that a parallel step-up has changed.
  const fresh = await factorsOf(store, userId)
  return { checked: checkCode(deps, config, { userId, factors: fresh, code }), lockedUntil }
}

const otherAction = (name: string) =>
  new HoldfastError('FORBIDDEN', {
    message: `The API key ${name} was not made for this action.`,
    remedy: 'Make a key for exactly this action, on the page System, API keys.',
  })

export const factorRequired = () =>
  new HoldfastError('FACTOR_REQUIRED', {
    message: 'This action asks for a second factor, and you have none.',
    remedy: 'Enrol an authenticator app or a passkey on the page Account, then go on.',
  })

const proofRequired = () =>
  new HoldfastError('BAD_INPUT', {
    message: 'A fresh code or a passkey is missing.',
    remedy: 'Send the code that your authenticator app shows, or a passkey’s answer.',
  })
