import { eq } from 'drizzle-orm'
import { expect, it } from 'vitest'
import { describeStores } from '@/db/testing/stores'
import { ana, browser, callerOf, openAccounts } from '../testing/accounts'
import { type Deviation, openAuthenticator } from '../testing/authenticator'
import type { SessionInfo } from '../types'
import { challengeLife } from './challenges'

const url = 'http://localhost:3000'

const failure = (code: string, more: Record<string, unknown> = {}) =>
  expect.objectContaining({ name: 'HoldfastError', code, ...more })
const notAccepted = failure('WRONG_CODE', { message: 'The passkey was not accepted.' })
const over = failure('CHALLENGE_OVER')
const doesNotSignIn = failure('WRONG_CREDENTIALS', { message: 'This passkey does not sign in here.' })
const stepUpRequired = failure('STEP_UP_REQUIRED')

/** What goes wrong with a passkey's answer, and how the audit log calls it. */
const deviations: [string, Deviation, string][] = [
  ['from another site', { origin: 'http://localhost.example.org' }, 'wrong origin'],
  ['from another port of the same host', { origin: 'http://localhost:3001' }, 'wrong origin'],
  ['for another relying party', { rpId: 'example.org' }, 'wrong relying party'],
  ['without a verified user', { userVerified: false }, 'user not verified'],
]

describeStores((open) => {
  async function start() {
    const store = await open({ connections: 20 })
    const accounts = await openAccounts(store, { maxLoginAttempts: 1000 })
    const { security } = accounts
    const { session } = await accounts.signIn()

    /** Adds a passkey, as a user without a factor does. */
    async function enrolPasskey(of: SessionInfo) {
      const authenticator = openAuthenticator(url)
      const by = callerOf(of)
      const { options } = await security.factors.beginPasskey(of, {}, { by, grantId: null })
      const response = authenticator.create(options)
      const enrolled = await security.factors.addPasskey(of, { name: 'Laptop', response }, by)
      return { authenticator, options, enrolled }
    }
    async function ask(on = security) {
      const result = await on.signIn(ana, browser())
      if (result.state !== 'factor' || !result.asked.passkey) throw new Error('No passkey is asked for.')
      return { ...result.asked, passkey: result.asked.passkey }
    }
    const options = async () => (await security.passkeyOptions()).options
    const passkeys = () => store.db.select().from(store.tables.passkeys)
    const { auditEvents } = store.tables
    const reasons = async () =>
      (await store.db.select().from(auditEvents).orderBy(auditEvents.seq)).map(({ reason }) => reason)
    const lastReason = async () => (await reasons()).at(-1)
    return { ...accounts, store, session, enrolPasskey, ask, options, passkeys, reasons, lastReason }
  }

  it('enrols a passkey that is kept by its authenticator and verifies its user', async () => {
    const { session, enrolPasskey, passkeys, userId } = await start()
    const { options, enrolled, authenticator } = await enrolPasskey(session)
    expect(options).toMatchObject({
      rp: { id: 'localhost', name: 'Holdfast' },
      user: { id: Buffer.from(userId).toString('base64url'), name: ana.email, displayName: ana.name },
      attestation: 'none',
      authenticatorSelection: {
        residentKey: 'required',
        requireResidentKey: true,
        userVerification: 'required',
      },
      excludeCredentials: [],
    })
    expect(enrolled).toMatchObject({ drift: 0, ended: 0 })
    expect(enrolled.backupCodes).toHaveLength(10)
    const [row] = await passkeys()
    expect(row).toMatchObject({
      ...{ userId, credentialId: authenticator.credentialId, counter: 0, backedUp: true },
      transports: ['hybrid', 'internal'],
    })
  })

  it.each(deviations)('enrols no passkey %s', async (_, over, reason) => {
    const { session, security, passkeys, lastReason } = await start()
    const by = callerOf(session)
    const { options } = await security.factors.beginPasskey(session, {}, { by, grantId: null })
    const response = openAuthenticator(url).create(options, over)
    const add = security.factors.addPasskey(session, { name: 'Laptop', response }, by)
    await expect(add).rejects.toEqual(notAccepted)
    expect(await lastReason()).toBe(reason)
    expect(await passkeys()).toEqual([])
  })

  it('enrols once by one challenge, in time, and only for the session that asked', async () => {
    const { session, security, signIn, clock, passkeys } = await start()
    const { session: other } = await signIn(ana, browser('other'))
    const begin = () => security.factors.beginPasskey(session, {}, { by: callerOf(session), grantId: null })
    const add = (to: SessionInfo, { options }: Awaited<ReturnType<typeof begin>>) => {
      const response = openAuthenticator(url).create(options)
      return security.factors.addPasskey(to, { name: 'Key', response }, callerOf(to))
    }
    const late = await begin()
    clock.pass(challengeLife)
    await expect(add(session, late)).rejects.toEqual(over)
    const begun = await begin()
    await expect(add(other, begun)).rejects.toEqual(over)
    await add(session, begun)
    await expect(add(session, begun)).rejects.toEqual(over)
    expect(await passkeys()).toHaveLength(1)
  })

  it('excludes the passkeys that a user has, and refuses one that is known', async () => {
    const { session, security, enrolPasskey, granted } = await start()
    const { authenticator } = await enrolPasskey(session)
    const use = await granted(session, 'account.beginPasskey', {})
    const { options } = await security.factors.beginPasskey(session, {}, use)
    expect(options.excludeCredentials?.map(({ id }) => id)).toEqual([authenticator.credentialId])
    const response = authenticator.create(options)
    const again = security.factors.addPasskey(session, { name: 'Again', response }, use.by)
    await expect(again).rejects.toEqual(failure('CONFLICT'))
  })

  it('signs in by a password and a passkey', async () => {
    const { session, enrolPasskey, ask, security, passkeys } = await start()
    const { authenticator } = await enrolPasskey(session)
    const asked = await ask()
    expect(asked.factors).toEqual(['passkey', 'backup-code'])
    expect(asked.passkey).toMatchObject({
      ...{ rpId: 'localhost', userVerification: 'required' },
      allowCredentials: [{ id: authenticator.credentialId, type: 'public-key' }],
    })
    const passkey = authenticator.get(asked.passkey)
    const signedIn = await security.verify(asked.challenge, { passkey }, browser())
    expect(signedIn.session.methods).toEqual(['pwd', 'hwk'])
    expect(await passkeys()).toMatchObject([{ counter: 1, lastUsedAt: expect.any(Number) }])
  })

  it.each([
    ...deviations,
    ['with a forged signature', { forged: true }, 'wrong signature'],
    ['for another challenge', { challenge: 'AAAA' }, 'wrong challenge'],
    ['for another user', { userHandle: 'b3RoZXI' }, 'passkey of another user'],
  ] as [string, Deviation, string][])('refuses an answer %s', async (_, over, reason) => {
    const { session, enrolPasskey, ask, security, lastReason, options } = await start()
    const { authenticator } = await enrolPasskey(session)
    const { challenge, passkey } = await ask()
    const answer = { passkey: authenticator.get(passkey, over) }
    await expect(security.verify(challenge, answer, browser())).rejects.toEqual(notAccepted)
    expect(await lastReason()).toBe(reason)
    const alone = security.signInByPasskey(authenticator.get(await options(), over), browser())
    await expect(alone).rejects.toEqual(doesNotSignIn)
    expect(await lastReason()).toBe(reason)
    await security.verify(challenge, { passkey: authenticator.get(passkey) }, browser())
  })

  it('refuses the passkey of another user as second factor', async () => {
    const { session, enrolPasskey, ask, addUser, signIn, security, lastReason } = await start()
    await enrolPasskey(session)
    const ben = await addUser('Ben')
    const { authenticator } = await enrolPasskey((await signIn(ben)).session)
    const { challenge, passkey } = await ask()
    const answer = { passkey: authenticator.get(passkey) }
    await expect(security.verify(challenge, answer, browser())).rejects.toEqual(notAccepted)
    expect(await lastReason()).toBe('unknown passkey')
  })

  it('signs in by a passkey alone, without a row before', async () => {
    const { session, enrolPasskey, options, security, store } = await start()
    const { authenticator } = await enrolPasskey(session)
    const counts = async () => (await store.db.select().from(store.tables.challenges)).length
    const before = await counts()
    const asked = await options()
    expect(asked).toMatchObject({ rpId: 'localhost', userVerification: 'required' })
    expect(asked.allowCredentials).toBeUndefined()
    expect(await counts()).toBe(before)
    const signedIn = await security.signInByPasskey(authenticator.get(asked), browser())
    expect(signedIn.session).toMatchObject({ email: ana.email, methods: ['hwk'] })
    expect(await counts()).toBe(before + 1)
  })

  it('lets one succeed of 20 who replay a passkey’s answer at once, over two instances', async () => {
    const { session, enrolPasskey, options, security, another, reasons } = await start()
    const { authenticator } = await enrolPasskey(session)
    const second = another()
    const answer = authenticator.get(await options())
    const tries = await Promise.allSettled(
      Array.from({ length: 20 }, (_, each) =>
        (each % 2 ? second : security).signInByPasskey(answer, browser()),
      ),
    )
    expect(tries.filter((each) => each.status === 'fulfilled')).toHaveLength(1)
    for (const each of tries) if (each.status === 'rejected') expect(each.reason).toEqual(doesNotSignIn)
    // The one that succeeds may be the last to be noted.
    expect((await reasons()).filter((reason) => reason === 'challenge used before')).toHaveLength(19)
  })

  it('replays no answer whose authenticator does not count', async () => {
    const { session, enrolPasskey, options, security } = await start()
    const { authenticator } = await enrolPasskey(session)
    const answer = authenticator.get(await options(), { counter: 0 })
    await security.signInByPasskey(answer, browser())
    await expect(security.signInByPasskey(answer, browser())).rejects.toEqual(doesNotSignIn)
    await security.signInByPasskey(authenticator.get(await options(), { counter: 0 }), browser())
  })

  it('refuses a counter that did not grow: a copy of the passkey may be in use', async () => {
    const { session, enrolPasskey, options, ask, security, lastReason } = await start()
    const { authenticator } = await enrolPasskey(session)
    await security.signInByPasskey(authenticator.get(await options(), { counter: 7 }), browser())
    for (const counter of [7, 6, 1, 0]) {
      const copy = authenticator.get(await options(), { counter })
      await expect(security.signInByPasskey(copy, browser())).rejects.toEqual(doesNotSignIn)
      expect(await lastReason()).toBe('passkey counter did not grow')
      const { challenge, passkey } = await ask()
      const second = { passkey: authenticator.get(passkey, { counter }) }
      await expect(security.verify(challenge, second, browser())).rejects.toEqual(notAccepted)
    }
    await security.signInByPasskey(authenticator.get(await options(), { counter: 8 }), browser())
  })

  it('refuses alone what it did not ask for, or asked for too long ago', async () => {
    const { session, enrolPasskey, options, ask, security, clock, lastReason } = await start()
    const { authenticator } = await enrolPasskey(session)
    const late = authenticator.get(await options())
    const { passkey: forSecondFactor } = await ask()
    const swapped = authenticator.get(forSecondFactor)
    await expect(security.signInByPasskey(swapped, browser())).rejects.toEqual(doesNotSignIn)
    expect(await lastReason()).toBe('wrong challenge')
    clock.pass(challengeLife)
    await expect(security.signInByPasskey(late, browser())).rejects.toEqual(over)
  })

  it('refuses an unknown passkey, one without a user, and one of a disabled user, each with its event', async () => {
    const { session, enrolPasskey, options, security, store, userId, lastReason } = await start()
    const { authenticator } = await enrolPasskey(session)
    const stranger = openAuthenticator(url)
    const unknown = stranger.get(await options())
    await expect(security.signInByPasskey(unknown, browser())).rejects.toEqual(doesNotSignIn)
    expect(await lastReason()).toBe('unknown passkey')
    const nobody = authenticator.get(await options(), { userHandle: '' })
    await expect(security.signInByPasskey(nobody, browser())).rejects.toEqual(doesNotSignIn)
    expect(await lastReason()).toBe('passkey of another user')
    await store.db
      .update(store.tables.users)
      .set({ state: 'disabled' })
      .where(eq(store.tables.users.id, userId))
    const disabled = authenticator.get(await options())
    await expect(security.signInByPasskey(disabled, browser())).rejects.toEqual(doesNotSignIn)
    expect(await lastReason()).toBe('user disabled')
  })

  it('refuses a malformed answer with the same words', async () => {
    const { session, enrolPasskey, options, security } = await start()
    const { authenticator } = await enrolPasskey(session)
    const asked = await options()
    const right = authenticator.get(asked)
    for (const response of [
      {},
      { ...right.response, clientDataJSON: 'AAAA' },
      { ...right.response, clientDataJSON: 7 },
      { ...right.response, clientDataJSON: Buffer.from('null').toString('base64url') },
      { ...right.response, authenticatorData: 'AAAA' },
      { ...right.response, authenticatorData: 'not base64url!' },
      { ...right.response, signature: '' },
      { ...right.response, signature: { toString: 'x' } },
    ]) {
      const malformed = { ...right, response } as unknown as typeof right
      await expect(security.signInByPasskey(malformed, browser())).rejects.toEqual(doesNotSignIn)
    }
    await security.signInByPasskey(right, browser())
  })

  it('needs a step-up for another passkey as soon as there is a factor', async () => {
    const { session, enrolPasskey, security, granted } = await start()
    await enrolPasskey(session)
    const by = callerOf(session)
    const begin = (use: { grantId: string | null }) =>
      security.factors.beginPasskey(session, { password: ana.password }, { by, ...use })
    await expect(begin({ grantId: null })).rejects.toEqual(stepUpRequired)
    const other = await granted(session, 'account.beginTotp', {})
    await expect(begin(other)).rejects.toEqual(stepUpRequired)
    const use = await granted(session, 'account.beginPasskey', {})
    await begin(use)
    await expect(begin(use)).rejects.toEqual(stepUpRequired)
  })

  it('renames a passkey for its user alone', async () => {
    const { session, enrolPasskey, security, passkeys, addUser, signIn } = await start()
    await enrolPasskey(session)
    const id = (await passkeys())[0]?.id ?? ''
    const { session: bens } = await signIn(await addUser('Ben'))
    const steal = security.factors.renamePasskey(bens, { id, name: 'Mine' }, callerOf(bens))
    await expect(steal).rejects.toEqual(failure('NOT_FOUND'))
    await security.factors.renamePasskey(session, { id, name: 'Key ring' }, callerOf(session))
    expect((await security.factors.state(session)).passkeys).toMatchObject([{ id, name: 'Key ring' }])
  })
})
