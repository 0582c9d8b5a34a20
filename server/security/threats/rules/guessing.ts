import { accountOf, counted, hours, minutes, said, siteOf, sourceOf, userOf } from '../read'
import type { ThreatRow, WindowRule } from '../types'

const signIns = ['authn_login_fail', 'authn_login_success'] as const

const failed = ({ event }: ThreatRow) => event === 'authn_login_fail'

/** The share of failures in a window, in per cent. */
const failing = ({ count, relief }: { count: number; relief: number }) => (100 * count) / (count + relief)

/** How many events an event stands for: limits write one for many. */
const weightOf = ({ after }: ThreatRow) => {
  const { hits } = said(after)
  return typeof hits === 'number' && hits >= 1 ? Math.min(Math.floor(hits), 1_000) : 1
}

const bruteForce: WindowRule = {
  id: 'brute-force',
  kind: 'window',
  title: 'Brute force',
  explanation:
    'One address tries password after password on one account, and goes on after it was locked out for it.',
  events: ['authn_login_fail'],
  severity: 'high',
  outside: 'too',
  responses: ['notify', 'block'],
  params: {
    failures: { label: 'Failed sign-ins', unit: 'events', least: 3, most: 200, value: 10 },
    window: { label: 'Within', unit: 'minutes', least: 1, most: 1_440, value: 30 },
  },
  windowMs: ({ window = 0 }) => minutes(window),
  read(row) {
    if (!row.address) return null
    const address = sourceOf(row.address)
    return { subject: `address:${address}|${accountOf(row)}`, part: 'count', address: row.address }
  },
  fires: ({ count }, { failures = 0 }) => count >= failures,
  words: ({ actor, address }, { count }, { window = 0 }) =>
    `${counted(count, 'failed sign-in')} of ${actor} from ${address} within ${counted(window, 'minute')}.`,
}

const distributed: WindowRule = {
  id: 'distributed',
  kind: 'window',
  title: 'Distributed guessing',
  explanation: 'Many addresses try passwords on one account, each too few to be locked out.',
  events: ['authn_login_fail'],
  severity: 'high',
  outside: 'too',
  responses: ['notify', 'require a fresh factor'],
  params: {
    failures: { label: 'Failed sign-ins', unit: 'events', least: 3, most: 200, value: 20 },
    addresses: { label: 'From different addresses', unit: 'addresses', least: 2, most: 200, value: 8 },
    window: { label: 'Within', unit: 'minutes', least: 1, most: 1_440, value: 60 },
  },
  windowMs: ({ window = 0 }) => minutes(window),
  read(row) {
    if (!row.address) return null
    return { subject: accountOf(row), part: 'count', value: sourceOf(row.address), userId: userOf(row) }
  },
  fires: ({ count, distinct }, { failures = 0, addresses = 0 }) => count >= failures && distinct >= addresses,
  words: ({ actor }, { count, distinct }, { window = 0 }) =>
    `${counted(count, 'failed sign-in')} of ${actor} from ${counted(distinct, 'address', 'addresses')} within ${counted(window, 'minute')}.`,
}

const stuffing: WindowRule = {
  id: 'credential-stuffing',
  kind: 'window',
  title: 'Credential stuffing',
  explanation:
    'One address tries many accounts within minutes, and nearly all attempts fail: a list of stolen passwords is run through. Many people behind one office address mostly succeed.',
  events: signIns,
  severity: 'high',
  outside: 'too',
  responses: ['block', 'notify'],
  params: {
    accounts: { label: 'Accounts that failed', unit: 'accounts', least: 3, most: 200, value: 20 },
    share: { label: 'Share of failures', unit: '%', least: 1, most: 100, value: 80 },
    window: { label: 'Within', unit: 'minutes', least: 1, most: 1_440, value: 15 },
  },
  windowMs: ({ window = 0 }) => minutes(window),
  read(row) {
    const { address } = row
    if (!address) return null
    const subject = `address:${sourceOf(address)}`
    return failed(row)
      ? { subject, part: 'count', value: accountOf(row), address }
      : { subject, part: 'relief', address }
  },
  fires: (figures, { accounts = 0, share = 0 }) => figures.distinct >= accounts && failing(figures) >= share,
  words: ({ address }, { count, distinct }, { window = 0 }) =>
    `${counted(count, 'failed sign-in')} of ${counted(distinct, 'account')} from ${address} within ${counted(window, 'minute')}.`,
}

const spraying: WindowRule = {
  id: 'spraying',
  kind: 'window',
  title: 'Password spraying',
  explanation:
    'Over hours one network tries a few common passwords on many accounts, so slowly that no limit notices.',
  events: signIns,
  severity: 'high',
  outside: 'too',
  responses: ['notify'],
  params: {
    accounts: { label: 'Accounts that failed', unit: 'accounts', least: 3, most: 200, value: 15 },
    each: { label: 'Failures of each at most', unit: 'events', least: 1, most: 20, value: 4 },
    share: { label: 'Share of failures', unit: '%', least: 1, most: 100, value: 80 },
    window: { label: 'Within', unit: 'hours', least: 1, most: 72, value: 24 },
  },
  windowMs: ({ window = 0 }) => hours(window),
  read(row) {
    if (!row.address) return null
    const subject = `network:${siteOf(row.address)}`
    if (!failed(row)) return { subject, part: 'relief' }
    // Names that nobody has are the matter of another rule.
    if (row.source === null && row.target === null) return null
    return { subject, part: 'count', value: accountOf(row) }
  },
  fires: (figures, { accounts = 0, each = 0, share = 0 }) =>
    figures.distinct >= accounts && figures.count <= each * figures.distinct && failing(figures) >= share,
  words: ({ address }, { count, distinct }, { window = 0 }) =>
    `${counted(count, 'failed sign-in')} of ${counted(distinct, 'account')} from the network ${siteOf(address ?? '')} within ${counted(window, 'hour')}.`,
}

const enumeration: WindowRule = {
  id: 'enumeration',
  kind: 'window',
  title: 'Enumeration',
  explanation: 'One address asks for accounts that do not exist, to find out which ones do.',
  events: ['authn_login_fail'],
  severity: 'medium',
  outside: 'too',
  responses: ['notify', 'block'],
  params: {
    accounts: { label: 'Unknown accounts', unit: 'accounts', least: 3, most: 200, value: 12 },
    window: { label: 'Within', unit: 'minutes', least: 1, most: 1_440, value: 30 },
  },
  windowMs: ({ window = 0 }) => minutes(window),
  read(row) {
    const { address, reason } = row
    if (!address || !reason?.startsWith('unknown ')) return null
    return { subject: `address:${sourceOf(address)}`, part: 'count', value: accountOf(row), address }
  },
  fires: ({ distinct }, { accounts = 0 }) => distinct >= accounts,
  words: ({ address }, { distinct }, { window = 0 }) =>
    `${counted(distinct, 'account')} that ${distinct === 1 ? 'does' : 'do'} not exist asked for from ${address} within ${counted(window, 'minute')}.`,
}

const limitHits: WindowRule = {
  id: 'limit-hits',
  kind: 'window',
  title: 'Limits exceeded',
  explanation: 'One address goes on although limits refuse it: a program that guesses or floods.',
  events: ['excess_rate_limit_exceeded'],
  severity: 'medium',
  outside: 'too',
  responses: ['notify', 'block'],
  params: {
    refusals: { label: 'Refused requests', unit: 'events', least: 1, most: 1_000, value: 60 },
    window: { label: 'Within', unit: 'minutes', least: 1, most: 1_440, value: 15 },
  },
  windowMs: ({ window = 0 }) => minutes(window),
  read(row) {
    const { address } = row
    if (!address) return null
    return { subject: `address:${sourceOf(address)}`, part: 'count', weight: weightOf(row), address }
  },
  fires: ({ count }, { refusals = 0 }) => count >= refusals,
  words: ({ address }, { count }, { window = 0 }) =>
    `${counted(count, 'request')} from ${address} refused by limits within ${counted(window, 'minute')}.`,
}

const blocked: WindowRule = {
  id: 'address-blocked',
  kind: 'window',
  title: 'Address blocked by limits',
  explanation: 'One address exceeded its limits so often that the console blocked it.',
  events: ['excess_address_blocked'],
  severity: 'medium',
  outside: 'never',
  responses: ['notify'],
  params: {
    window: { label: 'Counted together within', unit: 'hours', least: 1, most: 72, value: 24 },
  },
  windowMs: ({ window = 0 }) => hours(window),
  read({ target, after }) {
    // Blocks that rules asked for are told by those rules.
    if (!target || said(after).origin !== 'limits') return null
    return { subject: target.replace(/^network:/, 'address:'), part: 'count' }
  },
  words: ({ target, reason }) =>
    `${target?.replace(/^network:/, '') ?? 'An address'} was blocked${reason ? `: ${reason.replace(/\.$/, '')}` : ''}.`,
}

/** Rules about who tries to get in. */
export const guessing = [
  bruteForce,
  distributed,
  stuffing,
  spraying,
  enumeration,
  limitHits,
  blocked,
] as const
