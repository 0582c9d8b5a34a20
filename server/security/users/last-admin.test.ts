import { and, eq } from 'drizzle-orm'
import { expect, it } from 'vitest'
import type { Store } from '@/db/store'
import { describeStores } from '@/db/testing/stores'
import { browser, openAccounts } from '../testing/accounts'

const code = (expected: string) => expect.objectContaining({ name: 'HoldfastError', code: expected })
const rounds = 25

describeStores((open) => {
  async function start(others: number) {
    const store = await open({ connections: 10 })
    const accounts = await openAccounts(store)
    const { signIn, addUser } = accounts
    const admins = [(await signIn()).session]
    for (let at = 0; at < others; at++) {
      const user = await addUser(`Admin${at}`, 'admin')
      admins.push((await signIn(user, browser(user.name))).session)
    }
    const [first, second] = admins
    if (!first || !second) throw new Error('two admins are needed')
    return { store, ...accounts, users: accounts.security.users, admins, first, second }
  }

  async function activeAdmins(store: Store): Promise<number> {
    const { users } = store.tables
    const rows = await store.db
      .select()
      .from(users)
      .where(and(eq(users.role, 'admin'), eq(users.state, 'active')))
    return rows.length
  }

  /** Puts everybody back, so that a round begins with all admins and their sessions. */
  async function restore(store: Store): Promise<void> {
    const { users, sessions } = store.tables
    await store.db.update(users).set({ role: 'admin', state: 'active' })
    await store.db.update(sessions).set({ endedAt: null })
  }

  it('can be neither demoted nor disabled', async () => {
    const { users, granted, first, second } = await start(1)
    const demote = { userId: second.userId, role: 'viewer' as const }
    await users.setRole(demote, await granted(first, 'security.setRole', demote))
    const self = { userId: first.userId }
    const role = { ...self, role: 'operator' as const }
    await expect(users.setRole(role, await granted(first, 'security.setRole', role))).rejects.toEqual(
      code('LAST_ADMIN'),
    )
    await expect(users.disable(self, await granted(first, 'security.disableUser', self))).rejects.toEqual(
      code('LAST_ADMIN'),
    )
  })

  it('is not counted among those who are disabled or only invited', async () => {
    const { users, granted, first, second } = await start(1)
    const other = { userId: second.userId }
    await users.disable(other, await granted(first, 'security.disableUser', other))
    const ines = { email: 'ines@example.org', name: 'Ines', role: 'admin' as const }
    const { userId } = await users.invite(ines, await granted(first, 'security.inviteUser', ines))
    const step = { userId: first.userId, role: 'viewer' as const }
    await expect(users.setRole(step, await granted(first, 'security.setRole', step))).rejects.toEqual(
      code('LAST_ADMIN'),
    )
    for (const each of [userId, second.userId]) {
      const change = { userId: each, role: 'viewer' as const }
      await users.setRole(change, await granted(first, 'security.setRole', change))
    }
  })

  it('may step down as soon as there is another', async () => {
    const { store, users, granted, first } = await start(1)
    const step = { userId: first.userId, role: 'viewer' as const }
    await users.setRole(step, await granted(first, 'security.setRole', step))
    expect(await activeAdmins(store)).toBe(1)
  })

  it.each(['demote', 'disable', 'step down'])(
    `stays when two admins %s at once, ${rounds} times`,
    async (how) => {
      const { store, users, granted, first, second } = await start(1)
      for (let round = 0; round < rounds; round++) {
        await restore(store)
        const pairs =
          how === 'step down'
            ? [
                [first, first],
                [second, second],
              ]
            : [
                [first, second],
                [second, first],
              ]
        const tries = await Promise.allSettled(
          pairs.map(async ([actor = first, target = second]) => {
            const user = { userId: target.userId }
            if (how === 'disable')
              return users.disable(user, await granted(actor, 'security.disableUser', user))
            const input = { ...user, role: 'viewer' as const }
            return users.setRole(input, await granted(actor, 'security.setRole', input))
          }),
        )
        expect(tries.filter((each) => each.status === 'fulfilled')).toHaveLength(1)
        for (const each of tries) {
          if (each.status === 'rejected') expect(['LAST_ADMIN', 'FORBIDDEN']).toContain(each.reason.code)
        }
        expect(await activeAdmins(store)).toBe(1)
      }
    },
  )

  it('stays when six admins demote and disable each other in a circle', async () => {
    const { store, users, granted, admins, first } = await start(5)
    for (let round = 0; round < 10; round++) {
      await restore(store)
      await Promise.allSettled(
        admins.flatMap((actor, at) => {
          const target = admins[(at + 1) % admins.length] ?? first
          const user = { userId: target.userId }
          const input = { ...user, role: 'viewer' as const }
          return [
            granted(actor, 'security.disableUser', user).then((use) => users.disable(user, use)),
            granted(actor, 'security.setRole', input).then((use) => users.setRole(input, use)),
          ]
        }),
      )
      expect(await activeAdmins(store)).toBeGreaterThanOrEqual(1)
    }
  })
})
