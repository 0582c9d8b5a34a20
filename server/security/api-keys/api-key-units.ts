import { and, eq, isNull, lte, or } from 'drizzle-orm'
import { locked, q, unit } from '@/db/unit'
import { appendAudit, type Caller } from '@/server/audit'
import { HoldfastError } from '@/server/errors'
import { useGrant } from '@/server/grants'
import { type Permission, permissionsOf } from '../roles'
import type { Privilege } from '../types'

/** What an API key is to be: the input of its procedure. */
export interface ApiKeyGrant {
  name: string
  permissions: Permission[]
  days: number
  action?: string
}

interface CreateInput extends Privilege {
  id: string
  ownerId: string
  hash: string
  prefix: string
  input: ApiKeyGrant
  expiresAt: number
  now: number
}

/** Makes a key for what its owner's role holds at this moment. Takes a grant. Throws FORBIDDEN. */
export const createKey = unit('api-key.create', function* (tx, given: CreateInput) {
  const { id, ownerId, hash, prefix, input, expiresAt, by, grantId, now } = given
  const { apiKeys, users } = tx.tables
  yield* useGrant(tx, { grantId, by, action: 'security.createApiKey', input, now })
  const [owner] = yield* q(locked(tx.db.select().from(users).where(eq(users.id, ownerId))))
  const held = owner?.state === 'active' ? permissionsOf(owner.role) : []
  const more = input.permissions.find((permission) => !held.includes(permission))
  if (more) throw new HoldfastError('FORBIDDEN', `You do not hold ${more} yourself.`)
  const { name, action = null } = input
  const permissions = [...new Set(input.permissions)]
  yield* q(
    tx.db.insert(apiKeys).values({
      ...{ id, name, userId: ownerId, hash, prefix, permissions, action },
      ...{ createdAt: now, expiresAt },
    }),
  )
  yield* appendAudit(tx, {
    ...by,
    ...{ time: now, event: 'sensitive_create', outcome: 'success', target: `api-key:${id}` },
    after: { name, permissions, action, expiresAt },
  })
})

interface RevokeInput {
  id: string
  by: Caller
  now: number
}

/** Answers whether there was a key to be revoked. */
export const revokeKey = unit('api-key.revoke', function* (tx, { id, by, now }: RevokeInput) {
  const { apiKeys } = tx.tables
  const [revoked] = yield* q(
    tx.db
      .update(apiKeys)
      .set({ revokedAt: now })
      .where(and(eq(apiKeys.id, id), isNull(apiKeys.revokedAt)))
      .returning({ name: apiKeys.name }),
  )
  if (!revoked) return false
  yield* appendAudit(tx, {
    ...by,
    ...{ time: now, event: 'sensitive_delete', outcome: 'success', target: `api-key:${id}` },
    before: { name: revoked.name },
  })
  return true
})

interface UseInput {
  id: string
  address: string
  now: number
  /** A use that was noted later than this is fresh enough. */
  before: number
}

/** Notes when and from where a key was used last. */
export const noteUse = unit('api-key.note-use', function* (tx, { id, address, now, before }: UseInput) {
  const { apiKeys } = tx.tables
  yield* q(
    tx.db
      .update(apiKeys)
      .set({ lastUsedAt: now, lastAddress: address })
      .where(and(eq(apiKeys.id, id), or(isNull(apiKeys.lastUsedAt), lte(apiKeys.lastUsedAt, before)))),
  )
})
