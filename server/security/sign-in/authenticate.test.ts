import { eq } from 'drizzle-orm'
import { expect, it } from 'vitest'
import { describeStores } from '@/db/testing/stores'
import { bearer, openAccounts } from '../testing/accounts'

const address = '198.51.100.7'
const cookie = (...tokens: string[]) =>
  new Headers({ cookie: tokens.map((token) => `holdfast-access=${token}`).join('; ') })

describeStores((open) => {
  it('knows a session by its bearer token or its cookie, and nobody by two cookies', async () => {
    const { security, signIn } = await openAccounts(await open())
    const { accessToken, session } = await signIn()
    expect(await security.authenticate(bearer(accessToken), address)).toEqual(session)
    expect(await security.authenticate(cookie(accessToken), address)).toEqual(session)
    expect(await security.authenticate(cookie(accessToken, accessToken), address)).toBeNull()
    expect(await security.authenticate(cookie(accessToken, 'x'), address)).toBeNull()
    expect(await security.authenticate(new Headers(), address)).toBeNull()
  })

  it('takes no refresh token for an access token', async () => {
    const { security, signIn } = await openAccounts(await open())
    const { refreshToken = '' } = await signIn()
    expect(await security.authenticate(bearer(refreshToken), address)).toBeNull()
    expect(await security.authenticate(cookie(refreshToken), address)).toBeNull()
  })

  it('reads role, password order and policy fresh at each request', async () => {
    const store = await open()
    const { security, signIn, userId } = await openAccounts(store)
    const { accessToken } = await signIn()
    const now = async () => {
      const { role, needs, permissions } = (await security.authenticate(bearer(accessToken), address)) ?? {}
      return { role, needs, manages: permissions?.includes('security:manage') }
    }
    const { users, meta, sessions } = store.tables
    const policy = (value: string) =>
      store.db
        .insert(meta)
        .values({ key: 'factor-required-roles', value })
        .onConflictDoUpdate({ target: meta.key, set: { value } })
    expect(await now()).toEqual({ role: 'admin', needs: ['factor'], manages: true })
    await policy('[]')
    expect(await now()).toEqual({ role: 'admin', needs: [], manages: true })
    await store.db.update(users).set({ mustChangePassword: true }).where(eq(users.id, userId))
    expect(await now()).toEqual({ role: 'admin', needs: ['new password'], manages: true })
    await policy('["viewer","admin"]')
    expect(await now()).toEqual({ role: 'admin', needs: ['new password', 'factor'], manages: true })
    await store.db.update(users).set({ mustChangePassword: false, role: 'operator' })
    expect(await now()).toEqual({ role: 'operator', needs: [], manages: false })
    await store.db.update(users).set({ role: 'viewer' })
    expect(await now()).toEqual({ role: 'viewer', needs: ['factor'], manages: false })
    await store.db.update(sessions).set({ methods: ['pwd', 'otp'] })
    expect(await now()).toEqual({ role: 'viewer', needs: [], manages: false })
  })

  it('refuses a token of an earlier or a later generation, and one of another user', async () => {
    const store = await open()
    const { security, signIn, addUser } = await openAccounts(store)
    const bob = await addUser('Bob')
    const { accessToken } = await signIn()
    const { sessions } = store.tables
    await store.db.update(sessions).set({ generation: 2 })
    expect(await security.authenticate(bearer(accessToken), address)).toBeNull()
    await store.db.update(sessions).set({ generation: 1 })
    expect(await security.authenticate(bearer(accessToken), address)).not.toBeNull()
    await store.db.update(sessions).set({ userId: bob.userId })
    expect(await security.authenticate(bearer(accessToken), address)).toBeNull()
  })

  it('does not say of a store that is away that somebody is signed out', async () => {
    const store = await open()
    const { security, signIn } = await openAccounts(store)
    const { accessToken } = await signIn()
    await store.exclusively(async (handle) => {
      const away = new Proxy(handle.db, {
        get() {
          throw new Error('away')
        },
      })
      return { ...handle, db: away }
    })
    await expect(security.authenticate(bearer(accessToken), address)).rejects.toThrow('away')
    expect(await security.authenticate(bearer('nonsense'), address)).toBeNull()
  })
})
