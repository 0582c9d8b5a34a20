import { eq } from 'drizzle-orm'
import type { Store } from '@/db/store'
import { type Caller, recordAudit } from '@/server/audit'
import type { Clock } from '@/server/clock'
import { HoldfastError } from '@/server/errors'
import { inputHash, makeGrant } from '@/server/grants'
import type { Passwords } from './passwords'
import type { SessionFacts } from './sessions'

export interface StepUpRequest {
  /** The action that is to be allowed, such as `migration.start`. */
  action: string
  /** Exactly the input that the action will get. */
  input: unknown
  password: string
}

/** Checks the password again and makes a grant for one action with one input. Throws WRONG_CREDENTIALS. */
export async function stepUp(
  { store, passwords, clock }: { store: Store; passwords: Passwords; clock: Clock },
  session: SessionFacts,
  { action, input, password }: StepUpRequest,
  by: Caller,
): Promise<{ grantId: string; expiresAt: number }> {
  const { users } = store.tables
  const [user] = await store.db
    .select({ passwordHash: users.passwordHash })
    .from(users)
    .where(eq(users.id, session.userId))
  const right = await passwords.verify(user?.passwordHash ?? null, password)
  const { sessionId } = session
  if (!right) {
    await store.run(recordAudit, {
      ...by,
      time: clock.now(),
      event: 'authn_step_up_fail',
      outcome: 'failure',
      reason: 'wrong password',
      target: `session:${sessionId}`,
      after: { action },
    })
    throw new HoldfastError('WRONG_CREDENTIALS', 'The password is wrong.')
  }
  return store.run(makeGrant, {
    ...{ sessionId, action, inputHash: inputHash(input), method: 'password' as const },
    ...{ by, now: clock.now() },
  })
}
