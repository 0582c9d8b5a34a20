import { randomUUID } from 'node:crypto'
import { eq } from 'drizzle-orm'
import { expect, it } from 'vitest'
import { describeStores } from '@/db/testing/stores'
import type { SignedIn } from '@/server/security'
import { ana, bearer, browser, callerOf, openAccounts } from '../testing/accounts'
import { code, eventsOf } from '../testing/events'

const address = '198.51.100.7'
const { by } = browser()

describeStores((open) => {
  it('tells the audit log of a session, without a secret', async () => {
    const store = await open()
    const { security, signIn, userId } = await openAccounts(store)
    const signedIn = await signIn()
    expect(await security.authenticate(bearer(signedIn.accessToken), address)).toEqual(signedIn.session)
    expect(signedIn.session).toMatchObject({ userId, email: ana.email, role: 'admin', methods: ['pwd'] })
    const rows = await eventsOf(store)
    expect(rows.map((row) => row.event)).toEqual(
      expect.arrayContaining(['user_created', 'authn_login_success', 'sensitive_create']),
    )
    const everything = JSON.stringify([
      rows,
      await store.db.select().from(store.tables.sessions),
      await store.db.select().from(store.tables.refreshTokens),
    ])
    for (const secret of [ana.password, signedIn.accessToken, signedIn.refreshToken]) {
      expect(everything).not.toContain(secret)
    }
  })

  it('lets an ended session do nothing any more, at once, on every instance', async () => {
    const store = await open()
    const { security, ended, another, signIn } = await openAccounts(store)
    const { session, accessToken, refreshToken = '' } = await signIn()
    const other = another()
    expect(await other.authenticate(bearer(accessToken), address)).not.toBeNull()
    await security.sessions.signOut({ session: null, refreshToken }, by)
    expect(ended).toEqual([session.sessionId])
    expect(await other.authenticate(bearer(accessToken), address)).toBeNull()
    await expect(security.sessions.refresh(refreshToken, browser())).rejects.toEqual(code('SESSION_ENDED'))
  })

  it('lets a disabled user do nothing any more, at once', async () => {
    const store = await open()
    const { security, userId, signIn } = await openAccounts(store)
    const { accessToken, refreshToken = '' } = await signIn()
    const { users } = store.tables
    await store.db.update(users).set({ state: 'disabled' }).where(eq(users.id, userId))
    expect(await security.authenticate(bearer(accessToken), address)).toBeNull()
    await expect(security.sessions.refresh(refreshToken, browser())).rejects.toEqual(code('SESSION_ENDED'))
  })

  it('lists the sessions of everybody or of one user, and ends anybody’s', async () => {
    const store = await open()
    const { security, clock, ended, signIn, addUser } = await openAccounts(store)
    const bob = await addUser('Bob')
    const his = await signIn(bob, browser('bob-laptop'))
    clock.pass(1_000)
    const two = await signIn(ana, browser('two', '203.0.113.5'))
    clock.pass(1_000)
    const three = await signIn(ana, browser('three'))
    const ids = (signedIn: SignedIn[]) => signedIn.map((each) => each.session.sessionId)
    const list = await security.sessions.list({})
    expect(list.map((entry) => entry.id)).toEqual(ids([three, two, his]))
    expect(list[1]).toMatchObject({ email: ana.email, device: 'Firefox on Linux', address: '203.0.113.5' })
    expect((await security.sessions.list({ userId: bob.userId })).map((entry) => entry.id)).toEqual(
      ids([his]),
    )

    const admin = callerOf(three.session)
    await security.sessions.end({ sessionId: his.session.sessionId }, admin)
    expect(ended).toEqual(ids([his]))
    await expect(security.sessions.end({ sessionId: his.session.sessionId }, admin)).rejects.toEqual(
      code('NOT_FOUND'),
    )
    await expect(security.sessions.end({ sessionId: randomUUID() }, admin)).rejects.toEqual(code('NOT_FOUND'))
    expect(await security.authenticate(bearer(his.accessToken), address)).toBeNull()
    const last = (await eventsOf(store)).at(-1)
    expect(last).toMatchObject({ event: 'session_ended', actor: ana.email, reason: 'ended' })

    expect(await security.sessions.endAll({ userId: three.session.userId }, admin)).toBe(2)
    expect(await security.sessions.list({})).toEqual([])
  })

  it('keeps at most so many sessions of a user: the one unused for longest ends', async () => {
    const store = await open()
    const { security, clock, ended, signIn } = await openAccounts(store, {
      maxSessionsPerUser: 3,
      maxLoginAttempts: 100,
    })
    const signedIn: SignedIn[] = []
    for (let number = 0; number < 5; number++) {
      signedIn.push(await signIn(ana, browser(`device-${number}`)))
      clock.pass(1_000)
    }
    expect(ended).toEqual(signedIn.slice(0, 2).map((each) => each.session.sessionId))
    expect(await security.sessions.list({})).toHaveLength(3)
    await Promise.all(Array.from({ length: 8 }, (_, number) => signIn(ana, browser(`p-${number}`))))
    expect(await security.sessions.list({})).toHaveLength(3)
  })

  it('opens none without a factor when one was enrolled meanwhile, and none with one that was taken away', async () => {
    const store = await open()
    const { security, userId, signIn, clock } = await openAccounts(store)
    await signIn()
    const [user] = await store.db.select().from(store.tables.users).where(eq(store.tables.users.id, userId))
    const proven = { userId, passwordHash: user?.passwordHash ?? null }
    const begin = (methods: ('pwd' | 'otp')[]) => security.sessions.open({ ...proven, methods }, browser())
    expect(await begin(['pwd', 'otp'])).toBeNull()
    expect(await begin(['pwd'])).not.toBeNull()
    await store.db.insert(store.tables.totpFactors).values({
      ...{ id: randomUUID(), userId, secretSealed: 'sealed', createdAt: clock.now() },
    })
    expect(await begin(['pwd'])).not.toBeNull()
    await store.db.update(store.tables.totpFactors).set({ activatedAt: clock.now() })
    expect(await begin(['pwd'])).toBeNull()
    expect(await begin(['pwd', 'otp'])).not.toBeNull()
  })

  it('opens none for a password that was changed meanwhile, or a user that was disabled', async () => {
    const store = await open()
    const { security, userId } = await openAccounts(store)
    const { users } = store.tables
    const begin = (passwordHash: string) =>
      security.sessions.open({ userId, passwordHash, methods: ['pwd'] }, browser())
    const [user] = await store.db.select().from(users)
    expect(await begin('the hash of before')).toBeNull()
    await store.db.update(users).set({ state: 'disabled' })
    expect(await begin(user?.passwordHash ?? '')).toBeNull()
    expect(await security.sessions.list({})).toEqual([])
  })

  it('answers an access token for the generation of now, and none for a session that has ended', async () => {
    const store = await open()
    const { security, signIn } = await openAccounts(store)
    const before = await signIn()
    const { sessions } = store.tables
    await store.db.update(sessions).set({ generation: 2 })
    expect(await security.authenticate(bearer(before.accessToken), address)).toBeNull()
    const after = await security.sessions.reissue(before.session)
    expect(after.refreshToken).toBeUndefined()
    expect(await security.authenticate(bearer(after.accessToken), address)).toMatchObject({
      sessionId: before.session.sessionId,
      generation: 2,
    })
    const next = await security.sessions.refresh(before.refreshToken ?? '', browser())
    expect(await security.authenticate(bearer(next.accessToken), address)).not.toBeNull()
    await security.sessions.end({ sessionId: before.session.sessionId }, by)
    await expect(security.sessions.reissue(before.session)).rejects.toEqual(code('SESSION_ENDED'))
  })
})
