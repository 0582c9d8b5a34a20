import { eq } from 'drizzle-orm'
import { expect, it } from 'vitest'
import type { Store } from '@/db/store'
import { describeStores } from '@/db/testing/stores'
import { isHoldfastError } from '@/server/errors'
import { openLog } from '@/server/log'
import { openPasswords } from '../passwords/passwords'
import { ana, browser, callerOf, openAccounts, testVault } from '../testing/accounts'
import type { Credentials, FactorProver } from '../types'
import { openSignIn } from './sign-in'

const wrong = { email: ana.email, password: 'not the right password' }
const right = { email: ana.email, password: ana.password }

/** What a client learns of a refusal. */
async function refusal(work: Promise<unknown>) {
  try {
    await work
  } catch (error) {
    if (!isHoldfastError(error)) throw error
    const { code, message, remedy, retryAfterMs, details } = error
    return { code, message, remedy, retryAfterMs, details }
  }
  return null
}

describeStores((open) => {
  async function start(config = {}) {
    const store = await open()
    const accounts = await openAccounts(store, config)
    const attempt = (credentials: Credentials, client = browser()) =>
      refusal(accounts.security.signIn(credentials, client))
    return { store, ...accounts, attempt }
  }

  const events = async (store: Store, event: string) => {
    const { auditEvents } = store.tables
    return store.db.select().from(auditEvents).where(eq(auditEvents.event, event))
  }

  it('signs in by a password, however the address is spelled', async () => {
    const { security, store, userId } = await start()
    const client = browser()
    const result = await security.signIn({ ...right, email: ' ANA@Example.org ' }, client)
    expect(result).toMatchObject({ state: 'signed-in', signedIn: { session: { userId, methods: ['pwd'] } } })
    expect(await events(store, 'authn_login_success')).toMatchObject([{ actorId: userId, actor: ana.email }])
  })

  it('answers the same for everybody whom it does not let in, and writes an event for each', async () => {
    const { store, attempt, addUser, signIn, granted, security } = await start()
    const admin = await signIn()
    const bob = await addUser('Bob')
    await addUser('Cyd', 'admin')
    await security.users.disable(
      { userId: bob.userId },
      await granted(admin.session, 'security.disableUser', { userId: bob.userId }),
    )
    const invitation = { email: 'ines@example.org', name: 'Ines', role: 'viewer' as const }
    await security.users.invite(invitation, await granted(admin.session, 'security.inviteUser', invitation))

    const answers = [
      await attempt(wrong),
      await attempt({ email: 'nobody@example.org', password: ana.password }),
      await attempt({ email: bob.email, password: bob.password }),
      await attempt({ email: bob.email, password: 'wrong' }),
      await attempt({ email: 'ines@example.org', password: ana.password }),
    ]
    expect(answers[0]).toMatchObject({ code: 'WRONG_CREDENTIALS' })
    for (const answer of answers) expect(answer).toEqual(answers[0])
    const failures = await events(store, 'authn_login_fail')
    expect(failures.map(({ actor, reason }) => [actor, reason])).toEqual([
      [ana.email, 'wrong password'],
      ['nobody@example.org', 'unknown user'],
      [bob.email, 'user disabled'],
      [bob.email, 'user disabled'],
      ['ines@example.org', 'user invited'],
    ])
  })

  it('lets five of 100 parallel attempts at limit 5 reach hashing', async () => {
    const { store, clock, security } = await start()
    const real = openPasswords()
    let hashed = 0
    const passwords: typeof real = {
      hash: real.hash,
      verify(hash, password) {
        hashed++
        return real.verify(hash, password)
      },
    }
    const { sessions, watch } = security
    // Nobody gets as far as a factor here.
    const factors = security.factors as unknown as FactorProver
    const signIns = openSignIn(
      {
        ...{ store, clock, passwords, factors, sessions, vault: testVault, log: openLog('error') },
        watch: { watch, ended: () => {}, start: () => {}, close: async () => {} },
      },
      { attempts: { most: 5, windowMs: 900_000, blockMs: 3_600_000 } },
    )
    for (const email of [ana.email, 'nobody@example.org']) {
      hashed = 0
      const answers = await Promise.all(
        Array.from({ length: 100 }, () => refusal(signIns.signIn({ email, password: 'wrong' }, browser()))),
      )
      expect(hashed).toBe(5)
      expect(answers.filter((answer) => answer?.code === 'WRONG_CREDENTIALS')).toHaveLength(5)
      expect(answers.filter((answer) => answer?.code === 'TOO_MANY_REQUESTS')).toHaveLength(95)
    }
    expect(await events(store, 'authn_login_lock')).toHaveLength(2)
  })

  it('blocks known and unknown accounts alike, the right password included, on every instance', async () => {
    const { attempt, another, clock, store } = await start({ maxLoginAttempts: 3 })
    for (let each = 0; each < 3; each++) {
      await attempt(wrong)
      await attempt({ ...wrong, email: 'nobody@example.org' })
    }
    const known = await attempt(right)
    expect(known).toMatchObject({ code: 'TOO_MANY_REQUESTS', retryAfterMs: 60_000 })
    expect(await attempt({ ...right, email: 'nobody@example.org' })).toEqual(known)
    expect(await refusal(another().signIn(right, browser()))).toEqual(known)
    expect(await events(store, 'authn_login_lock')).toMatchObject([
      { actor: ana.email, outcome: 'denied', after: JSON.stringify({ until: clock.now() + 60_000 }) },
      { actor: 'nobody@example.org', outcome: 'denied' },
    ])
    clock.pass(60_000)
    expect(await attempt(right)).toBeNull()
  })

  it('doubles the block each time, and forgets it after a success', async () => {
    const { attempt, clock } = await start({ maxLoginAttempts: 2, loginBlockMs: 180_000 })
    for (const minutes of [1, 2, 3, 3]) {
      await attempt(wrong)
      await attempt(wrong)
      expect(await attempt(right)).toMatchObject({ retryAfterMs: minutes * 60_000 })
      clock.pass(minutes * 60_000)
    }
    expect(await attempt(right)).toBeNull()
    await attempt(wrong)
    await attempt(wrong)
    expect(await attempt(right)).toMatchObject({ retryAfterMs: 60_000 })
  })

  it('counts an address alone with the account it tried, and an IPv6 network as one address', async () => {
    const { attempt } = await start({ maxLoginAttempts: 2 })
    for (const last of ['1', '2:3']) await attempt(wrong, browser('x', `2001:db8:1:2::${last}`))
    expect(await attempt(right, browser('x', '2001:db8:1:2:ffff::9'))).toMatchObject({
      code: 'TOO_MANY_REQUESTS',
    })
    expect(await attempt(right, browser('x', '2001:db8:1:3::9'))).toBeNull()
  })

  it('blocks an account that many addresses try, but not the devices its user is known by', async () => {
    const { attempt, signIn, store } = await start({ maxLoginAttempts: 5 })
    await signIn(ana, browser('ana-laptop', '198.51.100.7'))
    for (let each = 0; each < 20; each++) {
      const guess = await attempt(wrong, browser(`stranger-${each}`, `203.0.113.${each}`))
      expect(guess?.code).toBe('WRONG_CREDENTIALS')
      await attempt({ ...wrong, email: 'nobody@example.org' }, browser('stranger', `203.0.113.${each}`))
    }
    const stranger = browser('stranger', '203.0.113.200')
    const blocked = await attempt(right, stranger)
    expect(blocked).toMatchObject({ code: 'TOO_MANY_REQUESTS', retryAfterMs: 60_000 })
    expect(await attempt({ ...right, email: 'nobody@example.org' }, stranger)).toEqual(blocked)
    expect(await events(store, 'authn_login_lock')).toHaveLength(2)
    const elsewhere = browser('ana-laptop', '192.0.2.99')
    expect(await attempt(right, elsewhere)).toBeNull()
    // Her success lifts the block for everybody.
    expect(await attempt(right, stranger)).toBeNull()
  })

  it('does not let a stolen device cookie guess from many addresses without end', async () => {
    const { attempt, signIn } = await start({ maxLoginAttempts: 5 })
    await signIn(ana, browser('ana-laptop'))
    const codes: (string | undefined)[] = []
    for (let each = 0; each < 25; each++) {
      codes.push((await attempt(wrong, browser('ana-laptop', `203.0.113.${each}`)))?.code)
    }
    expect(codes.filter((code) => code === 'WRONG_CREDENTIALS')).toHaveLength(20)
    expect(codes.slice(20)).toEqual(Array(5).fill('TOO_MANY_REQUESTS'))
    expect(await attempt(right, browser('another', '192.0.2.1'))).toBeNull()
  })

  it('knows no program by what it calls itself', async () => {
    const { attempt, signIn } = await start({ maxLoginAttempts: 1 })
    const program = (address: string) => ({ by: browser('', address).by }) as ReturnType<typeof browser>
    await signIn(ana, program('198.51.100.7'))
    for (let each = 0; each < 4; each++) await attempt(wrong, program(`203.0.113.${each}`))
    expect(await attempt(right, program('192.0.2.1'))).toMatchObject({ code: 'TOO_MANY_REQUESTS' })
  })

  it('asks for the second factor after the right password, and forgets failures only after it', async () => {
    const { security, signIn, enrol, attempt, clock, userId } = await start({ maxLoginAttempts: 3 })
    const app = await enrol((await signIn()).session)
    await attempt(wrong)
    const client = browser()
    const result = await security.signIn(right, client)
    if (result.state !== 'factor') throw new Error('no factor was asked for')
    expect(result.asked.factors).toContain('totp')
    await attempt(wrong)
    expect(await attempt(wrong)).toMatchObject({ code: 'TOO_MANY_REQUESTS' })
    const signedIn = await security.verify(result.asked.challenge, { code: app.code() }, client)
    expect(signedIn.session).toMatchObject({ userId, methods: ['pwd', 'otp'] })
    expect(
      await refusal(security.verify(result.asked.challenge, { code: app.code() }, client)),
    ).toMatchObject({
      code: 'CHALLENGE_OVER',
    })
    clock.pass(1_000)
    expect(await attempt(wrong)).toMatchObject({ code: 'WRONG_CREDENTIALS' })
  })

  it('signs nobody in whose password changed between the password and the factor', async () => {
    const { security, signIn, enrol, granted, userId } = await start()
    const { session } = await signIn()
    const app = await enrol(session)
    const begin = async () => {
      const result = await security.signIn(right, browser())
      if (result.state !== 'factor') throw new Error('no factor was asked for')
      return result.asked.challenge
    }
    const finish = (challenge: string) => refusal(security.verify(challenge, { code: app.code() }, browser()))

    const changed = await begin()
    const fresh = { current: ana.password, password: 'seven grey boats in the fog' }
    await security.account.changePassword(session, fresh, callerOf(session))
    expect(await finish(changed)).toMatchObject({ code: 'WRONG_CREDENTIALS' })
    const back = { current: fresh.password, password: ana.password }
    await security.account.changePassword(session, back, callerOf(session))

    const reset = await begin()
    await security.users.resetPassword(
      { userId },
      await granted(session, 'security.resetPassword', { userId }),
    )
    expect(await finish(reset)).toMatchObject({ code: 'CHALLENGE_OVER' })
  })
})
