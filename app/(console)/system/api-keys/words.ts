import { byArea, type Permission, verbWords } from '@/components/security/words'
import type { StatusKind } from '@/components/ui/status'
import type { RouterInputs, RouterOutputs } from '@/server/routers/_app'

export type ApiKey = RouterOutputs['security']['apiKeys'][number]

type ActionName = NonNullable<RouterInputs['security']['createApiKey']['action']>

/** What a key can be trusted with although it has no second factor. */
export const actions = [
  { name: 'migration.start', label: 'Start a migration', needs: 'migration:manage' },
  { name: 'migration.switchOver', label: 'Switch over to PostgreSQL', needs: 'migration:manage' },
  { name: 'migration.switchBack', label: 'Switch back to SQLite', needs: 'migration:manage' },
  { name: 'security.disableUser', label: 'Disable a user', needs: 'security:manage' },
  { name: 'security.rotateSigningKeys', label: 'Rotate the signing keys', needs: 'security:manage' },
] as const satisfies readonly { name: ActionName; label: string; needs: Permission }[]

export type Action = (typeof actions)[number]

/** `Read: everything · Operate: cache, migration`: permissions by what they let do. */
export function permissionsInWords(permissions: readonly Permission[], areas: number): string {
  const rights = byArea(permissions)
  return Object.entries(verbWords)
    .map(([verb, { name }]) => {
      const held = rights.filter((area) => area.rights.some((right) => right.verb === verb))
      const where =
        held.length === areas ? 'everything' : held.map((area) => area.name.toLowerCase()).join(', ')
      return held.length > 0 ? `${name}: ${where}` : ''
    })
    .filter(Boolean)
    .join(' · ')
}

const soon = 7 * 86_400_000

/** Whether a key works, by shape and word. `now` is null where no clock may be read yet. */
export function stateOf({ revokedAt, expiresAt }: ApiKey, now: number): { kind: StatusKind; word: string } {
  if (revokedAt !== null) return { kind: 'off', word: 'Revoked' }
  if (expiresAt - now > soon) return { kind: 'ok', word: 'Works' }
  return expiresAt <= now ? { kind: 'off', word: 'Expired' } : { kind: 'warn', word: 'Ends soon' }
}
