import { expect, it } from 'vitest'
import { bounded, createEngine, evaluate, horizonOf, resume, worse } from './engine'
import { fixtures, inOrder, place } from './testing/fixtures'
import { begin, day, log, minute } from './testing/rows'
import type { Hit, ThreatRow } from './types'

const engine = () => createEngine(new Map(), { place })

/** What a hit tells, but for the subject, which the fixtures have. */
function told({
  rule,
  severity,
  count,
  firstAt,
  lastAt,
  evidence,
  address,
  userId,
  sessionId,
  summary,
}: Hit) {
  const seconds = `${(firstAt - begin) / 1_000} to ${(lastAt - begin) / 1_000} s`
  const whom = [address, userId, sessionId].map((each) => each ?? '-').join(' ')
  return `${rule}, ${severity}: ${count} by #${evidence.join(' #')}, ${seconds}, ${whom}. ${summary}`
}

const hitsOf = (change: (row: ThreatRow) => ThreatRow) =>
  fixtures.flatMap(({ rule, events }) => {
    const hits = evaluate(engine(), inOrder(events(0)).map(change))
    return hits.filter((hit) => hit.rule === rule && hit.meets).map(told)
  })

it('tells of every rule what it found, when, by which events and about whom', () => {
  expect(hitsOf((row) => row)).toMatchInlineSnapshot(`
    [
      "brute-force, high: 10 by #1 #2 #3 #4 #5 #6 #7 #8 #9 #10, 0 to 540 s, 198.51.100.7 - -. 10 failed sign-ins of u0@example.org from 198.51.100.7 within 30 minutes.",
      "distributed, high: 20 by #1 #2 #3 #4 #5 #6 #7 #8 #9 #10 #11 #12 #13 #14 #15 #16 #17 #18 #19 #20, 0 to 1140 s, - id-u0 -. 20 failed sign-ins of u0@example.org from 8 addresses within 60 minutes.",
      "credential-stuffing, high: 20 by #1 #2 #3 #4 #5 #6 #7 #8 #9 #10 #11 #12 #13 #14 #15 #16 #17 #18 #19 #20, 0 to 380 s, 198.51.100.7 - -. 20 failed sign-ins of 20 accounts from 198.51.100.7 within 15 minutes.",
      "spraying, high: 15 by #1 #2 #3 #4 #5 #6 #7 #8 #9 #10 #11 #12 #13 #14 #15, 0 to 50400 s, - - -. 15 failed sign-ins of 15 accounts from the network 198.51.100.0/24 within 24 hours.",
      "enumeration, medium: 12 by #1 #2 #3 #4 #5 #6 #7 #8 #9 #10 #11 #12, 0 to 660 s, 198.51.100.7 - -. 12 accounts that do not exist asked for from 198.51.100.7 within 30 minutes.",
      "limit-hits, medium: 60 by #1 #2 #3, 0 to 120 s, 198.51.100.7 - -. 60 requests from 198.51.100.7 refused by limits within 15 minutes.",
      "address-blocked, medium: 1 by #1, 0 to 0 s, - - -. 198.51.100.7 was blocked.",
      "success-after-failures, high: 9 by #1 #2 #3 #4 #5 #6 #7 #8 #9, 0 to 540 s, - id-u0 session-of-u0. u0@example.org was signed in from 198.51.100.7 after 8 failed sign-ins within 60 minutes.",
      "wrong-codes, high: 6 by #1 #2 #3 #4 #5 #6, 0 to 300 s, - id-u0 -. 6 wrong codes after the right password of u0@example.org within 30 minutes.",
      "new-device, low: 1 by #1, 0 to 0 s, - id-u0 session-of-u0. u0@example.org signed in from a new device, Firefox on Linux, at 198.51.100.7.",
      "impossible-travel, high: 1 by #1 #2, 0 to 54000 s, - id-u0 session-of-u0. Signed in from Sydney, Australia, 16054 km from Berlin, Germany, 900 minutes after having been there.",
      "dormant-account, medium: 1 by #1, 0 to 0 s, - id-u0 session-of-u0. u0@example.org signed in from 198.51.100.7 after 90 days without.",
      "refresh-reuse, high: 1 by #1, 0 to 0 s, - id-u0 -. A refresh token of u0@example.org was used a second time, from an unknown address.",
      "bad-tokens, medium: 10 by #1 #2 #3 #4 #5 #6 #7 #8 #9 #10, 0 to 9 s, 198.51.100.7 - -. 10 access tokens from 198.51.100.7 refused within 10 minutes.",
      "backup-code, medium: 1 by #1, 0 to 0 s, - id-u0 -. u0@example.org used a backup code at an unknown address. 9 codes left.",
      "self-granted-role, critical: 1 by #1, 0 to 0 s, - id-u0 -. u0@example.org changed the own role from viewer to admin.",
      "factor-removed, low: 1 by #1, 0 to 0 s, - id-u0 -. system took all second factors of a user away.",
      "audit-break, critical: 1 by #1, 0 to 0 s, - - -. The audit log does not verify: modified at 7.",
      "attack-pattern, medium: 1 by #1, 0 to 0 s, 198.51.100.7 - -. malicious_sqli from 198.51.100.7.",
      "cache-degraded, medium: 1 by #1, 0 to 0 s, - - -. Redis is away: Redis is away.",
      "store-degraded, medium: 1 by #1, 0 to 0 s, - - -. The store’s servers changed: node:b.",
      "backup-overdue, medium: 1 by #1, 0 to 0 s, - - -. The backup is overdue: No backup was ever made.",
      "outside-alarm, high: 1 by #1, 0 to 0 s, - - -. shop reports payment_fraud of system.",
    ]
  `)
})

it('tells the same of what applications report, by the rules that look at it', () => {
  expect(hitsOf((row) => ({ ...row, source: 'shop' }))).toMatchInlineSnapshot(`
    [
      "brute-force, high: 10 by #1 #2 #3 #4 #5 #6 #7 #8 #9 #10, 0 to 540 s, 198.51.100.7 - -. 10 failed sign-ins of u0@example.org from 198.51.100.7 within 30 minutes.",
      "distributed, high: 20 by #1 #2 #3 #4 #5 #6 #7 #8 #9 #10 #11 #12 #13 #14 #15 #16 #17 #18 #19 #20, 0 to 1140 s, - - -. 20 failed sign-ins of u0@example.org from 8 addresses within 60 minutes.",
      "credential-stuffing, high: 20 by #1 #2 #3 #4 #5 #6 #7 #8 #9 #10 #11 #12 #13 #14 #15 #16 #17 #18 #19 #20, 0 to 380 s, 198.51.100.7 - -. 20 failed sign-ins of 20 accounts from 198.51.100.7 within 15 minutes.",
      "spraying, high: 15 by #1 #2 #3 #4 #5 #6 #7 #8 #9 #10 #11 #12 #13 #14 #15, 0 to 50400 s, - - -. 15 failed sign-ins of 15 accounts from the network 198.51.100.0/24 within 24 hours.",
      "enumeration, medium: 12 by #1 #2 #3 #4 #5 #6 #7 #8 #9 #10 #11 #12, 0 to 660 s, 198.51.100.7 - -. 12 accounts that do not exist asked for from 198.51.100.7 within 30 minutes.",
      "limit-hits, medium: 60 by #1 #2 #3, 0 to 120 s, 198.51.100.7 - -. 60 requests from 198.51.100.7 refused by limits within 15 minutes.",
      "success-after-failures, high: 9 by #1 #2 #3 #4 #5 #6 #7 #8 #9, 0 to 540 s, - - session-of-u0. u0@example.org was signed in from 198.51.100.7 after 8 failed sign-ins within 60 minutes.",
      "wrong-codes, high: 6 by #1 #2 #3 #4 #5 #6, 0 to 300 s, - - -. 6 wrong codes after the right password of u0@example.org within 30 minutes.",
      "new-device, low: 1 by #1, 0 to 0 s, - - session-of-u0. u0@example.org signed in from a new device, Firefox on Linux, at 198.51.100.7.",
      "impossible-travel, high: 1 by #1 #2, 0 to 54000 s, - - session-of-u0. Signed in from Sydney, Australia, 16054 km from Berlin, Germany, 900 minutes after having been there.",
      "dormant-account, medium: 1 by #1, 0 to 0 s, - - session-of-u0. u0@example.org signed in from 198.51.100.7 after 90 days without.",
      "refresh-reuse, high: 1 by #1, 0 to 0 s, - - -. A refresh token of u0@example.org was used a second time, from an unknown address.",
      "bad-tokens, medium: 10 by #1 #2 #3 #4 #5 #6 #7 #8 #9 #10, 0 to 9 s, 198.51.100.7 - -. 10 access tokens from 198.51.100.7 refused within 10 minutes.",
      "backup-code, medium: 1 by #1, 0 to 0 s, - - -. u0@example.org used a backup code at an unknown address. 9 codes left.",
      "self-granted-role, critical: 1 by #1, 0 to 0 s, - - -. u0@example.org changed the own role from viewer to admin.",
      "factor-removed, low: 1 by #1, 0 to 0 s, - - -. system took all second factors of a user away.",
      "attack-pattern, medium: 1 by #1, 0 to 0 s, 198.51.100.7 - -. malicious_sqli from 198.51.100.7.",
      "outside-alarm, high: 1 by #1, 0 to 0 s, - - -. shop reports payment_fraud of system.",
    ]
  `)
})

it('lets a finding that stands in the store grow by the next event', () => {
  const { fail } = log()
  const row = fail('u0', 0, '198.51.100.7')
  const subject = 'address:198.51.100.7|user:id-u0'
  const of = (resumed: { rule: string; subject: string; lastAt: number } | null, at: number) => {
    const one = engine()
    if (resumed) resume(one, resumed)
    return evaluate(one, [{ ...row, time: begin + at }]).filter(({ rule }) => rule === 'brute-force')
  }
  const found = { rule: 'brute-force', subject, lastAt: begin }
  expect(of(null, minute)).toEqual([])
  expect(of(found, 30 * minute)).toMatchObject([{ subject, meets: false, count: 1, summary: '' }])
  expect(of(found, 31 * minute)).toEqual([])
  expect(of({ ...found, rule: 'no such rule' }, minute)).toEqual([])
  expect(of({ ...found, subject: 'another' }, minute)).toEqual([])
})

it('looks back as far as the rule that looks back furthest', () => {
  expect(horizonOf(engine())).toBe(day)
  expect(horizonOf(createEngine(new Map(), {}, []))).toBe(0)
})

it('holds of the evidence the first and the latest, and the worse of two severities', () => {
  const seqs = Array.from({ length: 50 }, (_, at) => at)
  expect(bounded(seqs.slice(0, 40))).toEqual(seqs.slice(0, 40))
  expect(bounded(seqs)).toEqual([...seqs.slice(0, 20), ...seqs.slice(30)])
  expect(bounded(seqs, 4)).toEqual([0, 1, 48, 49])
  expect(worse('low', 'high')).toBe('high')
  expect(worse('critical', 'high')).toBe('critical')
})
