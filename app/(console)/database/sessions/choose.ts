import type { ServerSession } from '@/components/database/types'

export const stateOrder = ['active', 'transaction', 'idle', 'other'] as const
export type StateChoice = (typeof stateOrder)[number]

export interface SessionFilter {
  text: string
  state: StateChoice | null
  /** Only those who wait for others, and those they wait for. */
  blocked: boolean
}

function stateOf({ state }: ServerSession): StateChoice {
  return state.startsWith('idle in transaction') ? 'transaction' : (state as StateChoice)
}

/** Sessions that pass the filter; text is looked for in everything that a row shows, whatever its case. */
export function chosen(
  sessions: readonly ServerSession[],
  { text, state, blocked }: SessionFilter,
): ServerSession[] {
  const wanted = text.trim().toLowerCase()
  const blockers = new Set(sessions.flatMap(({ blockedBy }) => blockedBy))
  return sessions.filter(
    (session) =>
      (state === null || stateOf(session) === state) &&
      (!blocked || session.blockedBy.length > 0 || blockers.has(session.pid)) &&
      (wanted === '' || wordsOf(session).some((word) => word.toLowerCase().includes(wanted))),
  )
}

const wordsOf = ({
  pid,
  user,
  application,
  database,
  client,
  statement,
  waitsFor,
}: ServerSession): string[] =>
  [String(pid), user, application, database, client, statement, waitsFor].filter((word) => word !== null)
