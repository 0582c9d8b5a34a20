import { expect, it } from 'vitest'
import type { Store } from '@/db/store'
import { describeStores } from '@/db/testing/stores'
import { unit } from '@/db/unit'
import { openVault } from '@/server/vault'
import { attemptKeys, type Claim, claimAttempt, forgetAttempts, networkOf } from './attempts'

const limits = { most: 5, windowMs: 900_000, blockMs: 3_600_000 }
const minute = 60_000

const claim = unit('test.claim', (tx, input: { key: string; now: number }) =>
  claimAttempt(tx, { ...input, limits }),
)
const forget = unit('test.forget', (tx, keys: string[]) => forgetAttempts(tx, keys))

describeStores((open) => {
  /** Uses up what is allowed at `now`; answers when the block that follows ends. */
  async function exhaust(store: Store, now: number): Promise<number> {
    let last: Claim | undefined
    for (let each = 0; each < limits.most; each++) last = await store.run(claim, { key: 'k', now })
    if (!last?.allowed || last.lockedUntil === null) throw new Error('no block began')
    return last.lockedUntil
  }

  it('lets five of 100 parallel attempts through, on rows old and new', async () => {
    const store = await open()
    for (const key of ['one', 'two']) {
      const claims = await Promise.all(
        Array.from({ length: 100 }, () => store.run(claim, { key, now: 1_000 })),
      )
      expect(claims.filter((each) => each.allowed)).toHaveLength(5)
      expect(claims.filter((each) => each.allowed && each.lockedUntil !== null)).toHaveLength(1)
      expect(claims.filter((each) => !each.allowed && each.retryAfterMs === minute)).toHaveLength(95)
    }
  })

  it('lets no more through than are allowed while others succeed and forget', {
    timeout: 120_000,
  }, async () => {
    const store = await open()
    for (let round = 0; round < 10; round++) {
      const now = round * 10_000_000
      const [claims] = await Promise.all([
        Promise.all(Array.from({ length: 20 }, () => store.run(claim, { key: 'k', now }))),
        store.run(forget, ['k']),
      ])
      expect(claims.filter((each) => each.allowed).length).toBeLessThanOrEqual(10)
    }
  })

  it('blocks twice as long each time, up to the longest block', async () => {
    const store = await open()
    let now = 1_000_000
    const blocks: number[] = []
    for (let round = 0; round < 8; round++) {
      const until = await exhaust(store, now)
      blocks.push((until - now) / minute)
      expect(await store.run(claim, { key: 'k', now: until - 1 })).toEqual({
        allowed: false,
        retryAfterMs: 1,
      })
      now = until
    }
    expect(blocks).toEqual([1, 2, 4, 8, 16, 32, 60, 60])
  })

  it('begins small again after a long calm, and not before', async () => {
    const store = await open()
    const first = await exhaust(store, 0)
    const second = await exhaust(store, first + limits.blockMs - 1)
    expect(second - (first + limits.blockMs - 1)).toBe(2 * minute)
    expect((await exhaust(store, second + limits.blockMs)) - (second + limits.blockMs)).toBe(minute)
  })

  it('counts from anew when the window is over, and after a success', async () => {
    const store = await open()
    for (let each = 0; each < 4; each++) await store.run(claim, { key: 'k', now: each })
    expect(await store.run(claim, { key: 'k', now: limits.windowMs })).toEqual({
      allowed: true,
      lockedUntil: null,
    })
    const until = await exhaust(store, 2 * limits.windowMs)
    await store.run(forget, ['other'])
    expect(await store.run(claim, { key: 'k', now: until - 1 })).toMatchObject({ allowed: false })
    await store.run(forget, ['k', 'other'])
    expect(await store.run(claim, { key: 'k', now: until - 1 })).toEqual({ allowed: true, lockedUntil: null })
  })
})

it('counts an IPv6 network of one client as one, however an address is spelled', () => {
  expect(networkOf('198.51.100.7')).toBe('198.51.100.7')
  expect(networkOf('unknown')).toBe('unknown')
  const same = ['2001:db8:0:7::1', '2001:DB8::7:aaaa:0:0:1', '2001:0db8:0000:0007:ffff:1:2:3']
  expect(new Set(same.map(networkOf))).toEqual(new Set(['2001:db8:0:7::/64']))
  expect(networkOf('2001:db8:0:8::1')).not.toBe(networkOf('2001:db8:0:7::1'))
  expect(networkOf('::1')).toBe('0:0:0:0::/64')
  expect(networkOf('64:ff9b::198.51.100.7')).toBe('64:ff9b:0:0::/64')
})

it('names accounts by a keyed hash alone', () => {
  const of = (email: string, address: string) =>
    attemptKeys({ vault: openVault(Buffer.alloc(32, 9)) }, { email, address })
  const here = of('ana@example.org', '198.51.100.7')
  expect(JSON.stringify(here)).not.toContain('ana')
  const there = of('ana@example.org', '198.51.100.8')
  expect(there.account).toBe(here.account)
  expect(there.pair).not.toBe(here.pair)
  expect(of('bob@example.org', '198.51.100.7').account).not.toBe(here.account)
})
