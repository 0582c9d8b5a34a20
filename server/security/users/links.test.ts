import { eq } from 'drizzle-orm'
import { expect, it } from 'vitest'
import { describeStores } from '@/db/testing/stores'
import { ana, browser, openAccounts } from '../testing/accounts'
import { linkLife } from './links'

const code = (expected: string) => expect.objectContaining({ name: 'HoldfastError', code: expected })
const tokenOf = ({ link }: { link: string }) => link.split('#')[1] ?? ''
const invitation = { email: 'Ines@example.org', name: 'Ines', role: 'operator' as const }
const password = 'seven grey boats in the fog'

describeStores((open) => {
  async function start() {
    const store = await open()
    const accounts = await openAccounts(store, { url: 'https://holdfast.example.org' })
    const { security, granted, signIn } = accounts
    const { session } = await signIn()
    const invite = async (input: typeof invitation = invitation) =>
      security.users.invite(input, await granted(session, 'security.inviteUser', input))
    const renew = async (userId: string) =>
      security.users.renewInvite({ userId }, await granted(session, 'security.renewInvite', { userId }))
    const reset = async (userId: string) =>
      security.users.resetPassword({ userId }, await granted(session, 'security.resetPassword', { userId }))
    return { store, session, invite, renew, reset, ...accounts }
  }

  it('lets an invited user choose name and password, once, and signs in by it', async () => {
    const { store, security, clock, invite } = await start()
    const invited = await invite()
    expect(invited.link).toMatch(/^https:\/\/holdfast\.example\.org\/link#[\w-]{43}$/)
    expect(invited.expiresAt).toBe(clock.now() + 72 * 3_600_000)
    const token = tokenOf(invited)
    expect(JSON.stringify(await store.db.select().from(store.tables.oneTimeTokens))).not.toContain(token)
    expect(JSON.stringify(await store.db.select().from(store.tables.auditEvents))).not.toContain(token)
    expect(await security.linkState(token)).toEqual({
      ...{ state: 'usable', kind: 'invite' },
      ...{ email: 'ines@example.org', name: 'Ines' },
    })

    const result = await security.useLink({ token, name: 'Inês', password }, browser('ines'))
    expect(result).toMatchObject({
      state: 'signed-in',
      signedIn: { session: { email: 'ines@example.org', name: 'Inês', role: 'operator' } },
    })
    expect(await security.linkState(token)).toEqual({ state: 'used' })
    await expect(security.useLink({ token, password }, browser())).rejects.toEqual(code('LINK_USED'))
    const again = await security.signIn({ email: 'ines@example.org', password }, browser('ines'))
    expect(again.state).toBe('signed-in')
  })

  it('gives a new password by a reset, ends the sessions, and still asks for the factor', async () => {
    const { store, security, addUser, signIn, enrol, reset, ended, clock } = await start()
    const bob = await addUser('Bob')
    const before = await signIn(bob, browser('bob'))
    await enrol(before.session)
    const link = await reset(bob.userId)
    expect(link.expiresAt).toBe(clock.now() + 24 * 3_600_000)
    expect(ended).toContain(before.session.sessionId)
    await expect(security.signIn(bob, browser())).rejects.toEqual(code('WRONG_CREDENTIALS'))

    const result = await security.useLink({ token: tokenOf(link), name: 'Eve', password }, browser('bob'))
    expect(result).toMatchObject({ state: 'factor', asked: { factors: expect.arrayContaining(['totp']) } })
    const { users } = store.tables
    const [row] = await store.db.select().from(users).where(eq(users.id, bob.userId))
    expect(row).toMatchObject({ name: 'Bob', mustChangePassword: false, passwordChangedAt: clock.now() })
  })

  it('is used by one of 20 at once', async () => {
    const { security, another, invite } = await start()
    const token = tokenOf(await invite())
    const instances = [security, another(), another()]
    const tries = await Promise.allSettled(
      Array.from({ length: 20 }, (_, index) =>
        (instances[index % 3] ?? security).useLink({ token, password: `${password} ${index}` }, browser()),
      ),
    )
    const refused = tries.filter((each) => each.status === 'rejected')
    expect(refused).toHaveLength(19)
    for (const { reason } of refused) expect(reason).toEqual(code('LINK_USED'))
  })

  it('stops when a newer one of its kind is made, when it is too old, and when the user is shut out', async () => {
    const { security, clock, invite, renew, reset, addUser, session, granted } = await start()
    const { userId, ...first } = await invite()
    const second = await renew(userId)
    expect(await security.linkState(tokenOf(first))).toEqual({ state: 'used' })
    await expect(security.useLink({ token: tokenOf(first), password }, browser())).rejects.toEqual(
      code('LINK_USED'),
    )
    clock.pass(linkLife.invite)
    expect(await security.linkState(tokenOf(second))).toEqual({ state: 'unknown' })
    await expect(security.useLink({ token: tokenOf(second), password }, browser())).rejects.toEqual(
      code('LINK_USED'),
    )

    const bob = await addUser('Bob')
    const link = await reset(bob.userId)
    const input = { userId: bob.userId }
    await security.users.disable(input, await granted(session, 'security.disableUser', input))
    await security.users.enable(input, await granted(session, 'security.enableUser', input))
    expect(await security.linkState(tokenOf(link))).toEqual({ state: 'used' })
    await expect(security.useLink({ token: tokenOf(link), password }, browser())).rejects.toEqual(
      code('LINK_USED'),
    )
  })

  it('works on after a password that is easy to guess, and is no set-up link', async () => {
    const { store, security, invite } = await start()
    const token = tokenOf(await invite())
    const easy = security.useLink({ token, password: 'ines@example.org' }, browser())
    await expect(easy).rejects.toEqual(code('BAD_INPUT'))
    expect(await security.linkState(token)).toMatchObject({ state: 'usable' })
    expect(await security.setUpLinkState(token)).toBe('used')
    await expect(security.setUp({ ...ana, token }, browser())).rejects.toEqual(code('ALREADY_SET_UP'))
    const { oneTimeTokens } = store.tables
    await store.db.update(oneTimeTokens).set({ kind: 'set-up' })
    expect(await security.linkState(token)).toEqual({ state: 'unknown' })
    await expect(security.useLink({ token, password }, browser())).rejects.toEqual(code('LINK_USED'))
  })
})
