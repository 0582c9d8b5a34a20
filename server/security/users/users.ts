import type { Store } from '@/db/store'
import type { Clock } from '@/server/clock'
import type { Security } from '..'
import { requireGoodPassword } from '../passwords/password-rules'
import type { Passwords } from '../passwords/passwords'
import { endAndTell } from '../sessions/session-end'
import type { OneTimeLink, SessionWatch, Users } from '../types'
import { linkOf, newLinkToken } from './links'
import { plainEmail } from './plain-email'
import { createUser } from './set-up'
import { disableUser, enableUser, requireNewPassword, setRole } from './user-change'
import { inviteUser, renewInvitation, withdrawInvitation } from './user-invite'
import { findUsers, listUsers } from './user-list'
import { resetFactor, resetFactorHere, resetPassword, resetPasswordHere } from './user-recovery'

interface Deps {
  store: Store
  clock: Clock
  passwords: Passwords
  watch: SessionWatch
}

/** Opens what admins do with users, and what the machine's command line does without a grant. */
export function openUsers(
  { store, clock, passwords, watch }: Deps,
  { url }: { url: string },
): Users & { machine: Security['machine'] } {
  /** Runs what makes a link: the token is made here, and the unit gets nothing but its hash. */
  async function linked<O extends { expiresAt: number }>(
    run: (linkHash: string) => Promise<O>,
  ): Promise<O & OneTimeLink> {
    const { token, hash } = newLinkToken()
    return { ...(await run(hash)), link: linkOf(url, token) }
  }

  function told({ ended, ...link }: OneTimeLink & { ended: string[] }): OneTimeLink {
    watch.ended(ended)
    return link
  }

  return {
    list: () => listUsers({ store }, clock.now()),
    find: (text, limit) => findUsers(store, text, limit),
    invite: (input, use) =>
      linked((linkHash) => store.run(inviteUser, { input, linkHash, ...use, now: clock.now() })),
    renewInvite: (input, use) =>
      linked((linkHash) => store.run(renewInvitation, { input, linkHash, ...use, now: clock.now() })),
    withdrawInvite: ({ userId }, by) => store.run(withdrawInvitation, { userId, by, now: clock.now() }),
    setRole: (input, use) => store.run(setRole, { input, ...use, now: clock.now() }),
    async disable(input, use) {
      watch.ended(await store.run(disableUser, { input, ...use, now: clock.now() }))
    },
    enable: (input, use) => store.run(enableUser, { input, ...use, now: clock.now() }),
    requirePasswordChange: ({ userId }, by) =>
      store.run(requireNewPassword, { userId, by, now: clock.now() }),
    resetPassword: async (input, use) =>
      told(
        await linked((linkHash) => store.run(resetPassword, { input, linkHash, ...use, now: clock.now() })),
      ),
    async resetFactor(input, use) {
      watch.ended(await store.run(resetFactor, { input, ...use, now: clock.now() }))
    },

    machine: {
      async createUser({ email, name, role, password }, by) {
        await requireGoodPassword(password, { email, name })
        const passwordHash = await passwords.hash(password)
        const user = { email: plainEmail(email), name, role, passwordHash }
        return store.run(createUser, { user, by, now: clock.now() })
      },
      resetPassword: async ({ email }, by) =>
        told(
          await linked((linkHash) =>
            store.run(resetPasswordHere, { email: plainEmail(email), linkHash, by, now: clock.now() }),
          ),
        ),
      async resetFactor({ email }, by) {
        watch.ended(await store.run(resetFactorHere, { email: plainEmail(email), by, now: clock.now() }))
      },
      endSessions: (by) =>
        endAndTell({ store, clock, watch }, { which: 'everybody', reason: 'restored', by }),
    },
  }
}
