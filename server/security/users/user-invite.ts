import { randomUUID } from 'node:crypto'
import { eq } from 'drizzle-orm'
import type { Role } from '@/db/tables'
import { q, unit } from '@/db/unit'
import { appendAudit, type Caller } from '@/server/audit'
import { HoldfastError } from '@/server/errors'
import { useGrant } from '@/server/grants'
import type { Privilege } from '../types'
import { saveLink } from './links'
import { plainEmail } from './plain-email'
import { lockAdmins, lockUser } from './user-guards'

interface InviteInput extends Privilege {
  input: { email: string; name: string; role: Role }
  linkHash: string
  now: number
}

/** Makes a user without a password, and the link that asks for one. CONFLICT when the address is taken. */
export const inviteUser = unit('user.invite', function* (tx, { input, linkHash, now, ...use }: InviteInput) {
  const { by, grantId } = use
  const { users } = tx.tables
  const action = 'security.inviteUser'
  yield* useGrant(tx, { grantId, by, action, input, now })
  yield* lockAdmins(tx, by)
  const userId = randomUUID()
  const user = { ...input, email: plainEmail(input.email) }
  const made = yield* q(
    tx.db
      .insert(users)
      .values({ id: userId, ...user, state: 'invited', createdAt: now, updatedAt: now })
      .onConflictDoNothing()
      .returning({ id: users.id }),
  )
  if (made.length === 0) throw addressTaken(user.email)
  const expiresAt = yield* saveLink(tx, { userId, kind: 'invite', hash: linkHash, now })
  yield* appendAudit(tx, {
    ...by,
    time: now,
    event: 'user_invited',
    outcome: 'success',
    target: userId,
    after: { ...user, expiresAt },
  })
  return { userId, expiresAt }
})

interface RenewInput extends Privilege {
  input: { userId: string }
  linkHash: string
  now: number
}

/** A new link for an open invitation. */
export const renewInvitation = unit('user.renew-invite', function* (tx, renewal: RenewInput) {
  const { input, linkHash, by, grantId, now } = renewal
  const { userId } = input
  const action = 'security.renewInvite'
  yield* useGrant(tx, { grantId, by, action, input, now })
  yield* lockAdmins(tx, by)
  const user = yield* lockUser(tx, userId)
  if (user.state !== 'invited') throw notInvited(user.email)
  const expiresAt = yield* saveLink(tx, { userId, kind: 'invite', hash: linkHash, now })
  yield* appendAudit(tx, {
    ...by,
    time: now,
    event: 'user_invited',
    outcome: 'success',
    target: userId,
    reason: 'new link',
    after: { email: user.email, role: user.role, expiresAt },
  })
  return { expiresAt }
})

interface WithdrawInput {
  userId: string
  by: Caller
  now: number
}

/** Takes an invitation back: the user, who never signed in, is gone, and the address free again. */
export const withdrawInvitation = unit(
  'user.withdraw-invite',
  function* (tx, { userId, by, now }: WithdrawInput) {
    yield* lockAdmins(tx, by)
    const user = yield* lockUser(tx, userId)
    if (user.state !== 'invited') throw notInvited(user.email)
    yield* q(tx.db.delete(tx.tables.users).where(eq(tx.tables.users.id, userId)))
    const { email, name, role } = user
    yield* appendAudit(tx, {
      ...by,
      time: now,
      event: 'user_invitation_withdrawn',
      outcome: 'success',
      target: userId,
      before: { email, name, role },
    })
  },
)

export const addressTaken = (email: string) =>
  new HoldfastError('CONFLICT', {
    message: `A user with the address ${email} exists already.`,
    remedy: 'Use another address, or change that user.',
  })

const notInvited = (email: string) =>
  new HoldfastError('CONFLICT', {
    message: `${email} has no open invitation.`,
    remedy: 'Reload the list: the invitation may have been accepted.',
  })
