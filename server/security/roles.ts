import type { Role } from '@/db/tables'

export const roles = ['viewer', 'operator', 'admin'] as const satisfies readonly Role[]

const areas = ['system', 'database', 'cache', 'security', 'migration'] as const

type Area = (typeof areas)[number]

/**
 * What a procedure asks for. `account:own` is everybody's right over the own account and `auth:step-up` to prove
 * a factor for an action; in each area `read` sees, `operate` tests, cancels and acknowledges, `manage` changes.
 * `security:ingest` reports events of another application.
 */
export type Permission =
  | 'account:own'
  | 'auth:step-up'
  | 'security:ingest'
  | `${Area}:${'read' | 'operate' | 'manage'}`

const personal = ['account:own', 'auth:step-up'] as const
const reads = areas.map((area) => `${area}:read` as const)
const operates = areas.map((area) => `${area}:operate` as const)
const manages = areas.map((area) => `${area}:manage` as const)

/** What an API key can be given: everything but the account of its owner. */
export const allPermissions: readonly Permission[] = [...reads, ...operates, ...manages, 'security:ingest']

const permissions: Record<Role, readonly Permission[]> = {
  viewer: [...personal, ...reads],
  operator: [...personal, ...reads, ...operates],
  admin: [...personal, ...reads, ...operates, ...manages, 'security:ingest'],
}

/** Every permission that a role holds. */
export function permissionsOf(role: Role): readonly Permission[] {
  return permissions[role]
}

/**
 * Actions that an API key can be trusted with although it has no second factor. None of them could make the key
 * stronger: roles, invitations, keys and the rule for factors are left to people.
 */
export const keyActions = [
  'cache.clear',
  'migration.start',
  'migration.switchBack',
  'migration.switchOver',
  'security.disableUser',
  'security.rotateSigningKeys',
] as const
