import { eq } from 'drizzle-orm'
import { expect, it } from 'vitest'
import { waitUntil } from '@/db/testing/processes'
import { describeStores } from '@/db/testing/stores'
import type { Permission } from '../roles'
import { bearer, browser, openAccounts } from '../testing/accounts'
import { code, eventsOf } from '../testing/events'

const address = '203.0.113.9'
const action = 'security.createApiKey'
const permissions: Permission[] = ['database:read', 'cache:read']
const input = { name: 'Grafana', permissions, days: 30 }
const dayMs = 86_400_000

describeStores((open) => {
  async function start() {
    const store = await open()
    const run = await openAccounts(store)
    const { session } = await run.signIn()
    const create = async (given: typeof input & { action?: string } = input) =>
      run.security.apiKeys.create(session, given, await run.granted(session, action, given))
    const use = (key: string) => run.security.authenticate(bearer(key), address)
    return { ...run, store, session, create, use }
  }

  it('act for their owner with what they were given, until they expire', async () => {
    const { create, use, clock, session, store } = await start()
    const { id, key, expiresAt } = await create()
    expect(key).toMatch(/^hf_[A-Za-z0-9_-]{43}$/)
    expect(expiresAt).toBe(clock.now() + 30 * dayMs)
    expect(await use(key)).toEqual({
      ...{ kind: 'api-key', sessionId: id, generation: 0, methods: [], needs: [] },
      ...{
        name: 'Grafana',
        email: session.email,
        userId: session.userId,
        role: 'admin',
        permissions: expect.any(Array),
      },
      ...{ expiresAt, accessExpiresAt: expiresAt },
    })
    expect([...((await use(key))?.permissions ?? [])].sort()).toEqual([...permissions].sort())
    clock.pass(30 * dayMs - 1)
    expect(await use(key)).not.toBeNull()
    clock.pass(1)
    expect(await use(key)).toBeNull()
    const everything = JSON.stringify([
      await eventsOf(store),
      await store.db.select().from(store.tables.apiKeys),
    ])
    expect(everything).not.toContain(key)
    expect(everything).toContain(key.slice(0, 7))
  })

  it('are made by one grant, once, for exactly this input', async () => {
    const { security, session, granted } = await start()
    const use = await granted(session, action, input)
    const other = { ...input, permissions: [...permissions, 'security:manage' as const] }
    const none = { ...use, grantId: null }
    await expect(security.apiKeys.create(session, input, none)).rejects.toEqual(code('STEP_UP_REQUIRED'))
    await expect(security.apiKeys.create(session, other, use)).rejects.toEqual(code('STEP_UP_REQUIRED'))
    await security.apiKeys.create(session, input, use)
    await expect(security.apiKeys.create(session, input, use)).rejects.toEqual(code('STEP_UP_REQUIRED'))
    expect(await security.apiKeys.list()).toHaveLength(1)
  })

  it('hold no more than their owner’s role holds, when they are made and at each use', async () => {
    const { security, session, granted, store, create, use } = await start()
    const { users } = store.tables
    const { key } = await create({ ...input, permissions: ['cache:manage', 'cache:read'] })
    expect((await use(key))?.permissions).toContain('cache:manage')
    await store.db.update(users).set({ role: 'viewer' }).where(eq(users.id, session.userId))
    expect((await use(key))?.permissions).toEqual(['cache:read'])
    const more = { ...input, permissions: ['cache:manage' as const] }
    const grant = await granted(session, action, more)
    // The session of the request was read before the role changed.
    await expect(security.apiKeys.create(session, more, grant)).rejects.toEqual(code('FORBIDDEN'))
    const viewer = { ...session, permissions: ['cache:read' as const] }
    await expect(security.apiKeys.create(viewer, more, grant)).rejects.toEqual(code('FORBIDDEN'))
  })

  it('make no key that may do more than themselves', async () => {
    const { security, granted, create, use } = await start()
    const { key } = await create({ ...input, permissions: ['security:manage', 'cache:read'] })
    const own = await use(key)
    if (!own) throw new Error('The key does not work.')
    const make = async (given: typeof input & { action?: string }) =>
      security.apiKeys.create(own, given, await granted(own, action, given))
    await expect(make({ ...input, permissions: ['cache:manage'] })).rejects.toEqual(code('FORBIDDEN'))
    await expect(make({ ...input, permissions: ['cache:read'], action: 'cache.clear' })).rejects.toEqual(
      code('FORBIDDEN'),
    )
    await expect(make({ ...input, permissions: ['cache:read'] })).resolves.toBeDefined()
  })

  it('may step up for the one action that they were made for, and for none without', async () => {
    const { create, use, security, session } = await start()
    const by = { ...browser().by, actorId: session.userId }
    const plain = await use((await create()).key)
    expect(plain?.permissions).not.toContain('auth:step-up')
    const made = await use((await create({ ...input, action: 'cache.clear' })).key)
    expect(made).toMatchObject({
      action: 'cache.clear',
      permissions: expect.arrayContaining(['auth:step-up']),
    })
    if (!made) throw new Error('The key does not work.')
    const ask = (what: string) =>
      security.stepUp(made, { action: what, input: { namespace: 'a' }, proof: null }, by)
    expect(await ask('cache.clear')).toMatchObject({ grant: { grantId: expect.any(String) }, signedIn: null })
    await expect(ask('security.setRole')).rejects.toEqual(code('FORBIDDEN'))
  })

  it('stop at once when they are revoked, and when their owner is disabled', async () => {
    const { security, session, create, use, store, another } = await start()
    const by = browser().by
    const first = await create()
    const second = await create()
    const other = another()
    expect(await other.authenticate(bearer(first.key), address)).not.toBeNull()
    await security.apiKeys.revoke({ id: first.id }, by)
    expect(await other.authenticate(bearer(first.key), address)).toBeNull()
    await expect(security.apiKeys.revoke({ id: first.id }, by)).rejects.toEqual(code('NOT_FOUND'))
    expect(await use(second.key)).not.toBeNull()
    const { users } = store.tables
    await store.db.update(users).set({ state: 'disabled' }).where(eq(users.id, session.userId))
    expect(await use(second.key)).toBeNull()
    const rows = await eventsOf(store)
    expect(rows.at(-1)).toMatchObject({ event: 'sensitive_delete', target: `api-key:${first.id}` })
  })

  it('note their last use, at most once a minute', async () => {
    const { security, create, use, clock } = await start()
    const { key } = await create()
    const last = async () => {
      const [entry] = await security.apiKeys.list()
      return { at: entry?.lastUsedAt, from: entry?.lastAddress }
    }
    const begun = clock.now()
    await use(key)
    await waitUntil('the use to be noted', async () => (await last()).at === begun)
    clock.pass(59_999)
    await security.authenticate(bearer(key), '203.0.113.10')
    clock.pass(1)
    await security.authenticate(bearer(key), '203.0.113.11')
    await waitUntil('the later use to be noted', async () => (await last()).at === begun + 60_000)
    expect(await last()).toEqual({ at: begun + 60_000, from: '203.0.113.11' })
  })

  it('that nobody made are refused, as a bearer token or as a cookie', async () => {
    const { use, security, create } = await start()
    const { key } = await create()
    const other = `hf_${'A'.repeat(43)}`
    for (const each of [other, 'hf_', `${key}A`, key.slice(0, -1), key.toLowerCase(), 'hf___proto__']) {
      expect(await use(each)).toBeNull()
    }
    const cookie = new Headers({ cookie: `holdfast-access=${key}` })
    expect(await security.authenticate(cookie, address)).toBeNull()
  })
})
