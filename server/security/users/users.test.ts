import { and, eq } from 'drizzle-orm'
import { expect, it } from 'vitest'
import type { Store } from '@/db/store'
import { describeStores } from '@/db/testing/stores'
import { system } from '@/server/audit'
import { bearer, browser, callerOf, openAccounts } from '../testing/accounts'
import type { Users } from '../types'

const code = (expected: string) => expect.objectContaining({ name: 'HoldfastError', code: expected })
const invitation = { email: 'ines@example.org', name: 'Ines', role: 'operator' as const }

/** What takes a grant, by procedure, and an input for each. */
const privileged = {
  'security.inviteUser': (users: Users, _id, use) => users.invite(invitation, use),
  'security.renewInvite': (users: Users, userId, use) => users.renewInvite({ userId }, use),
  'security.setRole': (users: Users, userId, use) => users.setRole({ userId, role: 'operator' }, use),
  'security.disableUser': (users: Users, userId, use) => users.disable({ userId }, use),
  'security.enableUser': (users: Users, userId, use) => users.enable({ userId }, use),
  'security.resetPassword': (users: Users, userId, use) => users.resetPassword({ userId }, use),
  'security.resetFactor': (users: Users, userId, use) => users.resetFactor({ userId }, use),
} satisfies Record<
  string,
  (users: Users, userId: string, use: Parameters<Users['enable']>[1]) => Promise<unknown>
>

describeStores((open) => {
  async function start() {
    const store = await open()
    const accounts = await openAccounts(store)
    const signedIn = await accounts.signIn()
    const { session } = signedIn
    const may = (action: string, input: unknown) => accounts.granted(session, `security.${action}`, input)
    return {
      store,
      ...accounts,
      users: accounts.security.users,
      session,
      by: callerOf(session),
      may,
      signedIn,
    }
  }

  const events = async (store: Store, event: string, target: string) => {
    const { auditEvents: rows } = store.tables
    return store.db
      .select()
      .from(rows)
      .where(and(eq(rows.event, event), eq(rows.target, target)))
  }

  it('lists everybody with factors, sessions and invitations', async () => {
    const { users, may, signIn, addUser, enrol, clock } = await start()
    const bob = await addUser('Bob')
    await enrol((await signIn(bob, browser('bob'))).session)
    await signIn(await addUser('Cyd', 'operator'), browser('cyd'))
    const { userId, expiresAt } = await users.invite(invitation, await may('inviteUser', invitation))
    const list = await users.list()
    expect(list.map(({ name }) => name)).toEqual(['Ana', 'Bob', 'Cyd', 'Ines'])
    expect(list[0]).toMatchObject({ role: 'admin', state: 'active', factors: [], sessions: 1 })
    expect(list[1]).toMatchObject({ factors: ['totp', 'backup-code'], sessions: 1, invitedUntil: null })
    expect(list[3]).toEqual({
      ...{ id: userId, ...invitation, state: 'invited', factors: [], sessions: 0, invitedUntil: expiresAt },
      ...{ mustChangePassword: false, createdAt: clock.now(), lastSignInAt: null },
    })
    expect(JSON.stringify(list)).not.toContain('argon2')
    clock.pass(72 * 3_600_000)
    expect((await users.list())[3]).toMatchObject({ state: 'invited', invitedUntil: null })
  })

  it('invites an address once, however it is spelled and however many ask at once', async () => {
    const { users, may } = await start()
    const inputs = Array.from({ length: 8 }, (_, at) => ({
      ...invitation,
      email: at % 2 ? 'Ines@Example.org' : 'ines@example.org',
    }))
    const uses = await Promise.all(inputs.map((input) => may('inviteUser', input)))
    const tries = await Promise.allSettled(
      inputs.map((input, at) => users.invite(input, uses[at] ?? { by: system, grantId: null })),
    )
    expect(tries.filter((each) => each.status === 'fulfilled')).toHaveLength(1)
    for (const each of tries) if (each.status === 'rejected') expect(each.reason).toEqual(code('CONFLICT'))
    const taken = { ...invitation, email: 'ANA@example.org' }
    await expect(users.invite(taken, await may('inviteUser', taken))).rejects.toEqual(code('CONFLICT'))
  })

  it('withdraws an invitation, which frees the address, and nothing but an invitation', async () => {
    const { store, users, may, by, addUser } = await start()
    const { userId } = await users.invite(invitation, await may('inviteUser', invitation))
    await users.withdrawInvite({ userId }, by)
    expect(await events(store, 'user_invitation_withdrawn', userId)).toHaveLength(1)
    await expect(users.withdrawInvite({ userId }, by)).rejects.toEqual(code('NOT_FOUND'))
    await expect(users.invite(invitation, await may('inviteUser', invitation))).resolves.toBeDefined()
    const bob = await addUser('Bob')
    await expect(users.withdrawInvite(bob, by)).rejects.toEqual(code('CONFLICT'))
    const input = { userId: bob.userId }
    await expect(users.renewInvite(input, await may('renewInvite', input))).rejects.toEqual(code('CONFLICT'))
  })

  it.each(Object.entries(privileged))(
    'does nothing for %s without a grant of its own',
    async (action, act) => {
      const { store, users, by, granted, session, addUser } = await start()
      const { userId } = await addUser('Bob', 'operator')
      const before = await users.list()
      const inputs = { 'security.inviteUser': invitation, 'security.setRole': { userId, role: 'operator' } }
      const input = inputs[action as keyof typeof inputs] ?? { userId }
      const uses = [
        { by, grantId: null },
        { by, grantId: 'made up' },
        await granted(session, 'security.other', input),
        await granted(session, action, { ...input, userId: 'another' }),
        await granted({ ...session, sessionId: 'another' }, action, input).then(({ grantId }) => ({
          by,
          grantId,
        })),
      ]
      for (const use of uses) await expect(act(users, userId, use)).rejects.toEqual(code('STEP_UP_REQUIRED'))
      expect(await users.list()).toEqual(before)
      expect(await store.db.select().from(store.tables.oneTimeTokens)).toEqual([])
    },
  )

  it('uses a grant up, and keeps it when the action failed', async () => {
    const { users, may, addUser } = await start()
    const { userId } = await addUser('Bob')
    const input = { userId, role: 'operator' as const }
    const use = await may('setRole', input)
    await users.setRole(input, use)
    await expect(users.setRole(input, use)).rejects.toEqual(code('STEP_UP_REQUIRED'))
    const enable = await may('enableUser', { userId })
    await expect(users.enable({ userId }, enable)).rejects.toEqual(code('CONFLICT'))
    await users.disable({ userId }, await may('disableUser', { userId }))
    await expect(users.enable({ userId }, enable)).resolves.toBeUndefined()
  })

  it('changes a role at once, and says from what to what', async () => {
    const { store, security, users, may, signIn, addUser } = await start()
    const bob = await addUser('Bob')
    const { accessToken } = await signIn(bob, browser('bob'))
    const input = { userId: bob.userId, role: 'operator' as const }
    await users.setRole(input, await may('setRole', input))
    await users.setRole(input, await may('setRole', input))
    const session = await security.authenticate(bearer(accessToken), '198.51.100.7')
    expect(session?.role).toBe('operator')
    expect(session?.permissions).toContain('database:operate')
    expect(await events(store, 'privilege_permissions_changed', bob.userId)).toMatchObject([
      { before: '{"role":"viewer"}', after: '{"role":"operator"}' },
    ])
  })

  it('shuts a user out at once, and lets him in again with new sessions only', async () => {
    const { security, users, may, signIn, addUser, ended, store } = await start()
    const bob = await addUser('Bob')
    const { accessToken, refreshToken = '', session } = await signIn(bob, browser('bob'))
    const input = { userId: bob.userId }
    await users.disable(input, await may('disableUser', input))
    expect(ended).toEqual([session.sessionId])
    const alive = () => security.authenticate(bearer(accessToken), '198.51.100.7')
    expect(await alive()).toBeNull()
    await expect(security.sessions.refresh(refreshToken, browser('bob'))).rejects.toEqual(
      code('SESSION_ENDED'),
    )
    await expect(signIn(bob, browser('bob'))).rejects.toEqual(code('WRONG_CREDENTIALS'))
    await users.enable(input, await may('enableUser', input))
    expect(await alive()).toBeNull()
    await expect(signIn(bob, browser('bob'))).resolves.toBeDefined()
    for (const event of ['user_disabled', 'user_enabled']) {
      expect(await events(store, event, bob.userId)).toHaveLength(1)
    }
  })

  it('takes all factors away, and the password, each with the sessions', async () => {
    const { store, security, users, may, signIn, addUser, enrol, ended } = await start()
    const bob = await addUser('Bob')
    const first = await signIn(bob, browser('bob'))
    await enrol(first.session)
    const pending = await security.signIn(bob, browser('bob'))
    const input = { userId: bob.userId }
    await users.resetFactor(input, await may('resetFactor', input))
    expect(ended).toEqual([first.session.sessionId])
    const { totpFactors, passkeys, backupCodes, challenges } = store.tables
    for (const table of [totpFactors, passkeys, backupCodes, challenges]) {
      expect(await store.db.select().from(table)).toEqual([])
    }
    if (pending.state !== 'factor') throw new Error('no factor was asked for')
    const late = security.verify(pending.asked.challenge, { code: '000000' }, browser('bob'))
    await expect(late).rejects.toEqual(code('CHALLENGE_OVER'))
    expect(await events(store, 'authn_factor_reset', bob.userId)).toMatchObject([
      {
        before: JSON.stringify({ authenticatorApps: 1, backupCodes: 10, email: bob.email, securityKeys: [] }),
      },
    ])
    const second = await signIn(bob, browser('bob'))
    await users.resetPassword(input, await may('resetPassword', input))
    expect(ended).toContain(second.session.sessionId)
    await expect(signIn(bob, browser('bob'))).rejects.toEqual(code('WRONG_CREDENTIALS'))
  })

  it('refuses what somebody asks who is an admin no longer', async () => {
    const { users, may, addUser, signIn, granted } = await start()
    const cyd = await addUser('Cyd', 'admin')
    const bob = await addUser('Bob')
    const { session } = await signIn(cyd, browser('cyd'))
    const input = { userId: bob.userId, role: 'admin' as const }
    const use = await granted(session, 'security.setRole', input)
    const demotion = { userId: cyd.userId, role: 'operator' as const }
    await users.setRole(demotion, await may('setRole', demotion))
    await expect(users.setRole(input, use)).rejects.toEqual(code('FORBIDDEN'))
    await expect(users.requirePasswordChange(bob, callerOf(session))).rejects.toEqual(code('FORBIDDEN'))
  })
})
