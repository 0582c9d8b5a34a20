import { and, eq, isNotNull, lt } from 'drizzle-orm'
import type { Store } from '@/db/store'
import { q, type Tx, type Work } from '@/db/unit'
import type { Clock } from '@/server/clock'
import type { Vault } from '@/server/vault'
import { hashOf } from '../tokens/opaque-token'
import type { AuthenticationResponseJSON } from '../types'
import { backupCodeMac, plainBackupCode, spendBackupCode } from './backup-codes'
import type { UserFactors } from './factor-state'
import type { Method } from './methods'
import { type PasskeyUse, type RelyingParty, spendPasskey, verifyPasskey } from './passkeys'
import type { Refusal } from './refusals'
import { checkTotp } from './totp'

export interface ProofDeps {
  store: Store
  vault: Vault
  clock: Clock
}

export interface ProofConfig {
  rp: RelyingParty
  /** Steps by which a code may be early or late. */
  window: number
}

/** What a right proof uses up: plain data, for the unit in which it counts. */
export type Spend =
  | { kind: 'totp'; factorId: string; step: number; resealed: string | null }
  | { kind: 'backup-code'; mac: string }
  | ({ kind: 'passkey' } & PasskeyUse)

/** A proof that was compared but does not count yet: of any number at once, {@link spendProof} lets one count. */
export type Checked = { right: true; spend: Spend } | { right: false; refusal: Refusal }

export const methodOf: Record<Spend['kind'], Exclude<Method, 'pwd'>> = {
  totp: 'otp',
  passkey: 'hwk',
  'backup-code': 'backup',
}

/** What the secret of an app is sealed for: it opens for this user and factor alone. */
export const totpContext = (userId: string, factorId: string) => `totp|${userId}|${factorId}`

/** Whether a typed code can only be a backup code: it cannot be guessed, so the factor's counter leaves it out. */
export const isBackupCode = (code: string) => plainBackupCode(code) !== null

/** Compares a typed code with the user's app, or takes it for a backup code by its form. */
export function checkCode(
  deps: ProofDeps,
  config: ProofConfig,
  { userId, factors, code }: { userId: string; factors: UserFactors; code: string },
): Checked {
  const backup = plainBackupCode(code)
  if (backup) {
    return { right: true, spend: { kind: 'backup-code', mac: backupCodeMac(deps, userId, backup) } }
  }
  if (!factors.totp) return { right: false, refusal: { reason: 'wrong code' } }
  const { id: factorId, secretSealed, lastStep } = factors.totp
  const context = totpContext(userId, factorId)
  const secret = deps.vault.open(secretSealed, context)
  const check = checkTotp(secret, code, { now: deps.clock.now(), window: config.window, lastStep })
  switch (check.outcome) {
    case 'right': {
      const current = secretSealed.startsWith(`${deps.vault.keyId}.`)
      const resealed = current ? null : deps.vault.seal(secret, context)
      return { right: true, spend: { kind: 'totp', factorId, step: check.step, resealed } }
    }
    case 'used':
      return { right: false, refusal: { reason: 'code used before' } }
    case 'off': {
      const { drift, step } = check
      const early = drift > 0 ? { id: earlyCodeId(factorId, step), drift } : undefined
      return { right: false, refusal: { reason: 'code of another time', drift, early } }
    }
    case 'wrong':
      return { right: false, refusal: { reason: 'wrong code' } }
  }
}

/** Checks a passkey's answer against those of one user. */
export async function checkPasskey(
  { rp }: ProofConfig,
  { factors, response, challenge }: CheckedPasskey,
): Promise<Checked> {
  const passkey = factors.passkeys.find(({ credentialId }) => credentialId === response.id)
  if (!passkey) return { right: false, refusal: { reason: 'unknown passkey' } }
  const verified = await verifyPasskey(rp, response, { passkey, challenge })
  return verified.ok
    ? { right: true, spend: { kind: 'passkey', ...verified.value } }
    : { right: false, refusal: { reason: verified.reason } }
}

interface CheckedPasskey {
  factors: UserFactors
  response: AuthenticationResponseJSON
  challenge: string
}

/** Under this id it is remembered that somebody was told about a code of a step that is still to come. */
const earlyCodeId = (factorId: string, step: number) => hashOf(`early-code|${factorId}|${step}`)

/**
 * Uses a right proof up: an app's code of this or an older step, a backup code, a passkey's counter never counts
 * again. Answers null when it counts, otherwise why it no longer does.
 */
export function* spendProof(
  tx: Tx,
  { userId, spend, now }: { userId: string; spend: Spend; now: number },
): Work<Refusal | null> {
  switch (spend.kind) {
    case 'totp':
      return (yield* spendTotp(tx, spend, now)) ? null : { reason: 'code used before' }
    case 'backup-code': {
      const used = yield* spendBackupCode(tx, { userId, mac: spend.mac, now })
      return used ? null : { reason: 'wrong backup code' }
    }
    case 'passkey':
      return (yield* spendPasskey(tx, { ...spend, now })) ? null : { reason: 'passkey counter did not grow' }
  }
}

function* spendTotp(
  tx: Tx,
  { factorId, step, resealed }: Extract<Spend, { kind: 'totp' }>,
  now: number,
): Work<boolean> {
  const { totpFactors, challenges } = tx.tables
  const [told] = yield* q(
    tx.db
      .select({ id: challenges.id })
      .from(challenges)
      .where(eq(challenges.id, earlyCodeId(factorId, step))),
  )
  if (told) return false
  const used = yield* q(
    tx.db
      .update(totpFactors)
      .set({ lastStep: step, lastUsedAt: now, ...(resealed ? { secretSealed: resealed } : {}) })
      .where(
        and(eq(totpFactors.id, factorId), isNotNull(totpFactors.activatedAt), lt(totpFactors.lastStep, step)),
      )
      .returning({ id: totpFactors.id }),
  )
  return used.length === 1
}
