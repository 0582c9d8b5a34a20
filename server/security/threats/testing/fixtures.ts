import type { Place, ThreatRow } from '../types'
import { day, hour, log, minute, second } from './rows'

/** One rule's fixture: events that are just enough, with one of them taken away they are not. */
export interface Fixture {
  rule: string
  /** What the finding is about. */
  subject: string
  /** Just enough. `who` makes another subject of it, for events of several at once. */
  events(who: number): Omit<ThreatRow, 'seq'>[]
  /** Almost enough: the same but for what is missing. Absent where one event is enough: then it is another event. */
  below(who: number): Omit<ThreatRow, 'seq'>[]
}

const many = (count: number) => Array.from({ length: count }, (_, at) => at)
const address = (who: number) => `198.51.${100 + who}.7`
const anywhere = (at: number) => `203.0.${at}.9`

const berlin: Place = { latitude: 52.52, longitude: 13.4, radius: 20, name: 'Berlin, Germany' }
const sydney: Place = { latitude: -33.87, longitude: 151.2, radius: 20, name: 'Sydney, Australia' }
/** Places for tests: 192.0.2.0/24 is in Sydney, the rest in Berlin. */
export const place = (at: string): Place => (at.startsWith('192.0.2.') ? sydney : berlin)

const { row, fail, success, wrongCode } = log()

export const fixtures: Fixture[] = [
  {
    rule: 'brute-force',
    subject: 'address:198.51.100.7|user:id-u0',
    events: (who) => many(10).map((at) => fail(`u${who}`, at * minute, address(who))),
    below: (who) => many(9).map((at) => fail(`u${who}`, at * minute, address(who))),
  },
  {
    rule: 'distributed',
    subject: 'user:id-u0',
    events: (who) => many(20).map((at) => fail(`u${who}`, at * minute, anywhere(at % 8))),
    below: (who) => many(20).map((at) => fail(`u${who}`, at * minute, anywhere(at % 7))),
  },
  {
    rule: 'credential-stuffing',
    subject: 'address:198.51.100.7',
    events: (who) => many(20).map((at) => fail(`v${at}`, at * 20 * second, address(who))),
    below: (who) => [
      ...many(6).map((at) => success(`w${at}`, at * 20 * second, address(who))),
      ...many(20).map((at) => fail(`v${at}`, at * 20 * second, address(who))),
    ],
  },
  {
    rule: 'spraying',
    subject: 'network:198.51.100.0/24',
    events: (who) => many(15).map((at) => fail(`v${at}`, at * hour, `198.51.${100 + who}.${at}`)),
    below: (who) => many(14).map((at) => fail(`v${at}`, at * hour, `198.51.${100 + who}.${at}`)),
  },
  {
    rule: 'enumeration',
    subject: 'address:198.51.100.7',
    events: (who) => many(12).map((at) => fail(`x${at}`, at * minute, address(who), 'unknown user')),
    below: (who) => many(14).map((at) => fail(`x${at % 11}`, at * minute, address(who), 'unknown user')),
  },
  {
    rule: 'limit-hits',
    subject: 'address:198.51.100.7',
    events: (who) =>
      [1, 39, 20].map((hits, at) =>
        row('excess_rate_limit_exceeded', at * minute, { address: address(who), says: { hits } }),
      ),
    below: (who) =>
      [1, 39, 19].map((hits, at) =>
        row('excess_rate_limit_exceeded', at * minute, { address: address(who), says: { hits } }),
      ),
  },
  {
    rule: 'address-blocked',
    subject: 'address:198.51.100.7',
    events: (who) => [
      row('excess_address_blocked', 0, { target: `network:${address(who)}`, says: { origin: 'limits' } }),
    ],
    below: (who) => [
      row('excess_address_blocked', 0, { target: `network:${address(who)}`, says: { origin: 'rule' } }),
    ],
  },
  {
    rule: 'success-after-failures',
    subject: 'user:id-u0',
    events: (who) => [
      ...many(8).map((at) => fail(`u${who}`, at * minute, anywhere(at % 2))),
      success(`u${who}`, 9 * minute, address(who), { newDevice: true }),
    ],
    below: (who) => [
      ...many(7).map((at) => fail(`u${who}`, at * minute, anywhere(at % 2))),
      success(`u${who}`, 9 * minute, address(who), { newDevice: true }),
    ],
  },
  {
    rule: 'wrong-codes',
    subject: 'user:id-u0',
    events: (who) => many(6).map((at) => wrongCode(`u${who}`, at * minute, address(who))),
    below: (who) =>
      many(12)
        .map((at) =>
          wrongCode(`u${who}`, at * minute, address(who), at % 2 ? 'wrong code' : 'code used before'),
        )
        .slice(0, 11),
  },
  {
    rule: 'new-device',
    subject: 'user:id-u0',
    events: (who) => [success(`u${who}`, 0, address(who), { newDevice: true, device: 'Firefox on Linux' })],
    below: (who) => [success(`u${who}`, 0, address(who), { newDevice: false })],
  },
  {
    rule: 'impossible-travel',
    subject: 'user:id-u0',
    events: (who) => [success(`u${who}`, 0, '198.51.100.7'), success(`u${who}`, 15 * hour, '192.0.2.1')],
    below: (who) => [success(`u${who}`, 0, '198.51.100.7'), success(`u${who}`, 17 * hour, '192.0.2.1')],
  },
  {
    rule: 'dormant-account',
    subject: 'user:id-u0',
    events: (who) => [success(`u${who}`, 0, address(who), { lastSignInAt: log().row('', -90 * day).time })],
    below: (who) => [
      success(`u${who}`, 0, address(who), { lastSignInAt: log().row('', -90 * day + second).time }),
    ],
  },
  {
    rule: 'refresh-reuse',
    subject: 'account:u0@example.org',
    events: (who) => [
      row('authn_token_reuse', 0, { actor: `u${who}@example.org`, actorId: `id-u${who}`, outcome: 'denied' }),
    ],
    below: (who) => [row('session_renewed', 0, { actor: `u${who}@example.org` })],
  },
  {
    rule: 'bad-tokens',
    subject: 'address:198.51.100.7',
    events: (who) => many(10).map((at) => row('authn_token_invalid', at * second, { address: address(who) })),
    below: (who) =>
      many(18).map((at) =>
        row('authn_token_invalid', at * second, { address: address(who), reason: at % 2 ? null : 'expired' }),
      ),
  },
  {
    rule: 'backup-code',
    subject: 'user:id-u0',
    events: (who) => [
      row('authn_backup_code_used', 0, {
        actor: `u${who}@example.org`,
        target: `id-u${who}`,
        says: { remaining: 9 },
      }),
    ],
    below: (who) => [row('authn_backup_codes_made', 0, { target: `id-u${who}` })],
  },
  {
    rule: 'self-granted-role',
    subject: 'user:id-u0',
    events: (who) => [role(who, `id-u${who}`, 'viewer', 'admin')],
    below: (who) => [role(who, `id-u${who}`, 'admin', 'viewer'), role(who, 'id-other', 'viewer', 'admin')],
  },
  {
    rule: 'factor-removed',
    subject: 'user:id-u0',
    events: (who) => [row('authn_factor_reset', 0, { target: `id-u${who}` })],
    below: (who) => [row('authn_factor_enrolled', 0, { target: `id-u${who}` })],
  },
  {
    rule: 'audit-break',
    subject: 'audit log',
    events: () => [row('malicious_audit_tampering', 0, { reason: 'modified at 7', severity: 'critical' })],
    below: () => [row('sys_audit_verified', 0)],
  },
  {
    rule: 'attack-pattern',
    subject: 'address:198.51.100.7',
    events: (who) => [row('malicious_sqli', 0, { address: address(who) })],
    below: (who) => [row('input_validation_fail', 0, { address: address(who) })],
  },
  {
    rule: 'cache-degraded',
    subject: 'cache',
    events: () => [
      row('sys_cache_state_changed', 0, { target: 'cache:redis-memory', reason: 'Redis is away.' }),
    ],
    below: () => [row('sys_cache_state_changed', 0, { target: 'cache:memory-redis' })],
  },
  {
    rule: 'store-degraded',
    subject: 'node:b',
    events: (who) => [
      row('sys_topology_changed', 0, { target: who ? 'node:c' : 'node:b', says: { kind: 'primary-lost' } }),
    ],
    below: () => [row('sys_topology_changed', 0, { target: 'node:b', says: { kind: 'replica-back' } })],
  },
  {
    rule: 'backup-overdue',
    subject: 'backup',
    events: () => [row('sys_backup_overdue', 0, { target: 'backup', reason: 'No backup was ever made.' })],
    below: () => [row('sys_backup_made', 0, { target: 'backup:/b' })],
  },
  {
    rule: 'outside-alarm',
    subject: 'source:shop|event:payment_fraud',
    events: () => [row('payment_fraud', 0, { source: 'shop', severity: 'high' })],
    below: () => [row('payment_fraud', 0, { source: 'shop', severity: 'medium' })],
  },
]

function role(who: number, target: string, from: string, to: string): ThreatRow {
  return row('privilege_permissions_changed', 0, {
    ...{ actor: `u${who}@example.org`, actorId: `id-u${who}`, target },
    ...{ before: JSON.stringify({ role: from }), says: { role: to } },
  })
}

export { inOrderOfTime as inOrder } from './rows'
