import { createHash, randomUUID } from 'node:crypto'
import { and, eq, gt, isNull } from 'drizzle-orm'
import { q, type Tx, unit, type Work } from '@/db/unit'
import { appendAudit, type Caller } from './audit'
import { HoldfastError } from './errors'

/** How long a fresh proof of identity may wait for its action. */
export const grantLife = 5 * 60_000

export interface NewGrant {
  sessionId: string
  /** The action that it allows, such as `migration.start`. */
  action: string
  inputHash: string
  method: 'password'
  by: Caller
  now: number
}

/** Makes a grant, after the proof was checked. Answers its id, which works once. */
export const makeGrant = unit('grant.make', function* (tx, { by, now, ...grant }: NewGrant) {
  const id = randomUUID()
  const expiresAt = now + grantLife
  yield* q(tx.db.insert(tx.tables.stepUpGrants).values({ id, ...grant, createdAt: now, expiresAt }))
  yield* appendAudit(tx, {
    ...by,
    time: now,
    event: 'authn_step_up_success',
    outcome: 'success',
    target: `session:${grant.sessionId}`,
    after: { action: grant.action, method: grant.method },
  })
  return { grantId: id, expiresAt }
})

export interface GrantUse {
  /** From the header `Holdfast-Step-Up`; null when the request brought none. */
  grantId: string | null
  sessionId: string
  action: string
  /** The action's input, exactly as the step-up was asked for. */
  input: unknown
  now: number
}

/**
 * Uses a grant up inside the action's own unit: both commit or neither does. Throws STEP_UP_REQUIRED when there
 * is none, it was used, it is too old, or it was made for another session, action or input.
 */
export function* useGrant(tx: Tx, { grantId, sessionId, action, input, now }: GrantUse): Work<void> {
  const { stepUpGrants: grants } = tx.tables
  const used = grantId
    ? yield* q(
        tx.db
          .update(grants)
          .set({ usedAt: now })
          .where(
            and(
              eq(grants.id, grantId),
              eq(grants.sessionId, sessionId),
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
      message: 'This action asks for your password again.',
      remedy: 'Confirm it, then send the grant in the header Holdfast-Step-Up.',
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
