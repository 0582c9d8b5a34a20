import { and, asc, inArray, isNull, lt, lte, or, type SQL } from 'drizzle-orm'
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core'
import type { Tables } from '@/db/tables'
import { lockedIfFree, q, unit } from '@/db/unit'
import { system } from '@/server/audit'
import { endById } from './sessions/session-end'
import { reasonOfTime } from './sessions/session-rotation'

const dayMs = 86_400_000
/** Rows that one unit removes. */
const batch = 500
/** Sessions that one unit ends: each end is an event, and writers of events wait for each other. */
const endBatch = 50

/** What is removed, and when it is over. */
export const cleanupJobs = [
  'sessions',
  'one-time tokens',
  'step-up grants',
  'challenges',
  'attempt counters',
  'unfinished factors',
  'API keys',
  'idempotency keys',
] as const

type Job = (typeof cleanupJobs)[number]

interface CleanInput {
  job: Job
  now: number
  /** The longest block of sign-ins, ms. */
  loginBlockMs: number
}

/** The table of a job, its key, and what is over. */
function workOf(tables: Tables, { job, now, loginBlockMs }: CleanInput) {
  const { sessions, oneTimeTokens, stepUpGrants, challenges, attemptCounters, totpFactors, apiKeys } = tables
  const { idempotencyKeys } = tables
  const days = (count: number) => now - count * dayMs
  const jobs: Record<Job, () => { table: PgTable; key: PgColumn; over: SQL | undefined }> = {
    // Their refresh tokens go with them.
    sessions: () => ({ table: sessions, key: sessions.id, over: lte(sessions.endedAt, days(30)) }),
    // For a while a link can still say that it was used.
    'one-time tokens': () => ({
      table: oneTimeTokens,
      key: oneTimeTokens.id,
      over: or(lte(oneTimeTokens.usedAt, days(30)), lte(oneTimeTokens.expiresAt, days(30))),
    }),
    'step-up grants': () => ({
      table: stepUpGrants,
      key: stepUpGrants.id,
      over: lte(stepUpGrants.expiresAt, now),
    }),
    challenges: () => ({ table: challenges, key: challenges.id, over: lte(challenges.expiresAt, now) }),
    // As long as one could still make the next block longer it stays.
    'attempt counters': () => {
      const before = now - Math.max(dayMs, loginBlockMs)
      const { updatedAt, blockedUntil } = attemptCounters
      return {
        table: attemptCounters,
        key: attemptCounters.key,
        over: and(lt(updatedAt, before), or(isNull(blockedUntil), lt(blockedUntil, before))),
      }
    },
    'unfinished factors': () => ({
      table: totpFactors,
      key: totpFactors.id,
      over: and(isNull(totpFactors.activatedAt), lte(totpFactors.createdAt, days(1))),
    }),
    'API keys': () => ({
      table: apiKeys,
      key: apiKeys.id,
      over: or(lte(apiKeys.revokedAt, days(90)), lte(apiKeys.expiresAt, days(90))),
    }),
    'idempotency keys': () => ({
      table: idempotencyKeys,
      key: idempotencyKeys.id,
      over: lte(idempotencyKeys.expiresAt, now),
    }),
  }
  return jobs[job]()
}

/** Removes one batch of what is over and nobody else holds. Answers how many rows went. */
export const cleanUp = unit('cleanup.remove', function* (tx, input: CleanInput) {
  const { table, key, over } = workOf(tx.tables, input)
  const found = yield* q(lockedIfFree(tx.db.select({ key }).from(table).where(over).limit(batch)))
  if (found.length === 0) return 0
  yield* q(
    tx.db.delete(table).where(
      inArray(
        key,
        found.map((row) => row.key),
      ),
    ),
  )
  return found.length
})

/** Marks one batch of sessions that ran out as ended. Answers how many. */
export const endOverdue = unit('cleanup.end-sessions', function* (tx, { now }: { now: number }) {
  const { sessions } = tx.tables
  const { id, idleExpiresAt, expiresAt } = sessions
  const found = yield* q(
    lockedIfFree(
      tx.db
        .select({ id, idleExpiresAt, expiresAt })
        .from(sessions)
        .where(and(isNull(sessions.endedAt), lte(idleExpiresAt, now)))
        .orderBy(asc(id))
        .limit(endBatch),
    ),
  )
  for (const reason of ['idle', 'expired'] as const) {
    const ids = found.filter((row) => reasonOfTime(row, now) === reason).map((row) => row.id)
    yield* endById(tx, ids, reason, system, now)
  }
  return found.length
})
