import { createHash, randomUUID } from 'node:crypto'
import { and, eq, gt, isNull, sql } from 'drizzle-orm'
import { q, type Tx, unit, type Work } from '@/db/unit'
import { appendAudit, type Caller } from './audit'
import { HoldfastError } from './errors'

/** How long a fresh proof of identity may wait for its action. */
export const grantLife = 5 * 60_000

export interface NewGrant {
  /** The session, or the API key, that may use it. */
  sessionId: string
  /** The action that it allows, such as `migration.start`. */
  action: string
  inputHash: string
  /**
   * What proved it, after RFC 8176: a code, a passkey, an API key that was made for this action, or the hold of the
   * machine and its master key.
   */
  method: 'otp' | 'hwk' | 'api-key' | 'machine'
  by: Caller
  now: number
}

export interface MadeGrant {
  grantId: string
  expiresAt: number
}

/** Makes a grant, after the proof was checked. Answers its id, which works once. */
export const makeGrant = unit('grant.make', grant)

/** The same inside the unit that uses the proof up. A session gets a new generation with it. */
export function* grant(tx: Tx, { by, now, ...grant }: NewGrant): Work<MadeGrant> {
  const { stepUpGrants, sessions } = tx.tables
  const id = randomUUID()
  const expiresAt = now + grantLife
  if (grant.method !== 'api-key' && grant.method !== 'machine') {
    // Access tokens that were signed before the step-up stop working (OWASP ASVS 5.0, 7.2.4).
    const generation = sql`${sessions.generation} + 1`
    // A fresh factor also clears what a threat rule doubted.
    yield* q(
      tx.db.update(sessions).set({ generation, doubtedAt: null }).where(eq(sessions.id, grant.sessionId)),
    )
  }
  yield* q(tx.db.insert(stepUpGrants).values({ id, ...grant, createdAt: now, expiresAt }))
  yield* appendAudit(tx, {
    ...by,
    time: now,
    event: 'authn_step_up_success',
    outcome: 'success',
    target: grant.method === 'machine' ? null : `${holders[grant.method]}:${grant.sessionId}`,
    after: { action: grant.action, method: grant.method },
  })
  return { grantId: id, expiresAt }
}

const holders = { otp: 'session', hwk: 'session', 'api-key': 'api-key' } as const

export interface GrantUse {
  /** From the header `Holdfast-Step-Up`; null when the request brought none. */
  grantId: string | null
  /** Who acts, in which session or by which API key. */
  by: Caller
  action: string
  /** The action's input, exactly as the step-up was asked for. */
  input: unknown
  now: number
}

/**
 * Uses a grant up inside the action's own unit: both commit or neither does. Throws STEP_UP_REQUIRED when there
 * is none, it was used, it is too old, or it was made for another session, action or input.
 */
export function* useGrant(tx: Tx, { grantId, by, action, input, now }: GrantUse): Work<void> {
  const { stepUpGrants: grants } = tx.tables
  const used = grantId
    ? yield* q(
        tx.db
          .update(grants)
          .set({ usedAt: now })
          .where(
            and(
              eq(grants.id, grantId),
              eq(grants.sessionId, by.sessionId ?? ''),
              eq(grants.action, action),
              eq(grants.inputHash, inputHash(input)),
              isNull(grants.usedAt),
              gt(grants.expiresAt, now),
            ),
          )
          .returning({ id: grants.id }),
      )
    : []
  if (used.length === 0) {
    throw new HoldfastError('STEP_UP_REQUIRED', {
      message: 'This action asks for a fresh code or passkey.',
      remedy:
        'POST it with the action and its exact input to /api/auth/step-up, then send the grantId of the answer in the header Holdfast-Step-Up.',
      details: { action },
    })
  }
}

/** SHA-256 of an input as JSON with sorted keys, base64url. Absent fields and `undefined` are the same. */
export function inputHash(input: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify(sorted(input)) ?? 'null')
    .digest('base64url')
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]))
}
