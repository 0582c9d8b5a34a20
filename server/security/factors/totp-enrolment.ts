import { randomUUID } from 'node:crypto'
import { and, eq, gt, isNull, ne } from 'drizzle-orm'
import type { Store } from '@/db/store'
import { q, unit, type Work } from '@/db/unit'
import type { Caller } from '@/server/audit'
import type { Clock } from '@/server/clock'
import type { Vault } from '@/server/vault'
import type { Enrolled, Privilege, SessionInfo } from '../types'
import { makeBackupCodes } from './backup-codes'
import { challengeOver } from './challenges'
import { completeEnrolment, type Enrolment, type EnrolmentDone, enrolledBy, isFirstFactor } from './enrolment'
import { allowEnrolment, lockOwner } from './enrolment-guard'
import { totpContext } from './factor-proof'
import { recordRefusal, refused } from './refusals'
import { checkTotp, newTotpSecret, totpUri } from './totp'

/** How long an app that was shown its secret may take to be confirmed. */
export const enrolmentLife = 30 * 60_000

interface Deps {
  store: Store
  vault: Vault
  clock: Clock
}

interface BeginInput {
  id: string
  session: Pick<SessionInfo, 'userId' | 'sessionId'>
  secretSealed: string
  use: Privilege
  passwordProven: boolean
  now: number
}

const begin = unit('totp.begin', function* (tx, { id, secretSealed, ...input }: BeginInput) {
  yield* allowEnrolment(tx, { ...input, action: 'account.beginTotp' })
  const { userId } = input.session
  const { totpFactors } = tx.tables
  yield* q(
    tx.db.delete(totpFactors).where(and(eq(totpFactors.userId, userId), isNull(totpFactors.activatedAt))),
  )
  yield* q(tx.db.insert(totpFactors).values({ id, userId, secretSealed, createdAt: input.now }))
})

/** Shows an app its secret. Nothing is active before {@link activateTotp}. */
export async function beginTotp(
  { store, vault, clock }: Deps,
  { issuer }: { issuer: string },
  { session, use, passwordProven }: { session: SessionInfo; use: Privilege; passwordProven: boolean },
): Promise<{ factorId: string; secret: string; uri: string }> {
  const { userId, sessionId, email } = session
  const id = randomUUID()
  const secret = newTotpSecret()
  const secretSealed = vault.seal(secret, totpContext(userId, id))
  await store.run(begin, {
    ...{ id, session: { userId, sessionId }, secretSealed, use, passwordProven, now: clock.now() },
  })
  return { factorId: id, secret, uri: totpUri({ issuer, label: email, secret }) }
}

interface ActivateInput extends Enrolment {
  factorId: string
  step: number
}

const activate = unit('totp.activate', function* (tx, input: ActivateInput): Work<EnrolmentDone> {
  const { factorId, step, session, now } = input
  const { totpFactors } = tx.tables
  const { userId } = session
  yield* lockOwner(tx, userId)
  const first = yield* isFirstFactor(tx, userId)
  const activated = yield* q(
    tx.db
      .update(totpFactors)
      .set({ activatedAt: now, lastStep: step })
      .where(
        and(
          eq(totpFactors.id, factorId),
          eq(totpFactors.userId, userId),
          isNull(totpFactors.activatedAt),
          gt(totpFactors.createdAt, now - enrolmentLife),
        ),
      )
      .returning({ id: totpFactors.id }),
  )
  if (activated.length === 0) throw challengeOver()
  // The new app takes the place of the former one.
  const others = and(eq(totpFactors.userId, userId), ne(totpFactors.id, factorId))
  yield* q(tx.db.delete(totpFactors).where(others))
  return yield* completeEnrolment(tx, input, { first, method: 'otp', factor: { factor: 'totp' } })
})

/** Activates an app by a code of it. Throws WRONG_CODE, and CHALLENGE_OVER for an enrolment that is not waiting. */
export async function activateTotp(
  deps: Deps,
  { window }: { window: number },
  { session, factorId, code, by }: { session: SessionInfo; factorId: string; code: string; by: Caller },
): Promise<Enrolled & { endedIds: string[] }> {
  const { store, vault, clock } = deps
  const { userId, sessionId } = session
  const { totpFactors } = store.tables
  const [pending] = await store.db
    .select()
    .from(totpFactors)
    .where(and(eq(totpFactors.id, factorId), eq(totpFactors.userId, userId), isNull(totpFactors.activatedAt)))
  if (!pending || pending.createdAt <= clock.now() - enrolmentLife) throw challengeOver()
  const secret = vault.open(pending.secretSealed, totpContext(userId, factorId))
  const checked = checkTotp(secret, code, { now: clock.now(), window, lastStep: 0 })
  if (checked.outcome !== 'right') {
    const off = checked.outcome === 'off'
    const refusal = off ? { reason: 'code of another time', drift: checked.drift } : { reason: 'wrong code' }
    await store.run(recordRefusal, {
      ...{ refusal, event: 'authn_mfa_fail', userId, target: userId },
      ...{ action: 'account.activateTotp', by, now: clock.now() },
    })
    throw refused(refusal)
  }
  const codes = makeBackupCodes(deps, userId)
  const done = await store.run(activate, {
    ...{ session: { userId, sessionId }, factorId, step: checked.step },
    ...{ codeMacs: codes.macs, by, now: clock.now() },
  })
  return enrolledBy(done, { shown: codes.shown, drift: checked.drift })
}
