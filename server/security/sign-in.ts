import { eq } from 'drizzle-orm'
import type { Store } from '@/db/store'
import { type Caller, recordAudit } from '@/server/audit'
import type { Clock } from '@/server/clock'
import { HoldfastError } from '@/server/errors'
import type { Passwords } from './passwords'

export interface Credentials {
  email: string
  password: string
}

/** A user whose password was right, and the hash that it was compared with. */
export interface Proven {
  userId: string
  passwordHash: string
}

/** Addresses are compared without case and surrounding space. */
export const plainEmail = (email: string) => email.trim().toLowerCase()

/**
 * Compares a password. Unknown user, wrong password and disabled account get the same answer after the same
 * work, and an event each. Throws WRONG_CREDENTIALS.
 */
export async function proveByPassword(
  { store, passwords, clock }: { store: Store; passwords: Passwords; clock: Clock },
  { email, password }: Credentials,
  by: Caller,
): Promise<Proven> {
  const { users } = store.tables
  const [user] = await store.db
    .select()
    .from(users)
    .where(eq(users.email, plainEmail(email)))
  const right = await passwords.verify(user?.passwordHash ?? null, password)
  if (user?.passwordHash && right && user.state === 'active') {
    return { userId: user.id, passwordHash: user.passwordHash }
  }
  await store.run(recordAudit, {
    ...by,
    actor: plainEmail(email),
    time: clock.now(),
    event: 'authn_login_fail',
    outcome: 'failure',
    target: user?.id ?? null,
    reason: !user ? 'unknown user' : user.state !== 'active' ? `user ${user.state}` : 'wrong password',
  })
  throw wrongCredentials()
}

export const wrongCredentials = () =>
  new HoldfastError('WRONG_CREDENTIALS', {
    message: 'The e-mail address or the password is wrong.',
    remedy: 'Check both and try again.',
  })
