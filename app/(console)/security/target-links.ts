/** Where the target of an event can be looked at; undefined where it has no page. */
export function hrefOf(target: string, isUser: boolean): { href: string; label: string } | undefined {
  const id = encodeURIComponent(target.slice(target.indexOf(':') + 1))
  if (isUser) return { href: `/security/users?user=${encodeURIComponent(target)}`, label: 'User' }
  if (target.startsWith('run:')) return { href: `/migration/${id}`, label: 'Run' }
  if (target.startsWith('index-change:')) return { href: '/database/indexes', label: 'Index advice' }
  if (target.startsWith('api-key:')) return { href: '/system/api-keys', label: 'API keys' }
  if (target.startsWith('session:')) return { href: '/security/sessions', label: 'Sessions' }
  if (target.startsWith('finding:')) return { href: `/security/findings?finding=${id}`, label: 'Finding' }
  if (target.startsWith('signing-key:')) return { href: '/system/signing-keys', label: 'Signing keys' }
  if (target.startsWith('event:')) return { href: `/security?event=${id}`, label: 'Event' }
  return undefined
}
