import { eq, sql } from 'drizzle-orm'
import { preparedOn } from '@/db/prepared'
import type { Store } from '@/db/store'
import { type Permission, permissionsOf } from '../roles'
import type { Standing } from '../sessions/session-facts'

/** API keys with their owners: all that a request needs to be judged. */
export function selectApiKeys({ db, tables }: Pick<Store, 'db' | 'tables'>) {
  const { apiKeys, users } = tables
  return db
    .select({
      sessionId: apiKeys.id,
      name: apiKeys.name,
      granted: apiKeys.permissions,
      action: apiKeys.action,
      expiresAt: apiKeys.expiresAt,
      revokedAt: apiKeys.revokedAt,
      lastUsedAt: apiKeys.lastUsedAt,
      userId: users.id,
      email: users.email,
      role: users.role,
      state: users.state,
    })
    .from(apiKeys)
    .innerJoin(users, eq(users.id, apiKeys.userId))
}

type ApiKeyRow = Awaited<ReturnType<typeof selectApiKeys>>[number]

/** What a key stands for now: what it was given and its owner's role still holds. Null when it works no more. */
export function standingOfKey(row: ApiKeyRow, now: number): Standing | null {
  const { revokedAt, expiresAt, state, granted, action, lastUsedAt: _, ...facts } = row
  if (revokedAt !== null || expiresAt <= now || state !== 'active') return null
  const held: readonly Permission[] = permissionsOf(facts.role)
  const permissions = held.filter((permission) => granted.includes(permission))
  return {
    ...facts,
    ...{ kind: 'api-key', generation: 0, methods: [], needs: [], expiresAt },
    permissions: action === null ? permissions : [...permissions, 'auth:step-up'],
    ...(action === null ? {} : { action }),
  }
}

const byHash = preparedOn((db, tables) =>
  selectApiKeys({ db, tables })
    .where(eq(tables.apiKeys.hash, sql.placeholder('hash')))
    .prepare('api_key_by_hash'),
)

/** The key of a hash, read fresh in one query, and when its use was noted last. */
export async function readApiKey(
  { store }: { store: Store },
  { hash, now }: { hash: string; now: number },
): Promise<{ standing: Standing; lastUsedAt: number | null } | null> {
  const [row] = await byHash(store).execute({ hash })
  const standing = row && standingOfKey(row, now)
  return standing ? { standing, lastUsedAt: row.lastUsedAt } : null
}
