import { eq, isNull } from 'drizzle-orm'
import { expect, it } from 'vitest'
import { describeStores } from '@/db/testing/stores'
import { ana, browser, callerOf, openAccounts } from '../testing/accounts'
import { openAuthenticator } from '../testing/authenticator'
import { totpCode } from '../testing/totp'
import type { SessionInfo } from '../types'
import { freshSignIn } from './enrolment-guard'
import { enrolmentLife } from './totp-enrolment'

const failure = (code: string, more: Record<string, unknown> = {}) =>
  expect.objectContaining({ name: 'HoldfastError', code, ...more })
const over = failure('CHALLENGE_OVER')

describeStores((open) => {
  async function start() {
    const store = await open({ connections: 20 })
    const accounts = await openAccounts(store, { maxLoginAttempts: 5 })
    const { security, clock } = accounts
    const { session } = await accounts.signIn()
    const { factors } = security
    const begin = (of: SessionInfo = session, password?: string) =>
      factors.beginTotp(of, { password }, { by: callerOf(of), grantId: null })
    const activate = (of: SessionInfo, factorId: string, code: string) =>
      factors.activateTotp(of, { factorId, code }, callerOf(of))
    /** The code that an app shows some seconds from now. */
    const codeAt = (secret: string, seconds = 0) => totpCode(secret, clock.now() + seconds * 1000)
    const addPasskey = async (of: SessionInfo, grantId: string | null = null) => {
      const by = callerOf(of)
      const { options } = await factors.beginPasskey(of, {}, { by, grantId })
      const response = openAuthenticator('http://localhost:3000').create(options)
      return factors.addPasskey(of, { name: 'Laptop', response }, by)
    }
    const events = async (name: string) =>
      store.db.select().from(store.tables.auditEvents).where(eq(store.tables.auditEvents.event, name))
    return { ...accounts, store, session, factors, begin, activate, codeAt, addPasskey, events }
  }

  it('shows a user without factors as such', async () => {
    const { factors, session, signIn, addUser } = await start()
    const nothing = { totp: null, passkeys: [], backupCodes: null, passwordNeeded: false }
    expect(await factors.state(session)).toEqual({ ...nothing, required: true })
    const { session: bens } = await signIn(await addUser('Ben'))
    expect(await factors.state(bens)).toEqual({ ...nothing, required: false })
  })

  it('activates an app by its code, brings ten backup codes and makes the session one with a factor', async () => {
    const { factors, session, begin, activate, codeAt, clock, security, store, events } = await start()
    const { factorId, secret, uri } = await begin()
    expect(uri).toBe(`otpauth://totp/Holdfast:ana%40example.org?secret=${secret}&issuer=Holdfast`)
    const enrolled = await activate(session, factorId, codeAt(secret))
    expect(enrolled).toEqual({ backupCodes: expect.any(Array), drift: 0, ended: 0 })
    expect(new Set(enrolled.backupCodes).size).toBe(10)
    expect(await factors.state(session)).toEqual({
      totp: { since: clock.now(), lastUsedAt: null },
      passkeys: [],
      backupCodes: { remaining: 10, total: 10, madeAt: clock.now() },
      ...{ required: true, passwordNeeded: false },
    })
    const [entry] = await security.account.sessions(session)
    expect(entry?.methods).toEqual(['pwd', 'otp'])
    const stored = JSON.stringify(await store.db.select().from(store.tables.backupCodes))
    for (const code of enrolled.backupCodes ?? []) expect(stored).not.toContain(code.replaceAll('-', ''))
    const [event] = await events('authn_factor_enrolled')
    expect(JSON.parse(event?.after ?? '{}')).toMatchObject({ factor: 'totp' })
  })

  it('tells the drift of an accepted code, and of one that is too far off', async () => {
    const { session, begin, activate, codeAt } = await start()
    const { factorId, secret } = await begin()
    await expect(activate(session, factorId, codeAt(secret, -120))).rejects.toEqual(
      failure('WRONG_CODE', { details: { drift: -120 }, message: expect.stringContaining('120 s behind') }),
    )
    await expect(activate(session, factorId, '12345')).rejects.toEqual(failure('WRONG_CODE'))
    expect(await activate(session, factorId, codeAt(secret, -60))).toMatchObject({ drift: -60 })
  })

  it('asks for no factor before the app was confirmed', async () => {
    const { begin, signIn, factors } = await start()
    await begin()
    const { session } = await signIn(ana, browser('other'))
    expect(session.methods).toEqual(['pwd'])
    expect((await factors.state(session)).totp).toBeNull()
  })

  it('asks for the password when the sign-in is more than ten minutes ago', async () => {
    const { factors, session, begin, clock, events } = await start()
    clock.pass(freshSignIn + 1)
    expect((await factors.state(session)).passwordNeeded).toBe(true)
    await expect(begin()).rejects.toEqual(failure('BAD_INPUT', { details: { passwordNeeded: true } }))
    await expect(begin(session, 'a wrong long password')).rejects.toEqual(failure('WRONG_CREDENTIALS'))
    expect((await events('authn_step_up_fail')).map(({ reason }) => reason)).toEqual(['wrong password'])
    await begin(session, ana.password)
    const by = callerOf(session)
    const passkey = (password?: string) => factors.beginPasskey(session, { password }, { by, grantId: null })
    await expect(passkey()).rejects.toEqual(failure('BAD_INPUT'))
    await passkey(ana.password)
  })

  it('lets a password be tried five times, also by 30 at once', async () => {
    const { session, begin, clock, events } = await start()
    clock.pass(freshSignIn + 1)
    const tries = await Promise.allSettled(Array.from({ length: 30 }, () => begin(session, 'wrong password')))
    const codes = tries.map((each) => (each.status === 'rejected' ? each.reason.code : 'begun'))
    expect(codes.filter((code) => code === 'WRONG_CREDENTIALS')).toHaveLength(5)
    expect(codes.filter((code) => code === 'TOO_MANY_REQUESTS')).toHaveLength(25)
    expect(await events('authn_login_lock')).toHaveLength(1)
    await expect(begin(session, ana.password)).rejects.toEqual(failure('TOO_MANY_REQUESTS'))
  })

  it('ends the user’s sessions without a factor, and no other ones', async () => {
    const { signIn, addUser, begin, activate, codeAt, session, ended } = await start()
    const weak = await signIn(ana, browser('phone'))
    await signIn(await addUser('Ben'), browser('bens'))
    const { factorId, secret } = await begin()
    expect(await activate(session, factorId, codeAt(secret))).toMatchObject({ ended: 1 })
    expect(ended).toEqual([weak.session.sessionId])
  })

  it('leaves no session without a factor, however sign-ins and the enrolment cross', async () => {
    const { signIn, begin, activate, codeAt, session, store } = await start()
    const { factorId, secret } = await begin()
    const code = codeAt(secret)
    const signIns = Array.from({ length: 4 }, (_, each) => signIn(ana, browser(`device-${each}`)))
    const enrolment = activate(session, factorId, code)
    await Promise.allSettled([...signIns, enrolment])
    await enrolment
    const { sessions } = store.tables
    const live = await store.db.select().from(sessions).where(isNull(sessions.endedAt))
    expect(live.map(({ id, methods }) => ({ id, methods }))).toEqual([
      { id: session.sessionId, methods: ['pwd', 'otp'] },
    ])
  })

  it('activates once of ten at once', async () => {
    const { session, begin, activate, codeAt, store } = await start()
    const { factorId, secret } = await begin()
    const code = codeAt(secret)
    const tries = await Promise.allSettled(
      Array.from({ length: 10 }, () => activate(session, factorId, code)),
    )
    const won = tries.filter((each) => each.status === 'fulfilled')
    expect(won).toHaveLength(1)
    expect(won[0]?.value.backupCodes).toHaveLength(10)
    expect(await store.db.select().from(store.tables.backupCodes)).toHaveLength(10)
  })

  it('lets an enrolment wait for half an hour, and the next one replace it', async () => {
    const { session, begin, activate, codeAt, clock, store } = await start()
    const first = await begin()
    const second = await begin()
    await expect(activate(session, first.factorId, codeAt(first.secret))).rejects.toEqual(over)
    clock.pass(enrolmentLife)
    await expect(activate(session, second.factorId, codeAt(second.secret))).rejects.toEqual(over)
    expect(await store.db.select().from(store.tables.totpFactors)).toHaveLength(1)
  })

  it('activates nothing for another user', async () => {
    const { signIn, addUser, begin, activate, codeAt } = await start()
    const { factorId, secret } = await begin()
    const { session: bens } = await signIn(await addUser('Ben'))
    await expect(activate(bens, factorId, codeAt(secret))).rejects.toEqual(over)
  })

  it('voids an enrolment that was begun before there was a factor', async () => {
    const { session, signIn, begin, activate, codeAt, addPasskey, factors } = await start()
    const { factorId, secret } = await begin()
    const by = callerOf(session)
    const { options } = await factors.beginPasskey(session, {}, { by, grantId: null })
    await addPasskey(session)
    await expect(activate(session, factorId, codeAt(secret))).rejects.toEqual(over)
    const response = openAuthenticator('http://localhost:3000').create(options)
    await expect(factors.addPasskey(session, { name: 'Late', response }, by)).rejects.toEqual(over)
    await expect(signIn(ana, browser('other'))).rejects.toThrow('asked for a factor')
  })

  it('replaces the app after a step-up: the former one’s codes stop, the backup codes stay', async () => {
    const { session, enrol, granted, factors, activate, codeAt, security } = await start()
    const former = await enrol(session)
    const use = await granted(session, 'account.beginTotp', {})
    const { factorId, secret } = await factors.beginTotp(session, {}, use)
    const challenge = async () => {
      const result = await security.signIn(ana, browser())
      if (result.state !== 'factor') throw new Error('No factor is asked for.')
      return result.asked.challenge
    }
    await security.verify(await challenge(), { code: former.code() }, browser())
    const replaced = await activate(session, factorId, codeAt(secret))
    expect(replaced).toEqual({ backupCodes: null, drift: 0, ended: 0 })
    const old = security.verify(await challenge(), { code: former.code() }, browser())
    await expect(old).rejects.toEqual(failure('WRONG_CODE'))
    await security.verify(await challenge(), { code: codeAt(secret) }, browser())
    expect((await factors.state(session)).backupCodes?.remaining).toBe(10)
  })

  it('begins nothing for a session that has ended', async () => {
    const { session, security, begin } = await start()
    await security.account.endSession(session, session.sessionId, callerOf(session))
    await expect(begin()).rejects.toEqual(failure('SESSION_ENDED'))
  })
})
