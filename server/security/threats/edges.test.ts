import { describe, expect, it } from 'vitest'
import { createEngine, defaultSetting, evaluate } from './engine'
import { ruleOf, rules } from './rules'
import { fixtures, inOrder, place } from './testing/fixtures'
import { begin, hour, log, minute, second } from './testing/rows'
import type { Hit, ThreatRow } from './types'

const engine = () => createEngine(new Map(), { place })
const many = (count: number) => Array.from({ length: count }, (_, at) => at)
const address = '198.51.100.7'

/** What one rule finds in rows that are given in their order. */
const finds = (rule: string, rows: ThreatRow[]): Hit[] =>
  evaluate(engine(), rows).filter((hit) => hit.rule === rule && hit.meets)

/** The last sentence that a rule says of the rows. */
const says = (rule: string, rows: ThreatRow[]) => finds(rule, rows).at(-1)?.summary

describe('a share of failures', () => {
  const signIns = (failures: number, successes: number) => {
    const { fail, success } = log()
    return [
      ...many(successes).map((at) => success(`w${at}`, at * second, address)),
      ...many(failures).map((at) => fail(`v${at}`, minute + at * second, address)),
    ]
  }

  it('is reached exactly', () => {
    expect(finds('credential-stuffing', signIns(20, 5))).toHaveLength(1)
    expect(finds('credential-stuffing', signIns(20, 6))).toEqual([])
    expect(finds('spraying', signIns(15, 3))).toHaveLength(1)
    expect(finds('spraying', signIns(15, 4))).toEqual([])
  })
})

it('spraying is a few attempts on each account: more of each is another matter', () => {
  const sprayed = (more: number) => {
    const { fail } = log()
    const early = many(14).flatMap((user) => many(4).map(() => fail(`v${user}`, user * second, address)))
    const others = many(more).map(() => fail('v0', minute, address))
    return [...early, ...others, fail('v14', 2 * minute, address)]
  }
  // 14 accounts with 4 each, 3 more, and the fifteenth: 60 of 15 accounts.
  expect(finds('spraying', sprayed(3))).toMatchObject([{ count: 60 }])
  expect(finds('spraying', sprayed(4))).toEqual([])
})

it('spraying leaves names that nobody has to enumeration, but for those of applications', () => {
  const { fail } = log()
  const rows = many(15).map((at) => fail(`v${at}`, at * minute, address, 'unknown user'))
  expect(finds('spraying', rows)).toEqual([])
  expect(finds('enumeration', rows)).toHaveLength(1)
  expect(
    finds(
      'spraying',
      rows.map((row) => ({ ...row, source: 'shop' })),
    ),
  ).toHaveLength(1)
})

it('enumeration counts accounts that are not known alone', () => {
  const { fail } = log()
  const rows = many(40).map((at) =>
    fail(`v${at}`, at * second, address, at < 11 ? 'unknown user' : 'wrong password'),
  )
  expect(finds('enumeration', rows)).toEqual([])
})

describe('an event that stands for many', () => {
  const weighed = (rule: string, event: string, says: object, enough: number) => {
    const { row } = log()
    const rows = many(enough).map((at) => row(event, at * second, { address, says }))
    return finds(rule, rows)
  }

  it.each([
    [{ hits: 'many' }, 60],
    [{ hits: 0.5 }, 60],
    [{ hits: -3 }, 60],
    [{ hits: 1 }, 60],
    [{ hits: 2.9 }, 30],
    [{ hits: 60 }, 1],
  ])('of limits: %j is enough %i times', (said, enough) => {
    expect(weighed('limit-hits', 'excess_rate_limit_exceeded', said, enough)).toHaveLength(1)
    expect(weighed('limit-hits', 'excess_rate_limit_exceeded', said, enough - 1)).toEqual([])
  })

  it.each([
    [{ count: '7' }, 10],
    [{ count: 0 }, 10],
    [{ count: 1 }, 10],
    [{ count: 5.9 }, 2],
    [{ count: 10 }, 1],
  ])('of tokens: %j is enough %i times', (said, enough) => {
    expect(weighed('bad-tokens', 'authn_token_invalid', said, enough)).toHaveLength(1)
    expect(weighed('bad-tokens', 'authn_token_invalid', said, enough - 1)).toEqual([])
  })

  it('is a thousand at most', () => {
    expect(weighed('limit-hits', 'excess_rate_limit_exceeded', { hits: 1e9 }, 1)[0]?.count).toBe(1_000)
    expect(weighed('bad-tokens', 'authn_token_invalid', { count: 1e9 }, 1)[0]?.count).toBe(1_000)
  })
})

it('says nothing of an address that is not known', () => {
  const nowhere = (rule: string) => {
    const fixture = fixtures.find((each) => each.rule === rule)
    return finds(
      rule,
      inOrder(fixture?.events(0) ?? []).map((row) => ({ ...row, address: null })),
    )
  }
  const byAddress = ['brute-force', 'distributed', 'credential-stuffing', 'spraying', 'enumeration']
  for (const rule of [...byAddress, 'limit-hits', 'bad-tokens', 'impossible-travel'])
    expect(nowhere(rule)).toEqual([])
  expect(nowhere('attack-pattern')).toMatchObject([
    { subject: 'event:malicious_sqli', summary: 'malicious_sqli from an unknown address.' },
  ])
  expect(nowhere('success-after-failures')[0]?.summary).toContain('from an unknown address after 8')
  expect(nowhere('new-device')[0]?.summary).toMatch(/at an unknown address\.$/)
  expect(nowhere('dormant-account')[0]?.summary).toContain('from an unknown address after')
})

it('gives the reason with what it found, ending in one full stop', () => {
  const { row } = log()
  const limits = { target: 'address:192.0.2.9', says: { origin: 'limits' } }
  const [network, user] = [
    { ...limits, target: 'network:2001:db8::/48' },
    { address, target: 'u' },
  ]
  const block = (facts: object) => says('address-blocked', [row('excess_address_blocked', 0, facts)])
  expect(block({ ...limits, reason: 'Too many. Again.' })).toBe(
    'address:192.0.2.9 was blocked: Too many. Again.',
  )
  expect(block(network)).toBe('2001:db8::/48 was blocked.')
  expect(block({ ...limits, target: null })).toBeUndefined()
  const of = (rule: string, event: string, facts: object) => says(rule, [row(event, 0, facts)])
  const many10 = { ...user, says: { count: 10 } }
  expect(of('bad-tokens', 'authn_token_invalid', { ...many10, reason: 'bad signature' })).toMatch(
    /10 minutes, the last: bad signature\.$/,
  )
  expect(of('bad-tokens', 'authn_token_invalid', { ...many10, reason: 'it expired' })).toBeUndefined()
  expect(of('bad-tokens', 'authn_token_invalid', { ...many10, reason: 'ran out' })).toBeUndefined()
  expect(of('attack-pattern', 'malicious_tool', { address, reason: 'sqlmap 1. x.' })).toBe(
    `malicious_tool from ${address}: sqlmap 1. x.`,
  )
  expect(of('attack-pattern', 'malicious_audit_tampering', { address })).toBeUndefined()
  expect(of('audit-break', 'malicious_audit_tampering', { target: 'row 7' })).toBe(
    'The audit log does not verify: row 7.',
  )
  expect(of('audit-break', 'malicious_audit_tampering', {})).toBe('The audit log does not verify.')
  expect(of('cache-degraded', 'sys_cache_state_changed', { target: null })).toBe('Redis is away.')
  expect(of('cache-degraded', 'sys_cache_state_changed', { target: 'cache:memory-redis' })).toBeUndefined()
  expect(of('store-degraded', 'sys_topology_changed', { says: { kind: 'replica-lost' } })).toBe(
    'The store’s servers changed.',
  )
  const alarm = { source: 'shop', severity: 'critical' as const, actor: 'ana' }
  expect(of('outside-alarm', 'fraud', { ...alarm, reason: 'A card. Stolen.' })).toBe(
    'shop reports fraud of ana: A card. Stolen.',
  )
  expect(of('outside-alarm', 'fraud', { ...alarm, severity: 'medium' })).toBeUndefined()
})

it('tells who changed rights by the account, and only a rise', () => {
  const { row } = log()
  const change = (facts: Partial<ThreatRow>) =>
    says('self-granted-role', [
      row('privilege_permissions_changed', 0, { actor: 'ana', actorId: 'id-a', target: 'id-a', ...facts }),
    ])
  const roles = (before: unknown, after: unknown) => ({
    before: JSON.stringify({ role: before }),
    after: JSON.stringify({ role: after }),
  })
  expect(change(roles('viewer', 'operator'))).toBe('ana changed the own role from viewer to operator.')
  expect(change({ ...roles('viewer', 'operator'), outcome: 'failure' })).toBeUndefined()
  expect(change({ ...roles('viewer', 'operator'), target: null, actorId: null })).toBeUndefined()
  expect(change({ ...roles('viewer', 'operator'), target: 'id-b' })).toBeUndefined()
  expect(change(roles('operator', 'operator'))).toBeUndefined()
  expect(change(roles('operator', 'viewer'))).toBeUndefined()
  expect(change(roles(7, 'nobody'))).toBeUndefined()
  expect(change({ ...roles('boss', 'x'.repeat(60)), source: 'shop', target: 'ana' })).toBe(
    `ana changed the own role from boss to ${'x'.repeat(40)}.`,
  )
  const removed = row('authn_factor_removed', 0, { actor: 'ana', target: null })
  expect(finds('factor-removed', [removed])).toMatchObject([
    { subject: 'user:ana', summary: 'ana removed a second factor.' },
  ])
})

it('asks of a second factor only while somebody signs in, and of a device only where it is told', () => {
  const { wrongCode, success, fail } = log()
  const codes = (facts: Partial<ThreatRow>) =>
    many(6).map((at) => ({ ...wrongCode('u', at, address), ...facts }))
  expect(finds('wrong-codes', codes({ reason: null }))).toHaveLength(1)
  expect(finds('wrong-codes', codes({ sessionId: 's' }))).toEqual([])
  const device = (says: object) => finds('new-device', [success('u', 0, address, says)])
  expect(device({ newDevice: true, device: 'x'.repeat(100) })[0]?.summary).toBe(
    `u@example.org signed in from a new device, ${'x'.repeat(80)}, at ${address}.`,
  )
  expect(device({ newDevice: true, device: 7 })[0]?.summary).toBe(
    `u@example.org signed in from a new device at ${address}.`,
  )
  expect(device({})).toEqual([])
  const after = (says: object) => [
    ...many(8).map((at) => fail('u', at * second, address)),
    success('u', minute, address, says),
  ]
  // Applications need not tell whether a device is new.
  expect(finds('success-after-failures', after({}))).toHaveLength(1)
  expect(finds('success-after-failures', after({ newDevice: false }))).toEqual([])
})

it('is no travel where the places are near, or there was time, or the order is lost', () => {
  const at = (kilometres: number) => ({
    latitude: 0,
    longitude: kilometres / 111.195,
    radius: 0,
    name: 'there',
  })
  const places = {
    place: (where: string) => (where === '192.0.2.1' ? null : at(Number(where.split('.')[3]) * 10)),
  }
  const found = (rows: ThreatRow[]) =>
    evaluate(createEngine(new Map(), places), rows).filter(({ rule }) => rule === 'impossible-travel')
  const signIn = (time: number, where: string) => (make: ReturnType<typeof log>) =>
    make.success('u', time, where)
  const run = (...steps: ((make: ReturnType<typeof log>) => ThreatRow)[]) => {
    const make = log()
    return found(steps.map((step) => step(make)))
  }
  expect(run(signIn(0, '10.0.0.0'), signIn(minute, '10.0.0.51'))).toHaveLength(1)
  expect(run(signIn(0, '10.0.0.0'), signIn(minute, '10.0.0.49'))).toEqual([])
  expect(run(signIn(0, '10.0.0.0'), signIn(2 * hour, '10.0.0.201'))).toHaveLength(1)
  expect(run(signIn(0, '10.0.0.0'), signIn(2 * hour, '10.0.0.199'))).toEqual([])
  expect(run(signIn(minute, '10.0.0.0'), signIn(0, '10.0.0.200'))).toEqual([])
  expect(
    run(signIn(0, '10.0.0.0'), signIn(minute, '192.0.2.1'), signIn(2 * minute, '10.0.0.200')),
  ).toHaveLength(1)
  const twice = run(signIn(0, '10.0.0.0'), signIn(minute, '10.0.0.200'), signIn(2 * minute, '10.0.0.0'))
  // In one batch the second is told with the first.
  expect(twice).toMatchObject([{ count: 2, firstAt: begin, lastAt: begin + 2 * minute, evidence: [1, 2, 3] }])
})

describe('hits of one batch', () => {
  const { fail } = log()
  const rows = many(100).map((at) => fail('ana', at * second, address))
  const [hit, ...others] = finds('brute-force', rows)

  it('are one, from the first event to the last, with a part of the evidence', () => {
    expect(others).toEqual([])
    expect(hit).toMatchObject({ count: 100, firstAt: begin, lastAt: begin + 99 * second, meets: true })
    expect(hit?.evidence).toHaveLength(40)
    expect(hit?.evidence.slice(0, 20)).toEqual(many(20).map((at) => at + 1))
    expect(hit?.evidence.slice(20)).toEqual(many(20).map((at) => at + 81))
    expect(hit?.summary).toContain('100 failed sign-ins')
  })

  it('begin with one that came late', () => {
    const late = [...rows.slice(1, 20), { ...rows[0], seq: 500 } as ThreatRow]
    expect(finds('brute-force', late)).toMatchObject([{ count: 20, firstAt: begin }])
  })

  it('are two where it was quiet in between', () => {
    const make = log()
    const burst = (from: number) => many(10).map((at) => make.fail('ana', from + at * second, address))
    const edge = 9 * second + 30 * minute
    expect(finds('brute-force', [...burst(0), ...burst(edge + 1)])).toHaveLength(2)
  })
})

it('leaves out rules that are off, and those that lack what they need', () => {
  const off = new Map(
    rules.map((rule) => [rule.id, { ...defaultSetting(rule), enabled: rule.id === 'distributed' }]),
  )
  expect(createEngine(off, { place }).working.map(({ rule }) => rule.id)).toEqual(['distributed'])
  const without = createEngine(new Map(), {}).working.map(({ rule }) => rule.id)
  expect(rules.map(({ id }) => id).filter((id) => !without.includes(id))).toEqual(['impossible-travel'])
  expect(defaultSetting(rules[0] as (typeof rules)[0]).dryRun).toBe(false)
  expect(ruleOf('spraying')?.title).toBe('Password spraying')
  expect(ruleOf('no such rule')).toBeUndefined()
})

it('remembers which rules look at an event for 500 names at most', () => {
  const { row } = log()
  const one = engine()
  const names = (from: number, count: number) =>
    evaluate(
      one,
      many(count).map((at) => row(`made_up_${from + at}`, 0, { source: 'shop' })),
    )
  names(0, 500)
  expect(one.byEvent.size).toBe(500)
  names(0, 500)
  expect(one.byEvent.size).toBe(500)
  names(500, 1)
  expect(one.byEvent.size).toBe(1)
  const { own, outside } = one.byEvent.get('made_up_500') ?? {}
  expect(own).toEqual([])
  expect(outside?.map(({ rule }) => rule.id)).toEqual(['outside-alarm'])
})
