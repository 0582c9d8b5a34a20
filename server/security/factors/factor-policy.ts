import { eq } from 'drizzle-orm'
import type { Store } from '@/db/store'
import type { Role } from '@/db/tables'
import { q, unit } from '@/db/unit'
import { appendAudit } from '@/server/audit'
import type { Clock } from '@/server/clock'
import { useGrant } from '@/server/grants'
import { roles } from '../roles'
import type { FactorPolicy, Privilege } from '../types'
import { lockAdmins } from '../users/user-guards'

/** Where the store's table `meta` holds the roles that must have a second factor, as JSON. */
export const factorPolicyKey = 'factor-required-roles'

/** Roles from the text in the store; as long as nobody chose, admins. */
export function requiredRoles(value: string | null | undefined): Role[] {
  if (value == null) return ['admin']
  const stored: unknown = JSON.parse(value)
  return roles.filter((role) => Array.isArray(stored) && stored.includes(role))
}

interface SetInput extends Privilege {
  policy: FactorPolicy
  now: number
}

const setPolicy = unit('factor-policy.set', function* (tx, { policy, by, grantId, now }: SetInput) {
  const { meta } = tx.tables
  const action = 'security.setFactorPolicy'
  yield* useGrant(tx, { grantId, by, action, input: policy, now })
  yield* lockAdmins(tx, by)
  const [before] = yield* q(tx.db.select().from(meta).where(eq(meta.key, factorPolicyKey)))
  const chosen = roles.filter((role) => policy.requiredRoles.includes(role))
  const value = JSON.stringify(chosen)
  yield* q(
    tx.db
      .insert(meta)
      .values({ key: factorPolicyKey, value })
      .onConflictDoUpdate({ target: meta.key, set: { value } }),
  )
  yield* appendAudit(tx, {
    ...by,
    time: now,
    event: 'authn_factor_policy_changed',
    outcome: 'success',
    target: factorPolicyKey,
    before: { requiredRoles: requiredRoles(before?.value) },
    after: { requiredRoles: chosen },
  })
})

/** Opens the policy that says which roles must have a second factor. */
export function openFactorPolicy({ store, clock }: { store: Store; clock: Clock }): {
  read(): Promise<FactorPolicy>
  /** Takes a grant. It counts from the next request of everybody. */
  set(policy: FactorPolicy, use: Privilege): Promise<void>
} {
  return {
    async read() {
      // Asked for each time: after a switchover the store stands on the tables of another dialect.
      const { meta } = store.tables
      const [row] = await store.db.select().from(meta).where(eq(meta.key, factorPolicyKey))
      return { requiredRoles: requiredRoles(row?.value) }
    },
    async set(policy, use) {
      await store.run(setPolicy, { policy, ...use, now: clock.now() })
    },
  }
}
