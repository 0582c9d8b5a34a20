import type { EventFilter } from '@/server/security'
import { worldOf } from './world'

const HOUR = 3_600_000
const DAY = 24 * HOUR

interface FilterSet {
  name: string
  filter: EventFilter
}

/** The fixed list of 40: what people look for, common and rare, wide and narrow. `now` is the time of the last event. */
export function filterSets(now: number): FilterSet[] {
  const { users, agents, addresses, attackers } = worldOf()
  const [often, seldom, rare] = [users[0] ?? '', users[180] ?? '', users[2_900] ?? '']
  const [home, far, attacker] = [addresses[1] ?? '', addresses[3_900] ?? '', attackers[3] ?? '']
  const version = /Chrome\/(\d+\.\d+\.\d+)/.exec(agents[300] ?? '')?.[1] ?? 'Chrome/1'
  const week = { from: now - 7 * DAY }
  const earlier = { from: now - 47 * DAY, to: now - 40 * DAY }
  const sets: [string, EventFilter][] = [
    ['nothing', {}],
    ['the last hour', { from: now - HOUR }],
    ['the last day', { from: now - DAY }],
    ['a week of last month', earlier],
    ['an hour two months ago', { from: now - 60 * DAY, to: now - 60 * DAY + HOUR }],
    ['failures', { outcomes: ['failure'] }],
    ['refusals of a week', { ...week, outcomes: ['denied'] }],
    ['what is high', { severities: ['high', 'critical'] }],
    ['what is high, of a week', { ...week, severities: ['high', 'critical'] }],
    ['a frequent event', { events: ['authn_login_success'] }],
    ['a rare event', { events: ['sys_monitor_disabled'] }],
    ['a rare event of a week', { ...week, events: ['malicious_direct_reference'] }],
    ['a prefix', { events: ['authn_*'] }],
    ['two prefixes and an outcome', { ...week, events: ['user_*', 'privilege_*'], outcomes: ['success'] }],
    ['a busy actor', { actor: often }],
    ['a quiet actor', { actor: rare }],
    ['an actor who is not there', { actor: 'nobody@example.net' }],
    ['an actor and an event', { actor: seldom, events: ['authn_mfa_fail'] }],
    ['an actor of a week', { ...week, actor: seldom }],
    ['an address', { address: home }],
    ['a rare address', { address: far }],
    ['an address that is not there', { address: '192.0.2.1' }],
    ['an attacker', { address: attacker, outcomes: ['failure', 'denied'] }],
    ['a network of a week', { ...week, address: '10.7.0.0/16' }],
    ['a small network', { address: `${attacker.split('.').slice(0, 3).join('.')}.0/24` }],
    ['a large network of a week', { ...week, address: '198.18.0.0/15', outcomes: ['failure'] }],
    ['an IPv6 network of a week', { ...week, address: '2001:db8::/32' }],
    ['a source', { source: 'hr-portal' }],
    ['the console, failing', { ...week, source: 'console', outcomes: ['failure'] }],
    ['a target', { target: 'report:77' }],
    ['a target that is not there', { target: 'report:none' }],
    ['a common word', { ...week, text: 'chrome' }],
    ['a rare word', { ...week, text: version }],
    ['a word that is not there', { ...week, text: 'xylophone' }],
    ['two words', { ...week, text: 'firefox iphone' }],
    ['words of two fields', { ...week, text: `${seldom.split('@')[0]} wrong` }],
    ['a word and a rare event', { ...week, text: 'holdfast-client', events: ['sys_cache_cleared'] }],
    ['a word in a week of last month', { ...earlier, text: 'maintenance' }],
    ['a piece of an address', { ...week, text: '203.0.' }],
    [
      'many things at once',
      { ...week, events: ['authn_*'], outcomes: ['failure'], address: '10.0.0.0/8', text: 'mozilla' },
    ],
  ]
  return sets.map(([name, filter]) => ({ name, filter }))
}
