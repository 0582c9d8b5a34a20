import type { Role } from '@/db/tables'

const areas = ['system', 'database', 'cache', 'security', 'migration'] as const

type Area = (typeof areas)[number]

/**
 * What a procedure asks for. `account:own` is everybody's right over the own account; in each area `read` sees,
 * `operate` tests, cancels and acknowledges, `manage` changes.
 */
export type Permission = 'account:own' | `${Area}:${'read' | 'operate' | 'manage'}`

const reads = areas.map((area) => `${area}:read` as const)
const operates = areas.map((area) => `${area}:operate` as const)
const manages = areas.map((area) => `${area}:manage` as const)

const permissions: Record<Role, readonly Permission[]> = {
  viewer: ['account:own', ...reads],
  operator: ['account:own', ...reads, ...operates],
  admin: ['account:own', ...reads, ...operates, ...manages],
}

/** Every permission that a role holds. */
export function permissionsOf(role: Role): readonly Permission[] {
  return permissions[role]
}
