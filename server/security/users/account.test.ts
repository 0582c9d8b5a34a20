import { eq } from 'drizzle-orm'
import { expect, it } from 'vitest'
import { describeStores } from '@/db/testing/stores'
import { ana, bearer, browser, callerOf, openAccounts } from '../testing/accounts'

const code = (expected: string) => expect.objectContaining({ name: 'HoldfastError', code: expected })
const change = { current: ana.password, password: 'seven grey boats in the fog' }

describeStores((open) => {
  async function start(config = {}) {
    const store = await open()
    const accounts = await openAccounts(store, config)
    const signedIn = await accounts.signIn()
    const { session } = signedIn
    const by = callerOf(session)
    const alive = async (token: string) =>
      (await accounts.security.authenticate(bearer(token), '198.51.100.7')) !== null
    return { store, ...accounts, signedIn, session, by, alive }
  }

  it('changes the password, ends all other sessions at once, and stops reset links', async () => {
    const { store, security, session, by, alive, signedIn, signIn, ended, userId } = await start()
    const others = [await signIn(ana, browser('phone')), await signIn(ana, browser('tablet'))]
    const reset = await security.machine.resetPassword({ email: ana.email }, by)
    const token = reset.link.split('#')[1] ?? ''
    await security.useLink({ token, password: ana.password }, browser('desk'))
    expect(await alive(signedIn.accessToken)).toBe(false)
    expect(ended.sort()).toEqual(
      [session, ...others.map((each) => each.session)].map((s) => s.sessionId).sort(),
    )

    const here = await signIn()
    const there = await signIn(ana, browser('phone'))
    const { ended: count } = await security.account.changePassword(
      here.session,
      change,
      callerOf(here.session),
    )
    expect(count).toBe(2)
    expect(await alive(here.accessToken)).toBe(true)
    expect(await alive(there.accessToken)).toBe(false)
    expect(ended).toContain(there.session.sessionId)
    await expect(security.signIn(ana, browser())).rejects.toEqual(code('WRONG_CREDENTIALS'))
    const { auditEvents } = store.tables
    const rows = await store.db
      .select()
      .from(auditEvents)
      .where(eq(auditEvents.event, 'authn_password_change'))
    expect(rows.at(-1)).toMatchObject({ actorId: userId, outcome: 'success', target: userId })
    expect(JSON.stringify(rows)).not.toContain(change.password)
  })

  it('clears what an admin asked for', async () => {
    const { security, session, by, signIn, alive, addUser, signedIn } = await start()
    const bob = await addUser('Bob')
    const bobs = await signIn(bob, browser('bob'))
    await security.users.requirePasswordChange({ userId: bob.userId }, by)
    const needs = async () =>
      (await security.authenticate(bearer(bobs.accessToken), '198.51.100.7'))?.needs.includes('new password')
    expect(await needs()).toBe(true)
    await security.account.changePassword(bobs.session, change, callerOf(bobs.session))
    expect(await needs()).toBe(false)
    expect(session.userId).not.toBe(bob.userId)
    expect(await alive(signedIn.accessToken)).toBe(true)
  })

  it('counts guesses at the current password, apart from sign-ins', async () => {
    const { store, security, session, by, clock } = await start({ maxLoginAttempts: 3 })
    const guess = () => security.account.changePassword(session, { ...change, current: 'a guess' }, by)
    const tries = await Promise.allSettled(Array.from({ length: 10 }, guess))
    const codes = tries.map((each) => (each.status === 'rejected' ? each.reason.code : 'changed')).sort()
    expect(codes).toEqual([...Array(7).fill('TOO_MANY_REQUESTS'), ...Array(3).fill('WRONG_CREDENTIALS')])
    await expect(security.account.changePassword(session, change, by)).rejects.toEqual(
      code('TOO_MANY_REQUESTS'),
    )
    await expect(security.signIn(ana, browser())).resolves.toMatchObject({ state: 'signed-in' })
    clock.pass(60_000)
    await expect(security.account.changePassword(session, change, by)).resolves.toMatchObject({ ended: 1 })
    const { auditEvents } = store.tables
    const rows = await store.db.select().from(auditEvents).where(eq(auditEvents.event, 'authn_login_lock'))
    expect(rows).toMatchObject([{ actorId: session.userId, target: session.userId }])
  })

  it('refuses the same password and one that is easy to guess, without counting it', async () => {
    const { security, session, by } = await start({ maxLoginAttempts: 1 })
    for (const password of [ana.password, 'ana@example.org ana', 'aaaaaaaaaaaaaaaaaa']) {
      await expect(security.account.changePassword(session, { ...change, password }, by)).rejects.toEqual(
        code('BAD_INPUT'),
      )
    }
    await expect(security.account.changePassword(session, change, by)).resolves.toMatchObject({ ended: 0 })
  })

  it('lets one of ten parallel changes win', async () => {
    const { security, session, by } = await start({ maxLoginAttempts: 20 })
    const tries = await Promise.allSettled(
      Array.from({ length: 10 }, (_, index) =>
        security.account.changePassword(session, { ...change, password: `${change.password} ${index}` }, by),
      ),
    )
    expect(tries.filter((each) => each.status === 'fulfilled')).toHaveLength(1)
  })

  it('changes the name, with an event of both', async () => {
    const { store, security, session, by, signedIn } = await start()
    await security.account.setName(session, 'Ana Maria', by)
    await security.account.setName(session, 'Ana Maria', by)
    expect(await security.authenticate(bearer(signedIn.accessToken), '198.51.100.7')).toMatchObject({
      name: 'Ana Maria',
    })
    const { auditEvents } = store.tables
    const rows = await store.db.select().from(auditEvents).where(eq(auditEvents.event, 'user_updated'))
    expect(rows).toMatchObject([{ before: '{"name":"Ana"}', after: '{"name":"Ana Maria"}' }])
  })

  it('lists and ends the own sessions, and nobody else’s', async () => {
    const { security, session, by, signIn, addUser, alive, ended, clock } = await start()
    clock.pass(1_000)
    const phone = await signIn(ana, browser('phone'))
    const bob = await addUser('Bob')
    const bobs = await signIn(bob, browser('bob'))
    expect(await security.account.sessions(session)).toMatchObject([{ current: false }, { current: true }])
    await expect(security.account.endSession(session, bobs.session.sessionId, by)).rejects.toEqual(
      code('NOT_FOUND'),
    )
    await security.account.endSession(session, phone.session.sessionId, by)
    expect(await alive(phone.accessToken)).toBe(false)
    await expect(security.account.endSession(session, phone.session.sessionId, by)).rejects.toEqual(
      code('NOT_FOUND'),
    )
    await signIn(ana, browser('tablet'))
    expect(await security.account.endOtherSessions(session, by)).toBe(1)
    expect(ended).toHaveLength(2)
    expect(await alive(bobs.accessToken)).toBe(true)
  })
})
