import { accountOf, counted, hours, minutes, said, sourceOf, userOf } from '../read'
import type { WindowRule } from '../types'

const reuse: WindowRule = {
  id: 'refresh-reuse',
  kind: 'window',
  title: 'Refresh token used twice',
  explanation:
    'A refresh token came back that was used up already: two hold it, and one of them stole it. The session has ended.',
  events: ['authn_token_reuse'],
  severity: 'high',
  outside: 'too',
  responses: ['notify', 'require a fresh factor', 'end sessions'],
  params: {
    window: { label: 'Counted together within', unit: 'hours', least: 1, most: 72, value: 1 },
  },
  windowMs: ({ window = 0 }) => hours(window),
  read: (row) => ({
    subject: `account:${row.actor.toLowerCase()}`,
    part: 'count',
    userId: row.source === null ? row.actorId : null,
    address: row.address,
  }),
  words: ({ actor, address }) =>
    `A refresh token of ${actor} was used a second time, from ${address ?? 'an unknown address'}.`,
}

const badTokens: WindowRule = {
  id: 'bad-tokens',
  kind: 'window',
  title: 'Forged access tokens',
  explanation:
    'One address sends access tokens that the console never signed. Tokens that merely ran out do not count.',
  events: ['authn_token_invalid'],
  severity: 'medium',
  outside: 'too',
  responses: ['notify', 'block'],
  params: {
    tokens: { label: 'Refused tokens', unit: 'events', least: 1, most: 200, value: 10 },
    window: { label: 'Within', unit: 'minutes', least: 1, most: 1_440, value: 10 },
  },
  windowMs: ({ window = 0 }) => minutes(window),
  read(row) {
    const { address, reason, after } = row
    if (!address || (reason && /expired|ran out/.test(reason))) return null
    const { count } = said(after)
    const weight = typeof count === 'number' && count >= 1 ? Math.min(Math.floor(count), 1_000) : 1
    return { subject: `address:${sourceOf(address)}`, part: 'count', weight, address }
  },
  fires: ({ count }, { tokens = 0 }) => count >= tokens,
  words: ({ address, reason }, { count }, { window = 0 }) =>
    `${counted(count, 'access token')} from ${address} refused within ${counted(window, 'minute')}${reason ? `, the last: ${reason}` : ''}.`,
}

const backupCode: WindowRule = {
  id: 'backup-code',
  kind: 'window',
  title: 'Backup code used',
  explanation:
    'Somebody signed in by a backup code: the owner lost a device, or the codes are in other hands.',
  events: ['authn_backup_code_used'],
  severity: 'medium',
  outside: 'too',
  responses: ['notify', 'require a fresh factor', 'end sessions'],
  params: {
    window: { label: 'Counted together within', unit: 'hours', least: 1, most: 72, value: 1 },
  },
  windowMs: ({ window = 0 }) => hours(window),
  read: (row) => ({ subject: accountOf(row), part: 'count', userId: userOf(row) }),
  words({ actor, address, after }) {
    const { remaining } = said(after)
    const left = typeof remaining === 'number' ? ` ${counted(remaining, 'code')} left.` : ''
    return `${actor} used a backup code at ${address ?? 'an unknown address'}.${left}`
  },
}

/** Rules about what proves who somebody is. */
export const tokenRules = [reuse, badTokens, backupCode] as const
