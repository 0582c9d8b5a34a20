import type { Group } from '@/components/security/counts'

/** One chart of the page: which events it counts, and what it tells apart. */
export interface Chart {
  key: string
  title: string
  /** Names of events, or beginnings of them; none: all. */
  events?: string[]
  by: 'outcome' | 'severity' | 'event'
  /** For charts by event: what the names add up to. */
  groups?: readonly Group[]
  /** What an empty chart means. */
  none: string
}

const begins =
  (...starts: string[]) =>
  (name: string) =>
    starts.some((start) => name.startsWith(start))
const is =
  (...names: string[]) =>
  (name: string) =>
    names.includes(name)

export const CHARTS: readonly Chart[] = [
  {
    key: 'sign-ins',
    title: 'Sign-ins by outcome',
    events: ['authn_login_*'],
    by: 'outcome',
    none: 'Nobody has tried to sign in.',
  },
  { key: 'severity', title: 'Events by severity', by: 'severity', none: 'Nothing was written to the log.' },
  {
    key: 'limits',
    title: 'Limit hits and blocks',
    events: ['excess_*', 'sys_block_*'],
    by: 'event',
    groups: [
      { key: 'limit', label: 'Rate limit exceeded', of: is('excess_rate_limit_exceeded') },
      { key: 'block', label: 'Address blocked', of: is('excess_address_blocked', 'sys_block_added') },
      { key: 'lifted', label: 'Block lifted', of: is('sys_block_lifted') },
    ],
    none: 'Nobody has run into a limit.',
  },
  {
    key: 'factors',
    title: 'Second factors',
    events: [
      'authn_mfa_*',
      'authn_step_up_*',
      'authn_backup_code*',
      'authn_factor_enrolled',
      'authn_factor_removed',
      'authn_factor_reset',
    ],
    by: 'event',
    groups: [
      { key: 'accepted', label: 'Accepted', of: is('authn_mfa_success', 'authn_step_up_success') },
      { key: 'refused', label: 'Refused', of: is('authn_mfa_fail', 'authn_step_up_fail') },
      { key: 'backup', label: 'Backup code used', of: is('authn_backup_code_used') },
      {
        key: 'changed',
        label: 'Added, removed or reset',
        of: begins('authn_factor_', 'authn_backup_codes_'),
      },
    ],
    none: 'No second factor was asked for.',
  },
]

const BUCKETS = 60

/** What a chart asks for. */
export function questionOf({ events, by }: Chart, span: { from: number; to?: number }) {
  return { ...span, ...(events && { events }), by, buckets: BUCKETS }
}

/** The events that a chart counts, on the page that lists them. */
export function listHref({ events }: Chart, params: Pick<URLSearchParams, 'get'>): string {
  const query = new URLSearchParams()
  if (events) query.set('events', events.join(','))
  const time = params.get('from') && params.get('to') ? ['from', 'to'] : ['range']
  for (const name of time) query.set(name, params.get(name) ?? '7d')
  return `/security?${query}`
}
