import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Store } from '@/db/store'
import { watchStalls } from '@/db/testing/stalls'
import { describeStores } from '@/db/testing/stores'
import { system } from '@/server/audit'
import { systemClock } from '@/server/clock'
import { openLog } from '@/server/log'
import { callerOf, openAccounts, testVault } from '../testing/accounts'
import { code, eventsOf } from '../testing/events'
import type { SessionInfo } from '../types'
import { type Asking, type LimitsConfig, liftBlocks, openLimits } from './index'

const account = { most: 5, windowMs: 900_000, blockMs: 3_600_000 }
const rate = (most: number, windowMs = 60_000) => ({ most, windowMs })
const off: LimitsConfig = {
  ...{ address: null, user: null, blockAfter: null, blockDurationsMs: [900_000, 3_600_000], prefix: 't:' },
  endpoints: { 'auth.signIn': null },
}

/** What is waited for comes at once, except where other work keeps the machine busy. */
const patient = { timeout: 15_000 }
const undo: (() => unknown)[] = []

async function openWith(store: Store, config: Partial<LimitsConfig>, clock = systemClock) {
  const deps = { store, vault: testVault, clock, log: openLog('error'), shared: null }
  const limits = openLimits(deps, { ...off, ...config }, account)
  await limits.start()
  undo.push(() => limits.close())
  return limits
}

const from = (address: string, more: Partial<Asking> = {}): Asking => ({
  ...{
    endpoint: 'auth.signIn',
    session: null,
    foreign: false,
    by: { ...system, actor: 'anonymous', address },
  },
  ...more,
})

/** How many of `calls` at once get through. */
async function through(limits: Awaited<ReturnType<typeof openWith>>, asking: Asking, calls: number) {
  const taken = await Promise.allSettled(Array.from({ length: calls }, () => limits.take(asking)))
  return taken.filter(({ status }) => status === 'fulfilled').length
}

const excess = async (store: Store) =>
  (await eventsOf(store)).filter(({ event }) => event === 'excess_rate_limit_exceeded')

describeStores((open) => {
  // Defined in here, it comes before the store is taken away.
  afterEach(async () => {
    for (const step of undo.splice(0).reverse()) await step()
  })

  describe('limits', () => {
    it('count an address, an IPv6 network as one, and each procedure that has a limit of its own', async () => {
      const store = await open()
      const limits = await openWith(store, { address: rate(20), endpoints: { 'auth.signIn': rate(5) } })
      expect(await through(limits, from('203.0.113.1'), 100)).toBe(5)
      expect(await through(limits, from('203.0.113.2'), 100)).toBe(5)
      // The hundred calls above were counted for the address, too.
      expect(await through(limits, from('203.0.113.1', { endpoint: 'auth.me' }), 1)).toBe(0)
      const v6 = ['2001:db8:0:1::1', '2001:db8:0:1:ffff::9'].map((address) =>
        through(limits, from(address), 3),
      )
      expect((await Promise.all(v6)).reduce((sum, each) => sum + each)).toBe(5)
    })

    it('count a signed-in user over all addresses, and an API key for itself', async () => {
      const store = await open()
      const { signIn } = await openAccounts(store)
      const { session } = await signIn()
      const limits = await openWith(store, { user: rate(5), address: rate(100) })
      const as = (address: string, session: SessionInfo) =>
        from(address, { session, endpoint: 'cache.stats' })
      expect(await through(limits, as('203.0.113.1', session), 4)).toBe(4)
      expect(await through(limits, as('203.0.113.2', session), 4)).toBe(1)
      const key: SessionInfo = { ...session, kind: 'api-key', sessionId: crypto.randomUUID() }
      expect(await through(limits, as('203.0.113.2', key), 9)).toBe(5)
    })

    it('answer when to try again, in the same words for everybody', async () => {
      const limits = await openWith(await open(), { endpoints: { 'auth.signIn': rate(1) } })
      await limits.take(from('203.0.113.1'))
      const refusal = await limits.take(from('203.0.113.1')).catch((error: unknown) => error)
      expect(refusal).toEqual(code('TOO_MANY_REQUESTS'))
      const { message, retryAfterMs } = refusal as { message: string; retryAfterMs: number }
      expect(message).toBe('There were too many requests.')
      expect(retryAfterMs).toBeGreaterThan(0)
      expect(retryAfterMs).toBeLessThanOrEqual(60_000)
    })

    it('do not stop a trusted source, but its users', async () => {
      const store = await open()
      const accounts = await openAccounts(store)
      const { session } = await accounts.signIn()
      const endpoints = { 'auth.signIn': rate(2) }
      const config = { address: rate(3), user: rate(4), endpoints, blockAfter: rate(1) }
      const limits = await openWith(store, config, accounts.clock)
      const source = { network: '198.51.100.0/24', owner: 'Ana', reason: 'office', expiresAt: null }
      await limits.trusted.add(source, await accounts.granted(session, 'security.trusted.add', source))
      expect(await through(limits, from('198.51.100.7'), 50)).toBe(50)
      expect(await through(limits, from('198.51.100.7', { session, endpoint: 'auth.me' }), 50)).toBe(4)
      expect(await limits.blocks.list()).toEqual([])
      expect(await through(limits, from('198.51.101.7'), 50)).toBe(2)
    })
  })

  describe('refused calls', () => {
    it('stand in the audit log once a window and key, with their number', async () => {
      const store = await open()
      let time = 1_800_000_000_000
      const limits = await openWith(store, { endpoints: { 'auth.signIn': rate(2) } }, { now: () => time })
      expect(await through(limits, from('203.0.113.1'), 42)).toBe(2)
      await vi.waitFor(async () => expect(await excess(store)).toHaveLength(1), patient)
      const [first] = await excess(store)
      expect(first).toMatchObject({
        ...{ outcome: 'denied', severity: 'medium', address: '203.0.113.1', target: 'network:203.0.113.1' },
      })
      expect(JSON.parse(first?.after ?? '')).toMatchObject({
        ...{ layer: 'endpoint', endpoint: 'auth.signIn', limit: '2/1m', hits: 1 },
      })
      const { limited } = await limits.state(system)
      expect(limited).toMatchObject([{ layer: 'endpoint', who: '203.0.113.1', hits: 40 }])
      time += 60_000
      await vi.waitFor(async () => expect(await excess(store)).toHaveLength(2), patient)
      expect(JSON.parse((await excess(store))[1]?.after ?? '')).toMatchObject({ hits: 39 })
      await limits.close()
      expect(await excess(store)).toHaveLength(2)
    })

    it('of another instance are seen, too', async () => {
      const store = await open()
      const config = { endpoints: { 'auth.signIn': rate(2) } }
      const [one, other] = [await openWith(store, config), await openWith(store, config)]
      await through(one, from('203.0.113.1'), 3)
      await vi.waitFor(async () => {
        const { limited } = await other.state(system)
        expect(limited).toMatchObject([{ layer: 'endpoint', who: '203.0.113.1', limit: '2/1m', hits: 1 }])
      }, patient)
    })

    it('become a block, longer the second time, that every instance knows within a second', async () => {
      const store = await open()
      const config = { endpoints: { 'auth.signIn': rate(2) }, blockAfter: rate(10) }
      const [one, other] = [await openWith(store, config), await openWith(store, config)]
      await through(one, from('203.0.113.1'), 12)
      expect(await one.blocks.list()).toEqual([])
      const stalls = watchStalls()
      const at = performance.now()
      await through(one, from('203.0.113.1'), 5)
      await vi.waitFor(() => expect(one.blockOf('203.0.113.1')).not.toBeNull(), { ...patient, interval: 5 })
      await vi.waitFor(() => expect(other.blockOf('203.0.113.1')).not.toBeNull(), { ...patient, interval: 5 })
      expect(performance.now() - at - stalls.sum()).toBeLessThan(1_000)
      stalls.stop()
      expect(other.blockOf('203.0.113.2')).toBeNull()
      const [made] = await one.blocks.list()
      expect(made).toMatchObject({ origin: 'limits', level: 0, active: true, network: '203.0.113.1' })
      expect(made?.reason).toBe('more than 10 refused calls in 1m, the last of auth.signIn')
      // One event however many calls came at once.
      const blocked = (await eventsOf(store)).filter(({ event }) => event === 'excess_address_blocked')
      expect(blocked).toHaveLength(1)
    })

    it('count towards a block where the attempt counters refused, not where another site made a browser ask', async () => {
      const store = await open()
      const limits = await openWith(store, { blockAfter: rate(3) })
      for (let call = 0; call < 9; call++) limits.refused(from('203.0.113.1', { foreign: true }), 60_000)
      for (let call = 0; call < 3; call++) limits.refused(from('203.0.113.2'), 60_000)
      await vi.waitFor(async () => expect(await excess(store)).toHaveLength(2), patient)
      limits.refused(from('203.0.113.2'), 60_000)
      await vi.waitFor(() => expect(limits.blockOf('203.0.113.2')).not.toBeNull(), patient)
      expect(limits.blockOf('203.0.113.1')).toBeNull()
    })

    it('tell which accounts are locked, as long as they are', async () => {
      const store = await open()
      const { security, clock } = await openAccounts(store)
      const limits = await openWith(store, {}, clock)
      const by = { ...system, actor: 'anonymous', address: '203.0.113.1' }
      const guess = { email: 'ana@example.org', password: 'not the password' }
      for (let call = 0; call < 5; call++) await security.signIn(guess, { by }).catch(() => {})
      const { locked } = await limits.state(system)
      expect(locked).toEqual([
        {
          ...{ account: 'ana@example.org', address: '203.0.113.1', reason: 'too many failed sign-ins' },
          until: clock.now() + 60_000,
        },
      ])
      clock.pass(60_000)
      expect((await limits.state(system)).locked).toEqual([])
    })
  })

  describe('blocks', () => {
    const slip = { network: '203.0.113.0/24', reason: 'attack', durationMs: 3_600_000 }

    it('are added by hand, seen by every instance, and lifted by a grant', async () => {
      const store = await open()
      const accounts = await openAccounts(store)
      const { session } = await accounts.signIn()
      const [one, other] = [
        await openWith(store, {}, accounts.clock),
        await openWith(store, {}, accounts.clock),
      ]
      const { blockId } = await one.blocks.add(slip, callerOf(session))
      expect(one.blockOf('203.0.113.77')).toMatchObject({ blockId, until: accounts.clock.now() + 3_600_000 })
      await vi.waitFor(() => expect(other.blockOf('203.0.113.77')).not.toBeNull(), patient)
      await expect(other.blocks.lift({ blockId }, { by: callerOf(session), grantId: null })).rejects.toEqual(
        code('STEP_UP_REQUIRED'),
      )
      await other.blocks.lift(
        { blockId },
        await accounts.granted(session, 'security.blocks.lift', { blockId }),
      )
      expect(other.blockOf('203.0.113.77')).toBeNull()
      await vi.waitFor(() => expect(one.blockOf('203.0.113.77')).toBeNull(), patient)
      const use = await accounts.granted(session, 'security.blocks.lift', { blockId })
      await expect(one.blocks.lift({ blockId }, use)).rejects.toEqual(code('NOT_FOUND'))
      const events = (await eventsOf(store)).map(({ event }) => event)
      expect(events.filter((event) => event.startsWith('sys_block'))).toEqual([
        'sys_block_added',
        'sys_block_lifted',
      ])
    })

    it('are over when their time is, without a change in the store', async () => {
      const store = await open()
      const { clock } = await openAccounts(store)
      const limits = await openWith(store, {}, clock)
      await limits.blocks.add(slip, system)
      clock.pass(3_600_000 - 1)
      expect(limits.blockOf('203.0.113.77')).not.toBeNull()
      clock.pass(1)
      expect(limits.blockOf('203.0.113.77')).toBeNull()
      expect(await limits.blocks.list()).toMatchObject([{ active: false, network: '203.0.113.0/24' }])
    })

    it('of one’s own address are asked twice, of a trusted or blocked one refused, of half the Internet, too', async () => {
      const store = await open()
      const accounts = await openAccounts(store)
      const { session } = await accounts.signIn()
      const limits = await openWith(store, {}, accounts.clock)
      const by = { ...callerOf(session), address: '203.0.113.9' }
      await expect(limits.blocks.add(slip, by)).rejects.toEqual(code('OWN_ADDRESS'))
      expect(limits.blockOf('203.0.113.9')).toBeNull()
      await limits.blocks.add({ ...slip, confirmOwn: true }, by)
      expect(limits.blockOf('203.0.113.9')).not.toBeNull()
      await expect(limits.blocks.add({ ...slip, network: '203.0.113.5' }, system)).rejects.toEqual(
        code('CONFLICT'),
      )
      const source = { network: '198.51.100.0/24', owner: 'Ana', reason: 'office', expiresAt: null }
      await limits.trusted.add(source, await accounts.granted(session, 'security.trusted.add', source))
      await expect(limits.blocks.add({ ...slip, network: '198.51.100.1' }, by)).rejects.toEqual(
        code('CONFLICT'),
      )
      for (const network of ['0.0.0.0/1', '::/3', 'everybody', "1.2.3.4' or 1=1 --"]) {
        await expect(limits.blocks.add({ ...slip, network }, by)).rejects.toEqual(code('BAD_INPUT'))
      }
    })

    it('let a trusted source through, until that ends or is removed', async () => {
      const store = await open()
      const accounts = await openAccounts(store)
      const { session } = await accounts.signIn()
      const limits = await openWith(store, {}, accounts.clock)
      await limits.blocks.add(slip, system)
      const source = {
        ...{ network: '203.0.113.64/26', owner: 'Ana', reason: 'pen test' },
        expiresAt: accounts.clock.now() + 1_000,
      }
      const trust = async () =>
        limits.trusted.add(source, await accounts.granted(session, 'security.trusted.add', source))
      const { id } = await trust()
      await expect(trust()).rejects.toEqual(code('CONFLICT'))
      expect(limits.blockOf('203.0.113.65')).toBeNull()
      expect(limits.blockOf('203.0.113.5')).not.toBeNull()
      accounts.clock.pass(1_000)
      expect(limits.blockOf('203.0.113.65')).not.toBeNull()
      expect(await limits.trusted.list()).toMatchObject([{ id, active: false }])
      // What is over makes room for the same network.
      source.expiresAt = accounts.clock.now() + 1_000
      const again = await trust()
      expect(limits.blockOf('203.0.113.65')).toBeNull()
      await limits.trusted.remove(again, callerOf(session))
      expect(limits.blockOf('203.0.113.65')).not.toBeNull()
      await expect(limits.trusted.remove(again, callerOf(session))).rejects.toEqual(code('NOT_FOUND'))
    })

    it('that an address is under are lifted from the command line, whatever their network', async () => {
      const store = await open()
      const limits = await openWith(store, {})
      await limits.blocks.add({ ...slip, network: '203.0.113.9' }, system)
      await limits.blocks.add({ ...slip, durationMs: null }, system)
      await limits.blocks.add({ ...slip, network: '192.0.2.1' }, system)
      const freed = await liftBlocks({ store, clock: systemClock }, '203.0.113.9', {
        ...system,
        actor: 'command line',
      })
      expect(freed.sort()).toEqual(['203.0.113.0/24', '203.0.113.9'])
      await vi.waitFor(() => expect(limits.blockOf('203.0.113.9')).toBeNull(), patient)
      expect(limits.blockOf('192.0.2.1')).not.toBeNull()
    })

    it('lift what led to them, too: the next refused call blocks nobody', async () => {
      const store = await open()
      const accounts = await openAccounts(store)
      const { session } = await accounts.signIn()
      const limits = await openWith(store, { blockAfter: rate(3) }, accounts.clock)
      const refuse = () => limits.refused(from('203.0.113.1'), 60_000)
      for (let call = 0; call < 4; call++) refuse()
      await vi.waitFor(() => expect(limits.blockOf('203.0.113.1')).not.toBeNull(), patient)
      const [{ id: blockId } = { id: '' }] = await limits.blocks.list()
      await limits.blocks.lift(
        { blockId },
        await accounts.granted(session, 'security.blocks.lift', { blockId }),
      )
      for (let call = 0; call < 3; call++) refuse()
      await vi.waitFor(async () => expect((await limits.state(system)).limited[0]?.hits).toBe(7), patient)
      expect(limits.blockOf('203.0.113.1')).toBeNull()
      refuse()
      await vi.waitFor(() => expect(limits.blockOf('203.0.113.1')).not.toBeNull(), patient)
    })
  })
})
