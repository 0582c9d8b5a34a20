import { and, asc, eq } from 'drizzle-orm'
import type { Role, UserState } from '@/db/tables'
import { locked, q, type Tx, type Work } from '@/db/unit'
import type { Caller } from '@/server/audit'
import { HoldfastError } from '@/server/errors'

/** A user's row inside a unit, locked. */
export interface LockedUser {
  id: string
  email: string
  name: string
  role: Role
  state: UserState
}

/**
 * Locks every active admin, always in the same order, and checks that the caller still is one: what two admins do
 * to each other at once happens one after the other. Answers their ids. The command line, which is nobody's
 * user, may do anything. Throws FORBIDDEN.
 */
export function* lockAdmins(tx: Tx, by: Caller): Work<string[]> {
  const { users } = tx.tables
  const rows = yield* q(
    locked(
      tx.db
        .select({ id: users.id })
        .from(users)
        .where(and(eq(users.role, 'admin'), eq(users.state, 'active')))
        .orderBy(asc(users.id)),
    ),
  )
  const admins = rows.map((row) => row.id)
  if (by.actorId !== null && !admins.includes(by.actorId)) {
    throw new HoldfastError('FORBIDDEN', {
      message: 'You are no longer an admin.',
      remedy: 'Ask an admin to do it.',
    })
  }
  return admins
}

/** Locks one user, after the admins. Throws NOT_FOUND. */
export function* lockUser(tx: Tx, userId: string): Work<LockedUser> {
  const { users } = tx.tables
  const [user] = yield* q(locked(tx.db.select().from(users).where(eq(users.id, userId))))
  if (!user) throw new HoldfastError('NOT_FOUND', 'There is no such user.')
  return user
}

/** Throws LAST_ADMIN when nobody would be left who can manage the console. */
export function keepAnAdmin(admins: readonly string[], leaving: string): void {
  if (admins.some((id) => id !== leaving)) return
  throw new HoldfastError('LAST_ADMIN', {
    message: 'This is the last admin who can sign in.',
    remedy: 'Make another user an admin first.',
  })
}

/** Throws CONFLICT when the user is in another state than the action needs. */
export function requireState({ state, email }: LockedUser, needed: UserState): void {
  if (state === needed) return
  const remedies: Record<UserState, string> = {
    invited: 'Renew or withdraw the invitation instead.',
    active: 'Reload the list: somebody changed this user meanwhile.',
    disabled: 'Enable the user first.',
  }
  throw new HoldfastError('CONFLICT', { message: `${email} is ${state}.`, remedy: remedies[state] })
}
