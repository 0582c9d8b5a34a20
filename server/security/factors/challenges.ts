import { and, eq, gt, isNull, lt, sql } from 'drizzle-orm'
import { q, type Tx, unit, type Work } from '@/db/unit'
import { HoldfastError } from '@/server/errors'

/** How long a proof that was begun may take. */
export const challengeLife = 5 * 60_000

/** Wrong proofs after which a challenge is over. */
export const attemptsPerChallenge = 5

export type ChallengeKind =
  | 'sign-in'
  | 'passkey-sign-in'
  | 'passkey-step-up'
  | 'passkey-enrolment'
  /** A code that came before its time and that its sender was told so: it never works. */
  | 'early-code'

interface NewChallenge {
  /** The hash of its token, or of what a passkey is to sign. */
  id: string
  kind: ChallengeKind
  userId: string
  sessionId: string | null
  data: Record<string, string>
  now: number
}

/** Keeps a challenge until it is used or over. */
export const saveChallenge = unit('challenge.save', insertChallenge)

/** The same inside another unit. Answers when it is over. */
export function* insertChallenge(tx: Tx, { now, ...challenge }: NewChallenge): Work<number> {
  const expiresAt = now + challengeLife
  yield* q(tx.db.insert(tx.tables.challenges).values({ ...challenge, createdAt: now, expiresAt }))
  return expiresAt
}

export interface Claimed {
  id: string
  userId: string
  data: Record<string, string>
  /** Attempts so far, this one among them. */
  attempts: number
}

/** Claims one of the attempts of a sign-in's challenge before its proof is checked. Throws CHALLENGE_OVER. */
export function* claimChallenge(tx: Tx, { id, now }: { id: string; now: number }): Work<Claimed> {
  const { challenges } = tx.tables
  const [claimed] = yield* q(
    tx.db
      .update(challenges)
      .set({ attempts: sql`${challenges.attempts} + 1` })
      .where(
        and(
          eq(challenges.id, id),
          eq(challenges.kind, 'sign-in'),
          isNull(challenges.usedAt),
          gt(challenges.expiresAt, now),
          lt(challenges.attempts, attemptsPerChallenge),
        ),
      )
      .returning(),
  )
  if (!claimed?.userId) throw challengeOver()
  return { id, userId: claimed.userId, data: claimed.data, attempts: claimed.attempts }
}

/** Uses a claimed challenge up, with the proof that was right. Throws CHALLENGE_OVER when another proof was first. */
export function* closeChallenge(tx: Tx, { id, now }: { id: string; now: number }): Work<void> {
  const { challenges } = tx.tables
  const closed = yield* q(
    tx.db
      .update(challenges)
      .set({ usedAt: now })
      .where(and(eq(challenges.id, id), isNull(challenges.usedAt), gt(challenges.expiresAt, now)))
      .returning({ id: challenges.id }),
  )
  if (closed.length === 0) throw challengeOver()
}

interface CeremonyUse {
  id: string
  kind: 'passkey-step-up' | 'passkey-enrolment'
  userId: string
  sessionId: string
  now: number
}

/**
 * Uses up what a passkey of a session was asked to sign, before the answer is checked: each is good for one
 * answer, right or wrong. Throws CHALLENGE_OVER, also for another session's.
 */
export const spendCeremony = unit('challenge.use', function* (tx, use: CeremonyUse) {
  const { challenges } = tx.tables
  const used = yield* q(
    tx.db
      .update(challenges)
      .set({ usedAt: use.now })
      .where(
        and(
          eq(challenges.id, use.id),
          eq(challenges.kind, use.kind),
          eq(challenges.userId, use.userId),
          eq(challenges.sessionId, use.sessionId),
          isNull(challenges.usedAt),
          gt(challenges.expiresAt, use.now),
        ),
      )
      .returning({ id: challenges.id }),
  )
  if (used.length === 0) throw challengeOver()
})

/** Whether an id is seen for the first time; from then on it is used. For challenges that stand in no row before. */
export function* firstUse(
  tx: Tx,
  { id, kind, userId, now, expiresAt }: Omit<NewChallenge, 'sessionId' | 'data'> & { expiresAt: number },
): Work<boolean> {
  const { challenges } = tx.tables
  const inserted = yield* q(
    tx.db
      .insert(challenges)
      .values({ id, kind, userId, data: {}, createdAt: now, expiresAt, usedAt: now })
      .onConflictDoNothing()
      .returning({ id: challenges.id }),
  )
  return inserted.length === 1
}

export const challengeOver = () =>
  new HoldfastError('CHALLENGE_OVER', {
    message: 'This took too long, was done already, or had too many wrong tries.',
    remedy: 'Start over.',
  })
