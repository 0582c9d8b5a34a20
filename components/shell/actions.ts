import type { RouterOutputs } from '@/server/routers/_app'
import { ASKED } from './use-asked'

export type Permission = RouterOutputs['auth']['me']['permissions'][number]

/** What a page is opened for most, beside looking. Each has an address: the page's own, asked to begin with it. */
export interface PageAction {
  label: string
  href: string
  /** Absent for what everybody may do. */
  permission?: Permission
  /** Other words by which it is found. */
  keywords?: readonly string[]
}

const to = (page: string, what: string) => `${page}?${ASKED}=${what}`

export const PAGE_ACTIONS: readonly PageAction[] = [
  { label: 'Analyse the tables', href: to('/database/tables', 'analyze'), permission: 'database:operate' },
  { label: 'Clear the cache', href: to('/cache', 'clear'), permission: 'cache:manage', keywords: ['flush'] },
  { label: 'Reset the slow log', href: to('/cache/slow-log', 'reset'), permission: 'cache:operate' },
  { label: 'Verify the audit log', href: to('/security', 'verify'), permission: 'security:operate' },
  { label: 'Export events', href: to('/security', 'export'), permission: 'security:read', keywords: ['csv'] },
  { label: 'Set how long events are kept', href: to('/security', 'retention'), keywords: ['retention'] },
  { label: 'Add an alert channel', href: to('/security/alerts', 'add'), permission: 'security:manage' },
  {
    ...{ label: 'Block a network', href: to('/security/blocks', 'block'), permission: 'security:operate' },
    keywords: ['ban', 'address'],
  },
  { label: 'Trust a source', href: to('/security/blocks', 'trust'), permission: 'security:manage' },
  { label: 'Invite a user', href: to('/security/users', 'invite'), permission: 'security:manage' },
  { label: 'New migration', href: '/migration/new', permission: 'migration:manage' },
  { label: 'New connection', href: to('/migration', 'connect'), permission: 'migration:manage' },
  { label: 'Change your name', href: to('/account', 'name') },
  { label: 'Change your password', href: '/account#password' },
  { label: 'Add a second factor', href: '/account#factors', keywords: ['passkey', 'totp', 'backup codes'] },
  { label: 'End your other sessions', href: to('/account', 'end-others'), keywords: ['sign out'] },
  { label: 'Make an API key', href: to('/system/api-keys', 'make'), permission: 'security:manage' },
  {
    label: 'Rotate the signing keys',
    href: to('/system/signing-keys', 'rotate'),
    permission: 'security:manage',
  },
]
