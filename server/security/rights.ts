import type { Role } from '@/db/tables'
import { requiredRoles } from './factors/factor-policy'
import { hasFactor } from './factors/methods'
import { type Permission, permissionsOf } from './roles'
import type { Need } from './types'

interface Standing {
  role: Role
  methods: readonly string[]
  mustChangePassword: boolean
  /** Value of the policy's row. */
  policy: string | null
  /** A threat rule doubts the session. */
  doubted: boolean
}

/** What a session may do, and what has to be done before it may do more than see to its own account. */
export function rightsOf({ role, methods, mustChangePassword, policy, doubted }: Standing): {
  permissions: readonly Permission[]
  needs: Need[]
} {
  const needs: Need[] = []
  if (doubted) needs.push('fresh factor')
  if (mustChangePassword) needs.push('new password')
  if (!hasFactor(methods) && requiredRoles(policy).includes(role)) needs.push('factor')
  return { permissions: permissionsOf(role), needs }
}
