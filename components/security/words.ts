import type { StatusKind } from '@/components/ui/status'
import type { RouterOutputs } from '@/server/routers/_app'

export type User = RouterOutputs['security']['users'][number]
export type Role = User['role']
export type Permission = RouterOutputs['security']['roles'][number]['permissions'][number]

export const roleWords: Record<Role, { name: string; may: string }> = {
  viewer: { name: 'Viewer', may: 'Sees everything and changes nothing.' },
  operator: { name: 'Operator', may: 'Sees everything; tests, cancels and acknowledges.' },
  admin: { name: 'Admin', may: 'Does everything, users and keys included.' },
}

export const roleOrder = ['viewer', 'operator', 'admin'] as const satisfies readonly Role[]

export const stateWords: Record<User['state'], { kind: StatusKind; word: string }> = {
  active: { kind: 'ok', word: 'Active' },
  invited: { kind: 'busy', word: 'Invited' },
  disabled: { kind: 'off', word: 'Disabled' },
}

const factorWords: Record<User['factors'][number], string> = {
  totp: 'authenticator app',
  passkey: 'passkey',
  'backup-code': 'backup codes',
}

/** `authenticator app, backup codes`; null without any. */
export function factorsInWords({ factors }: Pick<User, 'factors'>): string | null {
  return factors.length > 0 ? factors.map((kind) => factorWords[kind]).join(', ') : null
}

const areaWords: Record<string, string> = {
  system: 'System',
  database: 'Database',
  cache: 'Cache',
  security: 'Security',
  migration: 'Migration',
}

export const verbWords = {
  read: { name: 'Read', does: 'sees what there is' },
  operate: { name: 'Operate', does: 'tests, cancels and acknowledges' },
  manage: { name: 'Manage', does: 'changes and starts' },
  ingest: { name: 'Ingest', does: 'reports events of other applications' },
} as const

type Verb = keyof typeof verbWords

export interface AreaRights {
  area: string
  name: string
  rights: { verb: Verb; permission: Permission }[]
}

/** Permissions by area, in the order in which they come; those over the own account belong to none. */
export function byArea(permissions: readonly Permission[]): AreaRights[] {
  const areas = new Map<string, AreaRights>()
  for (const permission of permissions) {
    const [area = '', verb = ''] = permission.split(':')
    const name = areaWords[area]
    if (!name || !(verb in verbWords)) continue
    const entry = areas.get(area) ?? { area, name, rights: [] }
    entry.rights.push({ verb: verb as Verb, permission })
    areas.set(area, entry)
  }
  return [...areas.values()]
}
