import { minutes, said } from '../read'
import type { WindowRule } from '../types'

const together = {
  window: { label: 'Counted together within', unit: 'minutes', least: 1, most: 1_440, value: 60 },
} as const

const auditBreak: WindowRule = {
  id: 'audit-break',
  kind: 'window',
  title: 'Audit log tampered with',
  explanation: 'The audit log does not verify: somebody changed, removed or added events behind the console.',
  events: ['malicious_audit_tampering'],
  severity: 'critical',
  outside: 'never',
  responses: ['notify'],
  params: together,
  windowMs: ({ window = 0 }) => minutes(window),
  read: () => ({ subject: 'audit log', part: 'count' }),
  words: ({ reason, target }) => `The audit log does not verify${tail(reason ?? target)}.`,
}

const tail = (words: string | null) => (words ? `: ${words.replace(/\.$/, '')}` : '')

const malicious: WindowRule = {
  id: 'attack-pattern',
  kind: 'window',
  title: 'Attack seen in a request',
  explanation: 'A request carried what no honest client sends: an injection, a forged header, a known tool.',
  events: ['malicious_*'],
  severity: 'medium',
  outside: 'too',
  responses: ['notify', 'block'],
  params: together,
  windowMs: ({ window = 0 }) => minutes(window),
  read: ({ event, address }) =>
    event === 'malicious_audit_tampering'
      ? null
      : { subject: address ? `address:${address}` : `event:${event}`, part: 'count', address },
  words: ({ event, address, reason }) => `${event} from ${address ?? 'an unknown address'}${tail(reason)}.`,
}

const cacheAway: WindowRule = {
  id: 'cache-degraded',
  kind: 'window',
  title: 'Cache degraded',
  explanation: 'Redis is away, wholly or in part: limits and cached values are kept by each instance alone.',
  events: ['sys_cache_state_changed'],
  severity: 'medium',
  outside: 'never',
  responses: ['notify'],
  params: together,
  windowMs: ({ window = 0 }) => minutes(window),
  // Target: cache:FROM-TO.
  read: ({ target }) => (target?.endsWith('-redis') ? null : { subject: 'cache', part: 'count' }),
  words: ({ reason }) => `Redis is away${tail(reason)}.`,
}

/** What the routing tells of servers that are lost, or took over (server/database/routing). */
const lost = new Set(['primary-lost', 'primary-changed', 'stale-primary', 'replica-lost'])

const storeAway: WindowRule = {
  id: 'store-degraded',
  kind: 'window',
  title: 'Store degraded',
  explanation: 'The primary or a replica of the store is lost or changed: writes or reads may have failed.',
  events: ['sys_topology_changed'],
  severity: 'medium',
  outside: 'never',
  responses: ['notify'],
  params: together,
  windowMs: ({ window = 0 }) => minutes(window),
  read: ({ target, after }) =>
    lost.has(String(said(after).kind)) ? { subject: target ?? 'store', part: 'count' } : null,
  words: ({ reason, target }) => `The store’s servers changed${tail(reason ?? target)}.`,
}

const backupOverdue: WindowRule = {
  id: 'backup-overdue',
  kind: 'window',
  title: 'Backup overdue',
  explanation:
    'The last backup of the store is older than BACKUP_MAX_AGE: what is lost now is lost for good.',
  events: ['sys_backup_overdue'],
  severity: 'medium',
  outside: 'never',
  responses: ['notify'],
  params: together,
  windowMs: ({ window = 0 }) => minutes(window),
  read: () => ({ subject: 'backup', part: 'count' }),
  words: ({ reason }) => `The backup is overdue${tail(reason)}.`,
}

/** Rules about what the console itself stands on. */
export const platformRules = [auditBreak, malicious, cacheAway, storeAway, backupOverdue] as const
