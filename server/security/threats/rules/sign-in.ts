import { accountOf, counted, hours, minutes, said, userOf } from '../read'
import type { PairRule, Place, ThreatRow, WindowRule } from '../types'
import { distanceKm } from './distance'

const day = 86_400_000

const afterFailures: WindowRule = {
  id: 'success-after-failures',
  kind: 'window',
  title: 'Success after failures',
  explanation:
    'A device that was never seen before signs in right after many failures of the same account: a password may have been guessed.',
  events: ['authn_login_fail', 'authn_login_success'],
  severity: 'high',
  outside: 'too',
  responses: ['require a fresh factor', 'notify', 'end sessions'],
  params: {
    failures: { label: 'Failed sign-ins before', unit: 'events', least: 2, most: 200, value: 8 },
    window: { label: 'Within', unit: 'minutes', least: 1, most: 1_440, value: 60 },
  },
  windowMs: ({ window = 0 }) => minutes(window),
  read(row) {
    const of = { subject: accountOf(row), userId: userOf(row), sessionId: row.sessionId }
    if (row.event === 'authn_login_fail') return { ...of, part: 'count' }
    return said(row.after).newDevice === false ? null : { ...of, part: 'trigger' }
  },
  fires: ({ count, triggered }, { failures = 0 }) => triggered && count >= failures,
  words: ({ actor, address }, { count }, { window = 0 }) =>
    `${actor} was signed in from ${address ?? 'an unknown address'} after ${counted(count, 'failed sign-in')} within ${counted(window, 'minute')}.`,
}

/** Codes that are right for another time, or were right before, are a clock or an impatience. */
const guessed = ({ reason }: ThreatRow) => reason === null || reason.startsWith('wrong ')

const wrongCodes: WindowRule = {
  id: 'wrong-codes',
  kind: 'window',
  title: 'Right password, wrong codes',
  explanation:
    'Somebody knows the password of an account and guesses at its second factor. The password should be changed.',
  events: ['authn_mfa_fail'],
  severity: 'high',
  outside: 'too',
  responses: ['notify', 'require a fresh factor', 'end sessions'],
  params: {
    codes: { label: 'Wrong codes', unit: 'events', least: 2, most: 200, value: 6 },
    window: { label: 'Within', unit: 'minutes', least: 1, most: 1_440, value: 30 },
  },
  windowMs: ({ window = 0 }) => minutes(window),
  read(row) {
    // Who is signed in and enrols an app mistypes; that is no sign-in.
    if (row.sessionId !== null || !guessed(row)) return null
    return { subject: accountOf(row), part: 'count', userId: userOf(row) }
  },
  fires: ({ count }, { codes = 0 }) => count >= codes,
  words: ({ actor }, { count }, { window = 0 }) =>
    `${counted(count, 'wrong code')} after the right password of ${actor} within ${counted(window, 'minute')}.`,
}

const newDevice: WindowRule = {
  id: 'new-device',
  kind: 'window',
  title: 'New device',
  explanation: 'A user who has signed in before does so from a device that was not seen yet.',
  events: ['authn_login_success'],
  severity: 'low',
  outside: 'too',
  responses: ['notify', 'require a fresh factor'],
  params: {
    window: { label: 'Counted together within', unit: 'hours', least: 1, most: 72, value: 1 },
  },
  windowMs: ({ window = 0 }) => hours(window),
  read(row) {
    if (said(row.after).newDevice !== true) return null
    return { subject: accountOf(row), part: 'count', userId: userOf(row), sessionId: row.sessionId }
  },
  words({ actor, address, after }) {
    const { device } = said(after)
    const from = address ?? 'an unknown address'
    return `${actor} signed in from a new device${typeof device === 'string' ? `, ${device.slice(0, 80)},` : ''} at ${from}.`
  },
}

interface Seen extends Place {
  at: number
}

const travel: PairRule<Seen> = {
  id: 'impossible-travel',
  kind: 'pair',
  title: 'Impossible travel',
  explanation:
    'One account signs in from two places that nobody gets from one to the other in the time between. A VPN can look the same.',
  events: ['authn_login_success'],
  severity: 'high',
  outside: 'too',
  responses: ['require a fresh factor', 'notify', 'end sessions'],
  params: {
    speed: { label: 'Fastest travel', unit: 'km/h', least: 100, most: 10_000, value: 1_000 },
    distance: { label: 'Nearest distance', unit: 'km', least: 50, most: 10_000, value: 500 },
  },
  unavailable: ({ place }) =>
    place ? null : 'Set GEOIP_MMDB to a file that tells where addresses are, in MaxMind’s MMDB format.',
  windowMs: () => day,
  read(row, { place }) {
    const found = row.address ? place?.(row.address) : null
    if (!found) return null
    const memory = { ...found, at: row.time }
    return { subject: accountOf(row), memory, userId: userOf(row), sessionId: row.sessionId }
  },
  compare(earlier, later, { speed = 0, distance = 0 }) {
    // As near as the two can be, given how well they are known.
    const apart = distanceKm(earlier, later) - earlier.radius - later.radius
    const elapsed = (later.at - earlier.at) / 3_600_000
    if (apart < distance || apart <= speed * elapsed) return null
    const took = Math.max(1, Math.round(elapsed * 60))
    return `Signed in from ${later.name}, ${Math.round(apart)} km from ${earlier.name}, ${counted(took, 'minute')} after having been there.`
  },
}

const dormant: WindowRule = {
  id: 'dormant-account',
  kind: 'window',
  title: 'Dormant account',
  explanation: 'An account that nobody used for long signs in: nobody would miss it, which attackers know.',
  events: ['authn_login_success'],
  severity: 'medium',
  outside: 'too',
  responses: ['notify', 'require a fresh factor', 'end sessions'],
  params: {
    days: { label: 'Unused for', unit: 'days', least: 7, most: 1_000, value: 90 },
  },
  windowMs: () => day,
  read(row, { days = 0 }) {
    const { lastSignInAt } = said(row.after)
    if (typeof lastSignInAt !== 'number' || row.time - lastSignInAt < days * day) return null
    return { subject: accountOf(row), part: 'count', userId: userOf(row), sessionId: row.sessionId }
  },
  words({ actor, address, time, after }) {
    const last = Number(said(after).lastSignInAt)
    const idle = Math.floor((time - last) / day)
    return `${actor} signed in from ${address ?? 'an unknown address'} after ${counted(idle, 'day')} without.`
  },
}

/** Rules about who got in, or nearly. */
export const signInRules = [afterFailures, wrongCodes, newDevice, travel as PairRule, dormant] as const
