import type { ServerSession } from '@/components/database/types'

/** One row of the blocked-by tree. */
export interface TreeRow {
  session: ServerSession
  /** 0: waits for none of the sessions shown. */
  depth: number
  /** Sessions that wait for it, directly or through others. */
  holdsUp: number
  /** It waits for itself through others: a deadlock, which the server ends by itself. */
  inCycle: boolean
}

/** Names one session for good: a pid comes round again, its begin with it does not. */
export const sessionKey = ({ pid, startedAt }: Pick<ServerSession, 'pid' | 'startedAt'>) =>
  startedAt === null ? String(pid) : `${pid}-${startedAt}`

/**
 * Sessions in the order of who waits for whom: each under the first of its blockers that is shown, whoever holds
 * up the most first. A ring of waiting sessions begins at the one that waits for longest. Every session is there once.
 */
export function blockedByTree(sessions: readonly ServerSession[]): TreeRow[] {
  const byPid = new Map(sessions.map((session) => [session.pid, session]))
  const waiting = new Map<number, ServerSession[]>()
  const blockersOf = ({ pid, blockedBy }: ServerSession) =>
    [...new Set(blockedBy)].filter((blocker) => blocker !== pid && byPid.has(blocker))
  for (const session of sessions) {
    for (const blocker of blockersOf(session)) {
      waiting.set(blocker, [...(waiting.get(blocker) ?? []), session])
    }
  }
  const reach = new Map(sessions.map(({ pid }) => [pid, reachedFrom(pid, waiting)]))
  const holdsUp = ({ pid }: ServerSession) => {
    const reached = reach.get(pid) as Set<number>
    return reached.has(pid) ? reached.size - 1 : reached.size
  }
  const inOrder = (a: ServerSession, b: ServerSession) => holdsUp(b) - holdsUp(a) || byAge(a, b)

  const rows: TreeRow[] = []
  const placed = new Set<number>()
  function place(session: ServerSession, depth: number): void {
    if (placed.has(session.pid)) return
    placed.add(session.pid)
    rows.push({
      session,
      depth,
      holdsUp: holdsUp(session),
      inCycle: reach.get(session.pid)?.has(session.pid) ?? false,
    })
    for (const next of (waiting.get(session.pid) ?? []).toSorted(inOrder)) place(next, depth + 1)
  }
  const free = sessions.filter((session) => blockersOf(session).length === 0)
  for (const session of free.toSorted(inOrder)) place(session, 0)
  // What no free session leads to waits in a ring, or for one.
  const rings = sessions.filter(({ pid }) => reach.get(pid)?.has(pid))
  for (const session of rings.toSorted(inOrder)) place(session, 0)
  return rows
}

/** All who wait for `pid`, directly or through others; itself too if they lie in a ring. */
function reachedFrom(pid: number, waiting: ReadonlyMap<number, readonly ServerSession[]>): Set<number> {
  const reached = new Set<number>()
  const todo = [pid]
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    for (const { pid: other } of waiting.get(next) ?? []) {
      if (reached.has(other)) continue
      reached.add(other)
      todo.push(other)
    }
  }
  return reached
}

const RANKS: Record<ServerSession['state'], number> = {
  active: 0,
  'idle in transaction': 1,
  'idle in transaction (aborted)': 1,
  other: 2,
  idle: 3,
}

/** At work before idle, then the longest transaction, the longest statement, the lowest pid. */
function byAge(a: ServerSession, b: ServerSession): number {
  const since = (at: number | null) => at ?? Number.MAX_SAFE_INTEGER
  return (
    RANKS[a.state] - RANKS[b.state] ||
    since(a.transactionStartedAt) - since(b.transactionStartedAt) ||
    since(a.statementStartedAt) - since(b.statementStartedAt) ||
    a.pid - b.pid
  )
}
