import { and, eq } from 'drizzle-orm'
import type { Store } from '@/db/store'
import { q, unit } from '@/db/unit'
import { appendAudit, type Caller } from '@/server/audit'
import type { Clock } from '@/server/clock'
import { HoldfastError } from '@/server/errors'
import { requireGoodPassword } from '../passwords/password-rules'
import type { Passwords } from '../passwords/passwords'
import { endAndTell, endedAlready, endSessionsOf } from '../sessions/session-end'
import { listSessions } from '../sessions/sessions'
import { type AttemptLimits, claimOne, forgetAttempts, passwordKey } from '../sign-in/attempts'
import type { Account, SessionWatch } from '../types'
import { stopLinks } from './links'

interface Deps {
  store: Store
  clock: Clock
  passwords: Passwords
  watch: SessionWatch
}

/** Opens what users do with their own account. */
export function openAccount(
  { store, clock, passwords, watch }: Deps,
  { attempts }: { attempts: AttemptLimits },
): Account {
  const end = (of: Parameters<typeof endAndTell>[1]) => endAndTell({ store, clock, watch }, of)

  return {
    setName: ({ userId }, name, by) => store.run(setName, { userId, name, by, now: clock.now() }),

    async changePassword(session, { current, password }, by) {
      const { userId, sessionId } = session
      await requireGoodPassword(password, session)
      if (password.normalize('NFKC') === current.normalize('NFKC')) throw samePassword()
      // Who holds a session may not guess the password either.
      const attempt = { key: passwordKey(userId), limits: attempts, now: clock.now() }
      const lockedUntil = await store.run(claimOne, attempt)
      const { users } = store.tables
      const [user] = await store.db.select().from(users).where(eq(users.id, userId))
      const former = user?.passwordHash ?? null
      const right = await passwords.verify(former, current)
      if (!former || !right) {
        await store.run(refusePassword, { userId, by, lockedUntil, now: clock.now() })
        throw wrongPassword()
      }
      const passwordHash = await passwords.hash(password)
      const change = { userId, sessionId, former, passwordHash, by, now: clock.now() }
      const ended = await store.run(changePassword, change)
      if (!ended) throw wrongPassword()
      watch.ended(ended)
      return { ended: ended.length }
    },

    sessions: (session) => listSessions({ store }, { ...session, now: clock.now() }),
    async endSession(session, sessionId, by) {
      const { userId } = session
      const reason = sessionId === session.sessionId ? 'signed out' : 'ended'
      if ((await end({ userId, which: { only: sessionId }, reason, by })) === 0) throw endedAlready()
    },
    endOtherSessions: ({ userId, sessionId }, by) =>
      end({ userId, which: { allBut: sessionId }, reason: 'ended', by }),
  }
}

interface NameInput {
  userId: string
  name: string
  by: Caller
  now: number
}

const setName = unit('account.name', function* (tx, { userId, name, by, now }: NameInput) {
  const { users } = tx.tables
  const [before] = yield* q(tx.db.select({ name: users.name }).from(users).where(eq(users.id, userId)))
  if (!before || before.name === name) return
  yield* q(tx.db.update(users).set({ name, updatedAt: now }).where(eq(users.id, userId)))
  yield* appendAudit(tx, {
    ...by,
    time: now,
    event: 'user_updated',
    outcome: 'success',
    target: userId,
    before: { name: before.name },
    after: { name },
  })
})

interface RefuseInput {
  userId: string
  by: Caller
  lockedUntil: number | null
  now: number
}

const refusePassword = unit(
  'account.refuse-password',
  function* (tx, { userId, by, lockedUntil, now }: RefuseInput) {
    const event = { ...by, time: now, target: userId }
    const reason = 'wrong current password'
    yield* appendAudit(tx, { ...event, event: 'authn_password_change', outcome: 'failure', reason })
    if (lockedUntil === null) return
    yield* appendAudit(tx, {
      ...event,
      event: 'authn_login_lock',
      outcome: 'denied',
      reason: 'too many wrong current passwords',
      after: { until: lockedUntil },
    })
  },
)

interface ChangeInput {
  userId: string
  /** The session that stays. */
  sessionId: string
  /** The hash that the current password was compared with. */
  former: string
  passwordHash: string
  by: Caller
  now: number
}

/** Answers the ids of the sessions that ended; null when the password changed meanwhile. */
const changePassword = unit('account.password', function* (tx, input: ChangeInput) {
  const { users } = tx.tables
  const { userId, sessionId, former, passwordHash, by, now } = input
  const changed = yield* q(
    tx.db
      .update(users)
      .set({ passwordHash, passwordChangedAt: now, mustChangePassword: false, updatedAt: now })
      .where(and(eq(users.id, userId), eq(users.passwordHash, former), eq(users.state, 'active')))
      .returning({ id: users.id }),
  )
  if (changed.length === 0) return null
  yield* forgetAttempts(tx, [passwordKey(userId)])
  yield* stopLinks(tx, { userId, now })
  const ended = yield* endSessionsOf(tx, { userId, except: sessionId }, 'password changed', by, now)
  yield* appendAudit(tx, {
    ...by,
    time: now,
    event: 'authn_password_change',
    outcome: 'success',
    target: userId,
    after: { sessionsEnded: ended.length },
  })
  return ended
})

const wrongPassword = () =>
  new HoldfastError('WRONG_CREDENTIALS', {
    message: 'The current password is wrong.',
    remedy: 'Check it and try again.',
  })

function samePassword(): HoldfastError {
  const message = 'use another password than the current one'
  return new HoldfastError('BAD_INPUT', {
    message: 'The new password is the current one.',
    remedy: 'Choose another one.',
    details: { issues: [{ path: 'password', message }] },
  })
}
