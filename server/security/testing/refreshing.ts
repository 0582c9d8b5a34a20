import { asc, eq } from 'drizzle-orm'
import type { Store } from '@/db/store'
import type { Security, SignedIn } from '@/server/security'
import { browser } from './accounts'

/**
 * Refreshes one token `parallel` times at once, spread over instances, and answers its successor. Throws unless
 * every answer brought the same one, and the store holds exactly one successor that lives.
 */
export async function refreshRound(
  store: Store,
  instances: Pick<Security, 'sessions'>[],
  { session, refreshToken = '' }: Pick<SignedIn, 'session' | 'refreshToken'>,
  parallel: number,
): Promise<string> {
  const answers = await Promise.all(
    Array.from({ length: parallel }, (_, index) => {
      const instance = instances[index % instances.length] as Pick<Security, 'sessions'>
      return instance.sessions.refresh(refreshToken, browser())
    }),
  )
  return soleSuccessor(
    store,
    session.sessionId,
    answers.map((answer) => answer.refreshToken),
  )
}

/** The one successor that all answers brought. Throws when there are several, or when the store holds another number. */
export async function soleSuccessor(
  store: Store,
  sessionId: string,
  answers: (string | undefined)[],
): Promise<string> {
  const given = [...new Set(answers)]
  const [successor] = given
  if (given.length !== 1 || !successor) throw new Error(`${given.length} successors were answered.`)
  const { refreshTokens: tokens } = store.tables
  const rows = await store.db
    .select({ status: tokens.status })
    .from(tokens)
    .where(eq(tokens.sessionId, sessionId))
    .orderBy(asc(tokens.createdAt))
  const active = rows.filter((row) => row.status === 'active').length
  if (active !== 1) throw new Error(`${active} successors live in the store.`)
  return successor
}
