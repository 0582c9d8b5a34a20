import { expect, it } from 'vitest'
import { describeStores } from '@/db/testing/stores'
import { system } from '@/server/audit'
import { openLog } from '@/server/log'
import { openSecurity } from '@/server/security'
import { ana, bearer, browser, testClock, testVault } from '../testing/accounts'
import { setUpLinkLife } from './set-up'

const code = (expected: string) => expect.objectContaining({ name: 'HoldfastError', code: expected })
const tokenOf = (link: string | null) => link?.split('#')[1] ?? ''

describeStores((open) => {
  async function start() {
    const store = await open()
    const clock = testClock()
    const deps = { store, vault: testVault, clock, log: openLog('error') }
    const config = { accessMs: 900_000, refreshMs: 86_400_000, url: 'https://holdfast.example.org' }
    return { store, clock, security: openSecurity(deps, config), another: () => openSecurity(deps, config) }
  }

  it('makes the first admin by the link, signed in, and prints no link afterwards', async () => {
    const { store, security, another } = await start()
    const link = await security.createSetUpLink()
    expect(link).toMatch(/^https:\/\/holdfast\.example\.org\/set-up#[\w-]{43}$/)
    expect(await security.needsSetUp()).toBe(true)
    expect(await security.setUpLinkState(tokenOf(link))).toBe('usable')
    const stored = JSON.stringify(await store.db.select().from(store.tables.oneTimeTokens))
    expect(stored).not.toContain(tokenOf(link))

    const signedIn = await security.setUp({ ...ana, token: tokenOf(link) }, browser())
    expect(await security.authenticate(bearer(signedIn.accessToken), '198.51.100.7')).toMatchObject({
      role: 'admin',
    })
    expect(await another().createSetUpLink()).toBeNull()
    expect(await security.needsSetUp()).toBe(false)
    const again = { ...ana, email: 'eve@example.org', token: tokenOf(link) }
    await expect(security.setUp(again, browser())).rejects.toEqual(code('ALREADY_SET_UP'))
    const events = await store.db.select().from(store.tables.auditEvents)
    expect(events.map((row) => row.event)).toEqual(
      expect.arrayContaining(['authn_token_created', 'user_created', 'authn_login_success']),
    )
    expect(JSON.stringify(events)).not.toContain(ana.password)
  })

  it('makes one admin of 20 parallel uses of one link', async () => {
    const { store, security, another } = await start()
    const token = tokenOf(await security.createSetUpLink())
    const instances = [security, another(), another()]
    const tries = await Promise.allSettled(
      Array.from({ length: 20 }, (_, index) =>
        (instances[index % 3] ?? security).setUp(
          { ...ana, email: `user-${index}@example.org`, token },
          browser(),
        ),
      ),
    )
    expect(tries.filter((each) => each.status === 'fulfilled')).toHaveLength(1)
    expect(await store.db.select().from(store.tables.users)).toHaveLength(1)
  })

  it('makes one admin of 10 links that are used at once', async () => {
    const { store, security } = await start()
    const links = await Promise.all(Array.from({ length: 10 }, () => security.createSetUpLink()))
    const tries = await Promise.allSettled(
      links.map((link, index) =>
        security.setUp({ ...ana, email: `user-${index}@example.org`, token: tokenOf(link) }, browser()),
      ),
    )
    expect(tries.filter((each) => each.status === 'fulfilled')).toHaveLength(1)
    expect(await store.db.select().from(store.tables.users)).toHaveLength(1)
  })

  it('refuses a made-up token, and a link older than a day', async () => {
    const { store, security, clock } = await start()
    const token = tokenOf(await security.createSetUpLink())
    await expect(security.setUp({ ...ana, token: 'made-up' }, browser())).rejects.toEqual(code('LINK_USED'))
    clock.pass(setUpLinkLife)
    expect(await security.setUpLinkState(token)).toBe('unknown')
    await expect(security.setUp({ ...ana, token }, browser())).rejects.toEqual(code('LINK_USED'))
    expect(await store.db.select().from(store.tables.users)).toEqual([])
    const fresh = tokenOf(await security.createSetUpLink())
    await expect(security.setUp({ ...ana, token: fresh }, browser())).resolves.toBeDefined()
  })

  it('works on after a password that is easy to guess', async () => {
    const { store, security } = await start()
    const token = tokenOf(await security.createSetUpLink())
    for (const password of ['ana@example.org', 'holdfast holdfast', 'Password1234567!']) {
      await expect(security.setUp({ ...ana, password, token }, browser())).rejects.toMatchObject({
        code: 'BAD_INPUT',
        details: { issues: [{ path: 'password' }] },
      })
    }
    expect(await store.db.select().from(store.tables.users)).toEqual([])
    await expect(security.setUp({ ...ana, token }, browser())).resolves.toBeDefined()
  })

  it('is over when the command line has made an admin, and not by a viewer', async () => {
    const { security } = await start()
    const token = tokenOf(await security.createSetUpLink())
    await security.machine.createUser({ ...ana, email: 'vic@example.org', role: 'viewer' }, system)
    expect(await security.needsSetUp()).toBe(true)
    await security.machine.createUser({ ...ana, role: 'admin' }, system)
    expect(await security.createSetUpLink()).toBeNull()
    const late = { ...ana, email: 'eve@example.org', token }
    await expect(security.setUp(late, browser())).rejects.toEqual(code('ALREADY_SET_UP'))
    const twice = security.machine.createUser({ ...ana, email: 'ANA@example.org', role: 'viewer' }, system)
    await expect(twice).rejects.toEqual(code('CONFLICT'))
  })
})
