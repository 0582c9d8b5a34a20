import { randomUUID } from 'node:crypto'
import { and, eq } from 'drizzle-orm'
import type { Store } from '@/db/store'
import { q, unit, type Work } from '@/db/unit'
import { appendAudit, type Caller } from '@/server/audit'
import type { Clock } from '@/server/clock'
import { HoldfastError } from '@/server/errors'
import type { Vault } from '@/server/vault'
import { hashOf, newOpaqueToken } from '../tokens/opaque-token'
import type { Enrolled, Privilege, RegistrationResponseJSON, SessionInfo } from '../types'
import { makeBackupCodes } from './backup-codes'
import { insertChallenge, spendCeremony } from './challenges'
import { completeEnrolment, type Enrolment, type EnrolmentDone, enrolledBy, isFirstFactor } from './enrolment'
import { allowEnrolment, lockOwner } from './enrolment-guard'
import { factorsOf } from './factor-state'
import {
  claimedChallenge,
  creationOptions,
  type NewPasskey,
  type RelyingParty,
  verifyNewPasskey,
} from './passkeys'
import { recordRefusal, refused } from './refusals'

interface Deps {
  store: Store
  vault: Vault
  clock: Clock
}

interface BeginInput {
  id: string
  session: Pick<SessionInfo, 'userId' | 'sessionId'>
  use: Privilege
  passwordProven: boolean
  now: number
}

const begin = unit('passkey.begin', function* (tx, { id, ...input }: BeginInput) {
  yield* allowEnrolment(tx, { ...input, action: 'account.beginPasskey' })
  const { session, now } = input
  yield* insertChallenge(tx, { id, kind: 'passkey-enrolment', ...session, data: {}, now })
})

/** What a browser needs to make a passkey for this session's user. */
export async function beginPasskey(
  { store, clock }: Deps,
  { rp }: { rp: RelyingParty },
  { session, use, passwordProven }: { session: SessionInfo; use: Privilege; passwordProven: boolean },
) {
  const { userId, sessionId, email, name } = session
  const signed = newOpaqueToken()
  await store.run(begin, {
    ...{ id: hashOf(signed), session: { userId, sessionId }, use, passwordProven, now: clock.now() },
  })
  const { passkeys } = await factorsOf(store, userId)
  return { options: await creationOptions(rp, { id: userId, email, name, passkeys }, signed) }
}

interface AddInput extends Enrolment {
  name: string
  passkey: NewPasskey
}

const add = unit('passkey.add', function* (tx, input: AddInput): Work<EnrolmentDone> {
  const { name, passkey, session, now } = input
  const { userId } = session
  yield* lockOwner(tx, userId)
  const first = yield* isFirstFactor(tx, userId)
  const added = yield* q(
    tx.db
      .insert(tx.tables.passkeys)
      .values({ id: randomUUID(), userId, name, ...passkey, createdAt: now })
      .onConflictDoNothing()
      .returning({ id: tx.tables.passkeys.id }),
  )
  const [made] = added
  if (!made) throw new HoldfastError('CONFLICT', 'This passkey is registered already.')
  const factor = { factor: 'passkey', factorId: made.id, name, backedUp: passkey.backedUp }
  return yield* completeEnrolment(tx, input, { first, method: 'hwk', factor })
})

/** Adds the passkey that a browser made. Throws WRONG_CODE, CHALLENGE_OVER, and CONFLICT for one that is known. */
export async function addPasskey(
  deps: Deps,
  { rp }: { rp: RelyingParty },
  { session, name, response, by }: AddRequest,
): Promise<Enrolled & { endedIds: string[] }> {
  const { store, clock } = deps
  const { userId, sessionId } = session
  const signed = claimedChallenge(response) ?? ''
  await store.run(spendCeremony, {
    ...{ id: hashOf(signed), kind: 'passkey-enrolment', userId, sessionId, now: clock.now() },
  })
  const verified = await verifyNewPasskey(rp, response, signed)
  if (!verified.ok) {
    await store.run(recordRefusal, {
      ...{ refusal: { reason: verified.reason }, event: 'authn_mfa_fail', userId, target: userId },
      ...{ action: 'account.addPasskey', by, now: clock.now() },
    })
    throw refused(verified)
  }
  const codes = makeBackupCodes(deps, userId)
  const done = await store.run(add, {
    ...{ session: { userId, sessionId }, name, passkey: verified.value },
    ...{ codeMacs: codes.macs, by, now: clock.now() },
  })
  return enrolledBy(done, { shown: codes.shown, drift: 0 })
}

interface AddRequest {
  session: SessionInfo
  name: string
  response: RegistrationResponseJSON
  by: Caller
}

interface RenameInput {
  userId: string
  id: string
  name: string
  by: Caller
  now: number
}

/** Gives a passkey another name. Throws NOT_FOUND. */
export const renamePasskey = unit('passkey.rename', function* (tx, input: RenameInput) {
  const { userId, id, name, by, now } = input
  const { passkeys } = tx.tables
  const own = and(eq(passkeys.id, id), eq(passkeys.userId, userId))
  const [former] = yield* q(tx.db.select({ name: passkeys.name }).from(passkeys).where(own))
  const renamed = yield* q(tx.db.update(passkeys).set({ name }).where(own).returning({ id: passkeys.id }))
  if (renamed.length === 0) throw noPasskey()
  yield* appendAudit(tx, {
    ...by,
    time: now,
    event: 'authn_factor_renamed',
    outcome: 'success',
    target: userId,
    before: { factorId: id, name: former?.name },
    after: { factorId: id, name },
  })
})

export const noPasskey = () =>
  new HoldfastError('NOT_FOUND', { message: 'You have no such passkey.', remedy: 'Load the page again.' })
