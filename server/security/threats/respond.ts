import { and, asc, eq, inArray, isNull } from 'drizzle-orm'
import { q, type Tx, type Work } from '@/db/unit'
import { appendAudit, system } from '@/server/audit'
import { countFactors } from '../factors/factor-state'
import { blockNetwork } from '../limits/block-units'
import { endById, endSessionsOf } from '../sessions/session-end'
import type { Found, Kept } from './report'
import { ruleOf } from './rules'

export interface Done {
  responses: Kept['responses']
  ended: string[]
}

interface Responding {
  found: Found
  findingId: string
  blockDurationsMs?: readonly number[] | undefined
  now: number
}

/** Does what the rule is set to do, in the unit of the finding; each deed is an audit event of its own. */
export function* respond(
  tx: Tx,
  { found, findingId, blockDurationsMs: durationsMs, now }: Responding,
): Work<Done> {
  const { response, address, userId } = found
  const done: Done = { responses: [], ended: [] }
  if (response === 'block' && address) {
    const title = ruleOf(found.rule)?.title ?? found.rule
    const block = {
      network: address,
      origin: 'rule',
      reason: title,
      createdBy: `rule ${found.rule}`,
    } as const
    const made = yield* blockNetwork(tx, { ...block, findingId, durationsMs, now })
    if (made) done.responses.push({ kind: 'block', target: `network:${address}`, at: now })
  }
  // Where another application reports it, nobody of the console is meant.
  if (!userId) return done
  if (response === 'end sessions') {
    done.ended = yield* endSessionsOf(tx, { userId }, 'threat', system, now)
    if (done.ended.length > 0)
      done.responses.push({ kind: 'end sessions', target: `user:${userId}`, at: now })
  }
  if (response === 'require a fresh factor') {
    const { doubted, ended } = yield* doubt(tx, userId, findingId, now)
    done.ended = ended
    const target = `user:${userId}`
    if (doubted > 0) done.responses.push({ kind: 'require a fresh factor', target, at: now })
    if (ended.length > 0) done.responses.push({ kind: 'end sessions', target, at: now })
  }
  return done
}

/**
 * Doubts all sessions of a user until each proves a factor anew. Who has none that a step-up takes could never
 * clear it: those sessions end, and the user signs in again.
 */
function* doubt(
  tx: Tx,
  userId: string,
  findingId: string,
  now: number,
): Work<{ doubted: number; ended: string[] }> {
  const { sessions } = tx.tables
  const live = yield* q(
    tx.db
      .select({ id: sessions.id })
      .from(sessions)
      .where(and(eq(sessions.userId, userId), isNull(sessions.endedAt), isNull(sessions.doubtedAt)))
      .orderBy(asc(sessions.id)),
  )
  const ids = live.map(({ id }) => id)
  if (ids.length === 0) return { doubted: 0, ended: [] }
  if ((yield* countFactors(tx, userId)) === 0) {
    return { doubted: 0, ended: yield* endById(tx, ids, 'threat', system, now) }
  }
  yield* q(tx.db.update(sessions).set({ doubtedAt: now }).where(inArray(sessions.id, ids)))
  yield* appendAudit(tx, {
    ...system,
    ...{ time: now, event: 'session_doubted', outcome: 'success', target: `user:${userId}` },
    reason: 'a threat rule asks for a fresh factor',
    after: { sessions: ids, findingId },
  })
  return { doubted: ids.length, ended: [] }
}
