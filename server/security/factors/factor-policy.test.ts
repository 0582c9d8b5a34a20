import { eq } from 'drizzle-orm'
import { expect, it } from 'vitest'
import { describeStores } from '@/db/testing/stores'
import { bearer, browser, callerOf, openAccounts } from '../testing/accounts'

const code = (expected: string) => expect.objectContaining({ name: 'HoldfastError', code: expected })

describeStores((open) => {
  async function start() {
    const store = await open()
    const accounts = await openAccounts(store)
    const { security, granted, signIn, addUser } = accounts
    const { session } = await signIn()
    const set = async (policy: Parameters<typeof security.setFactorPolicy>[0]) =>
      security.setFactorPolicy(policy, await granted(session, 'security.setFactorPolicy', policy))
    const bobs = await signIn(await addUser('Bob'), browser('bob'))
    const needs = async () => (await security.authenticate(bearer(bobs.accessToken), '198.51.100.7'))?.needs
    return { store, ...accounts, session, set, bobs, needs }
  }

  it('asks admins for a second factor as long as nobody chose', async () => {
    const { security, session, needs } = await start()
    expect(await security.factorPolicy()).toEqual({ requiredRoles: ['admin'] })
    expect(session.needs).toEqual(['factor'])
    expect(await needs()).toEqual([])
  })

  it('counts from the next request of everybody, on every instance', async () => {
    const { security, another, set, needs, enrol, bobs } = await start()
    await set({ requiredRoles: ['operator', 'viewer', 'viewer'] })
    expect(await another().factorPolicy()).toEqual({ requiredRoles: ['viewer', 'operator'] })
    expect(await needs()).toEqual(['factor'])
    await enrol(bobs.session)
    expect(await needs()).toEqual([])
    await set({ requiredRoles: [] })
    expect(await security.factorPolicy()).toEqual({ requiredRoles: [] })
  })

  it('takes a grant, and says from what to what', async () => {
    const { store, security, session, set, granted, bobs } = await start()
    const policy = { requiredRoles: [] }
    await expect(security.setFactorPolicy(policy, { by: callerOf(session), grantId: null })).rejects.toEqual(
      code('STEP_UP_REQUIRED'),
    )
    const use = await granted(bobs.session, 'security.setFactorPolicy', policy)
    await expect(security.setFactorPolicy(policy, use)).rejects.toEqual(code('FORBIDDEN'))
    await set(policy)
    const { auditEvents } = store.tables
    const rows = await store.db
      .select()
      .from(auditEvents)
      .where(eq(auditEvents.event, 'authn_factor_policy_changed'))
    expect(rows).toMatchObject([{ before: '{"requiredRoles":["admin"]}', after: '{"requiredRoles":[]}' }])
  })
})
