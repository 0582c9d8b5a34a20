/** The console's areas, in the order of the rail. */
export const AREAS = [
  { href: '/', label: 'Overview', key: 'o' },
  { href: '/database', label: 'Database', key: 'd' },
  { href: '/cache', label: 'Cache', key: 'c' },
  { href: '/security', label: 'Security', key: 's' },
  { href: '/migration', label: 'Migration', key: 'm' },
  { href: '/account', label: 'Account', key: 'a' },
  { href: '/system', label: 'System', key: 'y' },
] as const

/** Pages of an area that has several: its sub-navigation and the palette show them. */
const SUB_PAGES: Partial<Record<AreaHref, readonly { href: string; label: string }[]>> = {
  '/database': [
    { href: '/database', label: 'Pools' },
    { href: '/database/sessions', label: 'Sessions' },
    { href: '/database/queries', label: 'Queries' },
    { href: '/database/indexes', label: 'Index advice' },
    { href: '/database/tables', label: 'Tables' },
    { href: '/database/replicas', label: 'Replicas' },
    { href: '/database/test', label: 'Connection test' },
  ],
  '/cache': [
    { href: '/cache', label: 'Overview' },
    { href: '/cache/keys', label: 'Namespaces and keys' },
    { href: '/cache/nodes', label: 'Nodes' },
    { href: '/cache/slow-log', label: 'Slow log' },
    { href: '/cache/memory', label: 'Memory' },
    { href: '/cache/outbound', label: 'Outbound HTTP' },
  ],
  '/security': [
    { href: '/security', label: 'Events' },
    { href: '/security/activity', label: 'Activity' },
    { href: '/security/findings', label: 'Findings' },
    { href: '/security/alerts', label: 'Alerts' },
    { href: '/security/blocks', label: 'Blocks and limits' },
    { href: '/security/users', label: 'Users and roles' },
    { href: '/security/sessions', label: 'Sessions' },
  ],
  '/system': [
    { href: '/system', label: 'Health' },
    { href: '/system/hardening', label: 'Hardening' },
    { href: '/system/configuration', label: 'Configuration' },
    { href: '/system/api-keys', label: 'API keys' },
    { href: '/system/signing-keys', label: 'Signing keys' },
    { href: '/system/api', label: 'API reference' },
  ],
}

export type AreaHref = (typeof AREAS)[number]['href']

/** The pages of an area; none of one that is a page by itself. */
export function subPagesOf(area: AreaHref | undefined) {
  return (area && SUB_PAGES[area]) ?? []
}

/** The area that a path lies in. */
export function areaOf(pathname: string): AreaHref | undefined {
  if (pathname === '/') return '/'
  return AREAS.find(
    (area) => area.href !== '/' && (pathname === area.href || pathname.startsWith(`${area.href}/`)),
  )?.href
}
