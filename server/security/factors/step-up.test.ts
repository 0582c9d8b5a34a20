import { eq } from 'drizzle-orm'
import { expect, it } from 'vitest'
import { describeStores } from '@/db/testing/stores'
import { ana, bearer, browser, callerOf, openAccounts } from '../testing/accounts'
import { openAuthenticator } from '../testing/authenticator'
import { totpCode } from '../testing/totp'
import type { FactorProof, SessionInfo } from '../types'
import { challengeLife } from './challenges'

const failure = (code: string, more: Record<string, unknown> = {}) =>
  expect.objectContaining({ name: 'HoldfastError', code, ...more })
const wrongCode = failure('WRONG_CODE')
const over = failure('CHALLENGE_OVER')
const action = 'security.setRole'
const input = { userId: 'ben', role: 'admin' }

describeStores((open) => {
  async function start({ maxLoginAttempts = 1000 } = {}) {
    const store = await open({ connections: 20 })
    const accounts = await openAccounts(store, { maxLoginAttempts })
    const { security, clock } = accounts
    const first = await accounts.signIn()
    const { session } = first
    const stepUp = (proof: FactorProof | null, of: SessionInfo = session, on = security) =>
      on.stepUp(of, { action, input, proof }, callerOf(of))
    const addPasskey = async (of: SessionInfo = session) => {
      const use = await accounts.granted(of, 'account.beginPasskey', {})
      const { options } = await security.factors.beginPasskey(of, {}, use)
      const authenticator = openAuthenticator('http://localhost:3000')
      const response = authenticator.create(options)
      await security.factors.addPasskey(of, { name: 'Laptop', response }, use.by)
      return authenticator
    }
    const passkeyOptions = async (of: SessionInfo = session) => {
      const { passkey } = await security.stepUpOptions(of)
      if (!passkey) throw new Error('No passkey is asked for.')
      return passkey
    }
    const grants = () => store.db.select().from(store.tables.stepUpGrants)
    const last = async () => (await store.db.select().from(store.tables.auditEvents)).at(-1)
    const authenticates = async (token: string) => {
      const found = await security.authenticate(bearer(token), '198.51.100.7')
      return found !== null
    }
    return {
      ...{ ...accounts, store, first, session, stepUp, addPasskey, passkeyOptions, grants, last },
      ...{ authenticates, codeNow: (secret: string) => totpCode(secret, clock.now()) },
    }
  }

  it('leads a user without a factor to enrol one', async () => {
    const { stepUp, security, session, grants } = await start()
    expect(await security.stepUpOptions(session)).toEqual({ factors: [], passkey: null })
    const required = failure('FACTOR_REQUIRED', { remedy: expect.stringContaining('Enrol') })
    await expect(stepUp({ code: '123456' })).rejects.toEqual(required)
    await expect(stepUp(null)).rejects.toEqual(required)
    expect(await grants()).toEqual([])
  })

  it('makes a grant by a code, and tokens from before it stop working', async () => {
    const { enrol, session, first, stepUp, grants, authenticates, last } = await start()
    const app = await enrol(session)
    expect(await authenticates(first.accessToken)).toBe(true)
    const { grant, signedIn } = await stepUp({ code: app.code() })
    expect(await authenticates(first.accessToken)).toBe(false)
    expect(await authenticates(signedIn?.accessToken ?? '')).toBe(true)
    expect(signedIn?.session.sessionId).toBe(session.sessionId)
    expect(await grants()).toMatchObject([
      { id: grant.grantId, sessionId: session.sessionId, action, method: 'otp', usedAt: null },
    ])
    expect(await last()).toMatchObject({ event: 'authn_step_up_success', outcome: 'success' })
  })

  it('counts generations of its own session alone', async () => {
    const { enrol, session, signIn, addUser, stepUp, store } = await start()
    const { session: bens } = await signIn(await addUser('Ben'))
    const app = await enrol(session)
    await stepUp({ code: app.code() })
    await stepUp({ code: app.code() })
    const { sessions } = store.tables
    const generation = async (id: string) =>
      (await store.db.select().from(sessions).where(eq(sessions.id, id)))[0]?.generation
    expect(await generation(session.sessionId)).toBe(3)
    expect(await generation(bens.sessionId)).toBe(1)
  })

  it('makes one grant of 20 tries with the same code, over two instances', async () => {
    const { enrol, session, stepUp, security, another, grants } = await start()
    const app = await enrol(session)
    const code = app.code()
    const second = another()
    const tries = await Promise.allSettled(
      Array.from({ length: 20 }, (_, each) => stepUp({ code }, session, each % 2 ? second : security)),
    )
    expect(tries.filter((each) => each.status === 'fulfilled')).toHaveLength(1)
    expect(await grants()).toHaveLength(1)
  })

  it('takes no code that signed in, and signs in by none that stepped up', async () => {
    const { enrol, session, stepUp, security, codeNow, clock } = await start()
    const app = await enrol(session)
    const challenge = async () => {
      const result = await security.signIn(ana, browser('other'))
      if (result.state !== 'factor') throw new Error('No factor is asked for.')
      return result.asked.challenge
    }
    const code = app.code()
    await security.verify(await challenge(), { code }, browser('other'))
    await expect(stepUp({ code })).rejects.toEqual(wrongCode)
    clock.pass(30_000)
    const next = codeNow(app.secret)
    await stepUp({ code: next })
    const again = security.verify(await challenge(), { code: next }, browser('other'))
    await expect(again).rejects.toEqual(wrongCode)
  })

  it('accepts no backup code, and uses none up', async () => {
    const { enrol, session, stepUp, security, grants, last } = await start()
    const { enrolled } = await enrol(session)
    expect((await security.stepUpOptions(session)).factors).toEqual(['totp'])
    const [code = ''] = enrolled.backupCodes ?? []
    const message = 'A backup code is good for signing in only.'
    await expect(stepUp({ code })).rejects.toEqual(failure('WRONG_CODE', { message }))
    expect(await last()).toMatchObject({ event: 'authn_step_up_fail', reason: 'backup code' })
    expect((await security.factors.state(session)).backupCodes?.remaining).toBe(10)
    expect(await grants()).toEqual([])
  })

  it('shares the app’s lock with the sign-in: ten wrong codes, then none is compared', async () => {
    const { enrol, session, stepUp, clock, first, authenticates, store } = await start({
      maxLoginAttempts: 5,
    })
    const app = await enrol(session)
    const tries = await Promise.allSettled(Array.from({ length: 30 }, () => stepUp({ code: '000000' })))
    const codes = tries.map((each) => (each.status === 'rejected' ? each.reason.code : 'granted'))
    expect(codes.filter((code) => code === 'WRONG_CODE')).toHaveLength(10)
    expect(codes.filter((code) => code === 'TOO_MANY_REQUESTS')).toHaveLength(20)
    const { auditEvents } = store.tables
    const locks = await store.db.select().from(auditEvents).where(eq(auditEvents.event, 'authn_login_lock'))
    expect(locks).toMatchObject([{ outcome: 'denied', target: session.userId }])
    const locked = failure('TOO_MANY_REQUESTS', { retryAfterMs: expect.any(Number) })
    await expect(stepUp({ code: app.code() })).rejects.toEqual(locked)
    expect(await authenticates(first.accessToken)).toBe(true)
    clock.pass(60_000)
    await stepUp({ code: app.code() })
    await expect(stepUp({ code: '000000' })).rejects.toEqual(wrongCode)
  })

  it('makes a grant by a passkey, each challenge once and for its session', async () => {
    const { session, enrol, addPasskey, passkeyOptions, stepUp, security, clock, grants, granted, last } =
      await start()
    await enrol(session)
    const authenticator = await addPasskey()
    expect((await security.stepUpOptions(session)).factors).toEqual(['totp', 'passkey'])
    const answer = authenticator.get(await passkeyOptions())
    await stepUp({ passkey: answer })
    expect(await last()).toMatchObject({ event: 'authn_step_up_success' })
    await expect(stepUp({ passkey: answer })).rejects.toEqual(over)
    const late = authenticator.get(await passkeyOptions())
    clock.pass(challengeLife)
    await expect(stepUp({ passkey: late })).rejects.toEqual(over)
    const other = await security.signInByPasskey(
      authenticator.get((await security.passkeyOptions()).options),
      browser('other'),
    )
    const foreign = authenticator.get(await passkeyOptions(other.session))
    await expect(stepUp({ passkey: foreign })).rejects.toEqual(over)
    const stateless = authenticator.get((await security.passkeyOptions()).options)
    await expect(stepUp({ passkey: stateless })).rejects.toEqual(over)
    expect(await grants()).toHaveLength(2)
    const use = await granted(session, 'account.beginPasskey', {})
    const { challenge } = (await security.factors.beginPasskey(session, {}, use)).options
    const forEnrolment = authenticator.get({ challenge, rpId: 'localhost' })
    await expect(stepUp({ passkey: forEnrolment })).rejects.toEqual(over)
  })

  it.each([
    ['another site', { origin: 'https://example.org' }],
    ['another relying party', { rpId: 'example.org' }],
    ['a user who was not verified', { userVerified: false }],
    ['a forged signature', { forged: true }],
    ['a counter that went back', { counter: 0 }],
  ])('refuses a passkey with %s, and its challenge is over', async (_, deviation) => {
    const { session, enrol, addPasskey, passkeyOptions, stepUp, grants, last } = await start()
    await enrol(session)
    const authenticator = await addPasskey()
    await stepUp({ passkey: authenticator.get(await passkeyOptions()) })
    const options = await passkeyOptions()
    await expect(stepUp({ passkey: authenticator.get(options, deviation) })).rejects.toEqual(wrongCode)
    expect(await last()).toMatchObject({
      event: 'authn_step_up_fail',
      target: `session:${session.sessionId}`,
    })
    await expect(stepUp({ passkey: authenticator.get(options) })).rejects.toEqual(over)
    // One for the enrolment of the passkey, one for the right answer.
    expect(await grants()).toHaveLength(2)
  })

  it('asks for a proof', async () => {
    const { session, enrol, stepUp } = await start()
    await enrol(session)
    await expect(stepUp(null)).rejects.toEqual(failure('BAD_INPUT'))
  })

  it('lets an API key step up for the one action that it was made for', async () => {
    const { session, enrol, granted, security, grants, authenticates, first } = await start()
    await enrol(session)
    const key = { name: 'Nightly', permissions: ['security:manage' as const], days: 30, action }
    const use = await granted(session, 'security.createApiKey', key)
    const made = await security.apiKeys.create(session, key, use)
    const program = await security.authenticate(bearer(made.key), '198.51.100.9')
    if (!program) throw new Error('The key does not authenticate.')
    const by = callerOf(program)
    const { grant, signedIn } = await security.stepUp(program, { action, input, proof: null }, by)
    expect(signedIn).toBeNull()
    const rows = (await grants()).filter(({ id }) => id === grant.grantId)
    expect(rows).toMatchObject([{ sessionId: made.id, action, method: 'api-key' }])
    const other = { action: 'security.disableUser', input, proof: null }
    await expect(security.stepUp(program, other, by)).rejects.toEqual(failure('FORBIDDEN'))
    expect(await authenticates(first.accessToken)).toBe(true)
  })
})
