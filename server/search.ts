import type { Cache } from './cache'
import type { Migration } from './migration'
import type { ApiKeys, Users } from './security'
import type { Permission } from './security/roles'

/** A thing that has a name and an address of its own. */
export interface Found {
  kind: 'user' | 'run' | 'api key' | 'namespace'
  id: string
  label: string
  /** What tells it from others of its name; null where nothing does. */
  note: string | null
  href: string
}

interface Deps {
  security: { users: Pick<Users, 'find'>; apiKeys: Pick<ApiKeys, 'find'> }
  migration: Pick<Migration, 'findRuns'>
  cache: Pick<Cache, 'stats'>
}

/** Of each kind: who wants more narrows the text, or goes to the page. */
const MOST = 5

/** What has a text in its name, of the kinds that somebody with these permissions may see. */
export async function search(
  { security, migration, cache }: Deps,
  permissions: readonly Permission[],
  text: string,
): Promise<Found[]> {
  const may = (permission: Permission) => permissions.includes(permission)
  const [users, runs, keys] = await Promise.all([
    may('security:read') ? security.users.find(text, MOST) : [],
    may('migration:read') ? migration.findRuns(text, MOST) : [],
    may('security:manage') ? security.apiKeys.find(text, MOST) : [],
  ])
  const sought = text.toLowerCase()
  const namespaces = may('cache:read')
    ? cache.stats().namespaces.filter(({ name }) => name.includes(sought))
    : []
  return [
    ...users.map(({ id, name, email, state }): Found => {
      const note = state === 'active' ? email : `${email}, ${state}`
      return { kind: 'user', id, label: name, note, href: `/security/users?user=${id}` }
    }),
    ...runs.map(({ id, sourceName, target, state }): Found => {
      const label = `${sourceName} to ${target.host}:${target.port}/${target.database}`
      return { kind: 'run', id, label, note: state.replaceAll('_', ' '), href: `/migration/${id}` }
    }),
    ...keys.map(({ id, name, prefix, revokedAt }): Found => {
      const note = revokedAt === null ? `${prefix}…` : `${prefix}…, revoked`
      return { kind: 'api key', id, label: name, note, href: `/system/api-keys?key=${id}` }
    }),
    ...namespaces.slice(0, MOST).map(({ name }): Found => {
      return { kind: 'namespace', id: name, label: name, note: null, href: `/cache?namespace=${name}` }
    }),
  ]
}
