import { randomUUID } from 'node:crypto'
import { desc, eq, isNotNull, or } from 'drizzle-orm'
import { begins, holds } from '@/db/holds'
import type { Store } from '@/db/store'
import type { Clock } from '@/server/clock'
import { HoldfastError } from '@/server/errors'
import type { Log } from '@/server/log'
import type { Permission } from '../roles'
import { hashOf, newOpaqueToken } from '../tokens/opaque-token'
import type { ApiKeys, SessionInfo } from '../types'
import { readApiKey } from './api-key-facts'
import { type ApiKeyGrant, createKey, noteUse, revokeKey } from './api-key-units'

/** Where requests by API key come in. */
export interface ApiKeyDoor {
  /** Who a key speaks for; null when it is unknown, revoked, expired, or its owner was disabled. */
  authenticate(key: string, address: string): Promise<SessionInfo | null>
}

/** A use is noted at most once in this time. */
const noteEvery = 60_000
const shown = 7
const dayMs = 86_400_000

/** Whether a bearer token claims to be an API key. */
export const isApiKey = (bearer: string) => bearer.startsWith('hf_')

/** Opens the API keys: 256 bits behind `hf_`, of which only the SHA-256 is stored. */
export function openApiKeys({
  store,
  clock,
  log,
}: {
  store: Store
  clock: Clock
  log: Log
}): ApiKeys & ApiKeyDoor {
  return {
    async list() {
      const { apiKeys, users } = store.tables
      const rows = await store.db
        .select({
          id: apiKeys.id,
          name: apiKeys.name,
          prefix: apiKeys.prefix,
          owner: users.email,
          permissions: apiKeys.permissions,
          action: apiKeys.action,
          createdAt: apiKeys.createdAt,
          expiresAt: apiKeys.expiresAt,
          lastUsedAt: apiKeys.lastUsedAt,
          lastAddress: apiKeys.lastAddress,
          revokedAt: apiKeys.revokedAt,
        })
        .from(apiKeys)
        .innerJoin(users, eq(users.id, apiKeys.userId))
        .orderBy(desc(apiKeys.createdAt), apiKeys.id)
      return rows.map((row) => ({ ...row, permissions: row.permissions as Permission[] }))
    },

    find(text, limit) {
      const { apiKeys } = store.tables
      const { id, name, prefix, revokedAt } = apiKeys
      return store.db
        .select({ id, name, prefix, revokedAt })
        .from(apiKeys)
        .where(or(holds(name, text), begins(prefix, text)))
        .orderBy(isNotNull(revokedAt), desc(begins(name, text)), name)
        .limit(limit)
    },

    async create(session, input, use) {
      refuseMoreThan(session, input)
      const key = `hf_${newOpaqueToken()}`
      const now = clock.now()
      const expiresAt = now + input.days * dayMs
      const id = randomUUID()
      await store.run(createKey, {
        ...{ id, ownerId: session.userId, hash: hashOf(key), prefix: key.slice(0, shown) },
        ...{ input, expiresAt, ...use, now },
      })
      return { id, key, expiresAt }
    },

    async revoke({ id }, by) {
      if (!(await store.run(revokeKey, { id, by, now: clock.now() }))) {
        throw new HoldfastError('NOT_FOUND', 'This API key is revoked already, or there is none.')
      }
    },

    async authenticate(key, address) {
      const now = clock.now()
      const found = await readApiKey({ store }, { hash: hashOf(key), now })
      if (!found) return null
      const { standing, lastUsedAt } = found
      if (lastUsedAt === null || lastUsedAt <= now - noteEvery) {
        const use = { id: standing.sessionId, address, now, before: now - noteEvery }
        // Nobody waits for it: a store that takes no writes must not refuse readers.
        store.run(noteUse, use).catch((error: unknown) => {
          log.warn({ error }, 'the use of an API key could not be noted')
        })
      }
      return { ...standing, accessExpiresAt: standing.expiresAt }
    },
  }
}

/** A key cannot make one that may do more than itself; least of all one that needs no second factor. */
function refuseMoreThan(session: SessionInfo, { permissions, action }: ApiKeyGrant): void {
  const more = permissions.find((permission) => !session.permissions.includes(permission))
  if (more) throw new HoldfastError('FORBIDDEN', `You do not hold ${more} yourself.`)
  if (session.kind === 'api-key' && action !== undefined) {
    throw new HoldfastError('FORBIDDEN', {
      message: 'An API key cannot make another one that acts without a second factor.',
      remedy: 'Sign in and make it on the page System, API keys.',
    })
  }
}
