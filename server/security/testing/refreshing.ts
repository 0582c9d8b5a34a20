import { eq } from 'drizzle-orm'
import type { Store } from '@/db/store'

/**
 * The one successor that all answers to refreshes of a session brought. Throws when there are several or one was
 * refused, when the store holds another number of them, or when the session has ended for it.
 */
export async function soleSuccessor(
  store: Store,
  sessionId: string,
  answers: (string | null | undefined)[],
): Promise<string> {
  const given = [...new Set(answers)]
  const [successor] = given
  if (given.length !== 1 || !successor) throw new Error(`${given.length} successors were answered.`)
  const { refreshTokens: tokens, sessions } = store.tables
  const rows = await store.db
    .select({ status: tokens.status, endedAt: sessions.endedAt })
    .from(tokens)
    .innerJoin(sessions, eq(sessions.id, tokens.sessionId))
    .where(eq(tokens.sessionId, sessionId))
  const active = rows.filter((row) => row.status === 'active').length
  if (active !== 1) throw new Error(`${active} successors live in the store.`)
  if (rows.some((row) => row.endedAt !== null)) throw new Error('The session has ended.')
  return successor
}
