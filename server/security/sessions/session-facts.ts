import { eq, sql } from 'drizzle-orm'
import { preparedOn } from '@/db/prepared'
import type { Store } from '@/db/store'
import type { Role } from '@/db/tables'
import { factorPolicyKey } from '../factors/factor-policy'
import { rightsOf } from '../rights'
import type { SessionInfo } from '../types'

/** What the store knows of a live session and its user. */
export interface SessionFacts {
  sessionId: string
  /** Counts step-ups: access tokens of an earlier generation are worth nothing. */
  generation: number
  userId: string
  email: string
  name: string
  role: Role
  /** How it was signed in, after RFC 8176: pwd, otp, hwk … */
  methods: string[]
  /** When it ends at the latest if it stays unused, UTC ms. */
  expiresAt: number
}

/** A live session, apart from the token that showed it. */
export type Standing = Omit<SessionInfo, 'accessExpiresAt'>

/** Sessions with their users and the policy on factors: all that a request needs to be judged. */
export function selectSessions({ db, tables }: Pick<Store, 'db' | 'tables'>) {
  const { sessions, users, meta } = tables
  return db
    .select({
      sessionId: sessions.id,
      generation: sessions.generation,
      methods: sessions.methods,
      idleExpiresAt: sessions.idleExpiresAt,
      endedAt: sessions.endedAt,
      doubtedAt: sessions.doubtedAt,
      userId: users.id,
      email: users.email,
      name: users.name,
      role: users.role,
      state: users.state,
      mustChangePassword: users.mustChangePassword,
      policy: meta.value,
    })
    .from(sessions)
    .innerJoin(users, eq(users.id, sessions.userId))
    .leftJoin(meta, eq(meta.key, factorPolicyKey))
}

type SessionRow = Awaited<ReturnType<typeof selectSessions>>[number]

/** What a session stands for now; null when it has ended, ran out, or its user was disabled. */
export function standingOf(row: SessionRow, now: number): Standing | null {
  const { endedAt, doubtedAt, idleExpiresAt, state, mustChangePassword, policy, ...facts } = row
  if (endedAt !== null || idleExpiresAt <= now || state !== 'active') return null
  const { role, methods } = facts
  return {
    ...facts,
    kind: 'session',
    expiresAt: idleExpiresAt,
    ...rightsOf({ role, methods, mustChangePassword, policy, doubted: doubtedAt !== null }),
  }
}

const byId = preparedOn((db, tables) =>
  selectSessions({ db, tables })
    .where(eq(tables.sessions.id, sql.placeholder('id')))
    .prepare('session_by_id'),
)

/** The live session of an id, read fresh in one query: whatever ended it counts at once. */
export async function readSession(
  { store }: { store: Store },
  { sessionId, now }: { sessionId: string; now: number },
): Promise<Standing | null> {
  const [row] = await byId(store).execute({ id: sessionId })
  return row ? standingOf(row, now) : null
}
