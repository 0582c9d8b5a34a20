import { expect, it } from 'vitest'
import { describeStores } from '@/db/testing/stores'
import { isHoldfastError } from '@/server/errors'
import { openPasswords } from '../passwords/passwords'
import { browser, openAccounts } from '../testing/accounts'

/** Samples of each kind; 510 in all on each dialect. */
const rounds = 170

describeStores((open) => {
  it('takes as long for unknown users as for wrong passwords and disabled users', {
    timeout: 300_000,
  }, async () => {
    const { security, addUser, signIn, granted } = await openAccounts(
      await open(),
      { maxLoginAttempts: 10_000 },
      openPasswords(),
    )
    const { session } = await signIn()
    const bob = await addUser('Bob')
    const input = { userId: (await addUser('Cyd')).userId }
    await security.users.disable(input, await granted(session, 'security.disableUser', input))
    const attempts = {
      unknown: (round: number) => ({ email: `nobody-${round}@example.org`, password: bob.password }),
      wrong: () => ({ email: bob.email, password: 'not the right password' }),
      // With the right password: nothing may tell that it would be right.
      disabled: () => ({ email: 'cyd@example.org', password: bob.password }),
    }
    const times = { unknown: [] as number[], wrong: [] as number[], disabled: [] as number[] }
    const kinds = Object.keys(times) as (keyof typeof times)[]
    for (let round = 0; round < rounds; round++) {
      // Interleaved, each kind in each place: what else runs on the machine hits all of them alike.
      for (let place = 0; place < kinds.length; place++) {
        const kind = kinds[(round + place) % kinds.length] ?? 'wrong'
        const begin = performance.now()
        const refused = await security.signIn(attempts[kind](round), browser()).catch((error) => error)
        times[kind].push(performance.now() - begin)
        expect(isHoldfastError(refused) && refused.code).toBe('WRONG_CREDENTIALS')
      }
    }
    const medians = kinds.map((kind) => median(times[kind]))
    const shown = kinds.map((kind, at) => `${kind} ${medians[at]?.toFixed(2)} ms`).join(', ')
    // A path without its hash takes less than a tenth; what a loaded machine does to medians stays far below this.
    expect(Math.max(...medians) / Math.min(...medians), shown).toBeLessThan(1.3)
  })
})

function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}
