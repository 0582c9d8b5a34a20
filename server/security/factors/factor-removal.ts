import { and, eq, isNotNull } from 'drizzle-orm'
import type { Role } from '@/db/tables'
import { q, type Tx, unit, type Work } from '@/db/unit'
import { appendAudit } from '@/server/audit'
import { HoldfastError } from '@/server/errors'
import { useGrant } from '@/server/grants'
import type { Privilege } from '../types'
import { replaceBackupCodes } from './backup-codes'
import { lockOwner } from './enrolment-guard'
import { countFactors, roleNeedsFactorNow } from './factor-state'
import { noPasskey } from './passkey-enrolment'
import { factorRequired } from './step-up'

interface Change {
  userId: string
  use: Privilege
  now: number
}

/** Locks the user and uses the grant up. */
function* guarded(tx: Tx, { userId, use, now }: Change, action: string, input: unknown) {
  const user = yield* lockOwner(tx, userId)
  yield* useGrant(tx, { ...use, action, input, now })
  return user
}

/** Removes the authenticator app. Throws STEP_UP_REQUIRED, NOT_FOUND, FACTOR_REQUIRED for the last factor of a role that needs one. */
export const removeTotp = unit('totp.remove', function* (tx, change: Change) {
  const { userId } = change
  const user = yield* guarded(tx, change, 'account.removeTotp', {})
  const { totpFactors } = tx.tables
  const active = and(eq(totpFactors.userId, userId), isNotNull(totpFactors.activatedAt))
  const removed = yield* q(tx.db.delete(totpFactors).where(active).returning({ id: totpFactors.id }))
  if (removed.length === 0) throw new HoldfastError('NOT_FOUND', 'You have no authenticator app enrolled.')
  yield* settle(tx, change, user.role, { factor: 'totp' })
})

/** Removes a passkey. Throws as {@link removeTotp} does. */
export const removePasskey = unit('passkey.remove', function* (tx, change: Change & { id: string }) {
  const { userId, id } = change
  const user = yield* guarded(tx, change, 'account.removePasskey', { id })
  const { passkeys } = tx.tables
  const [removed] = yield* q(
    tx.db
      .delete(passkeys)
      .where(and(eq(passkeys.id, id), eq(passkeys.userId, userId)))
      .returning({ name: passkeys.name }),
  )
  if (!removed) throw noPasskey()
  yield* settle(tx, change, user.role, { factor: 'passkey', factorId: id, name: removed.name })
})

/** Without another factor backup codes go too: alone they would be a second factor that can't step up. */
function* settle(
  tx: Tx,
  { userId, use, now }: Change,
  role: Role,
  factor: Record<string, unknown>,
): Work<void> {
  const left = yield* countFactors(tx, userId)
  if (left === 0) {
    if (yield* roleNeedsFactorNow(tx, role)) throw lastFactor(role)
    yield* q(tx.db.delete(tx.tables.backupCodes).where(eq(tx.tables.backupCodes.userId, userId)))
  }
  yield* appendAudit(tx, {
    ...use.by,
    time: now,
    event: 'authn_factor_removed',
    outcome: 'success',
    target: userId,
    before: factor,
    after: { factorsLeft: left },
  })
}

/** Puts new backup codes in the place of the former ones. Throws STEP_UP_REQUIRED, FACTOR_REQUIRED. */
export const regenerateBackupCodes = unit(
  'backup-code.replace',
  function* (tx, change: Change & { macs: string[] }) {
    const { userId, use, macs, now } = change
    yield* guarded(tx, change, 'account.regenerateBackupCodes', {})
    if ((yield* countFactors(tx, userId)) === 0) throw factorRequired()
    yield* replaceBackupCodes(tx, { userId, macs, now })
    yield* appendAudit(tx, {
      ...use.by,
      time: now,
      event: 'authn_backup_codes_made',
      outcome: 'success',
      target: userId,
      after: { codes: macs.length },
    })
  },
)

const lastFactor = (role: Role) =>
  new HoldfastError('FACTOR_REQUIRED', {
    message: `Your role, ${role}, needs a second factor, and this is your last one.`,
    remedy: 'Enrol another one first.',
  })
