import { and, count, eq, isNull } from 'drizzle-orm'
import { q, type Tx, unit, type Work } from '@/db/unit'
import { appendAudit, type Caller } from '@/server/audit'
import { type AttemptLimits, factorKey, forgetAttempts, requireAttempt } from '../sign-in/attempts'
import { hashOf, newOpaqueToken } from '../tokens/opaque-token'
import type { FactorAsked, FactorProof, Proven } from '../types'
import { type Claimed, challengeOver, claimChallenge, closeChallenge, saveChallenge } from './challenges'
import {
  type Checked,
  checkCode,
  checkPasskey,
  isBackupCode,
  methodOf,
  type ProofConfig,
  type ProofDeps,
  type Spend,
  spendProof,
} from './factor-proof'
import { factorsOf, kindsOf } from './factor-state'
import type { Method } from './methods'
import { requestOptions } from './passkeys'
import { type Refusal, recordRefusal, refused } from './refusals'

export interface FactorSignInConfig extends ProofConfig {
  /** How many codes of an app may be tried, over all challenges of a user. */
  limits: AttemptLimits
}

/** Begins the second half of a sign-in; null when the user has no factor. */
export async function askForFactor(
  { store, clock }: ProofDeps,
  { rp }: ProofConfig,
  { userId, passwordHash }: { userId: string; passwordHash: string },
): Promise<FactorAsked | null> {
  const factors = await factorsOf(store, userId)
  const kinds = kindsOf(factors)
  if (kinds.length === 0) return null
  const [challenge, signed] = [newOpaqueToken(), newOpaqueToken()]
  const expiresAt = await store.run(saveChallenge, {
    ...{ id: hashOf(challenge), kind: 'sign-in', userId, sessionId: null },
    ...{ data: { passwordHash, signed }, now: clock.now() },
  })
  const passkey = factors.passkeys.length > 0 ? await requestOptions(rp, factors.passkeys, signed) : null
  return { challenge, factors: kinds, passkey, expiresAt }
}

interface ClaimInput {
  id: string
  /** Whether the proof is a code of an app, of which a million exist. */
  guessable: boolean
  limits: AttemptLimits
  now: number
}

type ClaimedProof = Claimed & { email: string; lockedUntil: number | null }

const claimProof = unit('factor.claim', function* (tx, input: ClaimInput): Work<ClaimedProof> {
  const { id, guessable, limits, now } = input
  const claimed = yield* claimChallenge(tx, { id, now })
  const { users } = tx.tables
  const [user] = yield* q(
    tx.db.select({ email: users.email }).from(users).where(eq(users.id, claimed.userId)),
  )
  if (!user) throw challengeOver()
  if (!guessable) return { ...claimed, ...user, lockedUntil: null }
  const lockedUntil = yield* requireAttempt(tx, { key: factorKey(claimed.userId), limits, now })
  return { ...claimed, ...user, lockedUntil }
})

interface FinishInput {
  id: string
  userId: string
  spend: Spend
  by: Caller
  now: number
}

type Finished = Refusal | { method: Method }

/** Uses proof and challenge up together. A refusal is answered and changes nothing. */
const finishProof = unit('factor.prove', function* (tx, input: FinishInput): Work<Finished> {
  const { id, userId, spend, now } = input
  const refusal = yield* spendProof(tx, { userId, spend, now })
  if (refusal) return refusal
  yield* closeChallenge(tx, { id, now })
  if (spend.kind === 'totp') yield* forgetAttempts(tx, [factorKey(userId)])
  if (spend.kind === 'backup-code') yield* tellOfBackupCode(tx, input)
  return { method: methodOf[spend.kind] }
})

function* tellOfBackupCode(tx: Tx, { userId, by, now }: FinishInput): Work<void> {
  const { backupCodes } = tx.tables
  const [left] = yield* q(
    tx.db
      .select({ codes: count() })
      .from(backupCodes)
      .where(and(eq(backupCodes.userId, userId), isNull(backupCodes.usedAt))),
  )
  yield* appendAudit(tx, {
    ...by,
    time: now,
    event: 'authn_backup_code_used',
    outcome: 'success',
    target: userId,
    after: { remaining: Number(left?.codes ?? 0) },
  })
}

/** Proves the second factor of a sign-in. Throws WRONG_CODE, CHALLENGE_OVER, TOO_MANY_REQUESTS. */
export async function proveFactor(
  deps: ProofDeps,
  config: FactorSignInConfig,
  { challenge, proof, by }: { challenge: string; proof: FactorProof; by: Caller },
): Promise<Proven> {
  const { store, clock } = deps
  const id = hashOf(challenge)
  const guessable = 'code' in proof && !isBackupCode(proof.code)
  const claimed = await store.run(claimProof, { id, guessable, limits: config.limits, now: clock.now() })
  const { userId, lockedUntil } = claimed
  const caller = { ...by, actor: claimed.email }
  const checked = await check(deps, config, claimed, proof)
  const outcome = checked.right
    ? await store.run(finishProof, { id, userId, spend: checked.spend, by: caller, now: clock.now() })
    : checked.refusal
  if ('method' in outcome) {
    return { userId, passwordHash: claimed.data.passwordHash ?? null, methods: ['pwd', outcome.method] }
  }
  await store.run(recordRefusal, {
    ...{ refusal: outcome, event: 'authn_mfa_fail', userId, target: userId },
    ...{ lockedUntil, by: caller, now: clock.now() },
  })
  throw refused(outcome)
}

async function check(
  deps: ProofDeps,
  config: ProofConfig,
  { userId, data }: ClaimedProof,
  proof: FactorProof,
): Promise<Checked> {
  const factors = await factorsOf(deps.store, userId)
  if ('code' in proof) return checkCode(deps, config, { userId, factors, code: proof.code })
  return checkPasskey(config, { factors, response: proof.passkey, challenge: data.signed ?? '' })
}
