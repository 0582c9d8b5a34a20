import { expect, it } from 'vitest'
import { describeStores } from '@/db/testing/stores'
import type { SignedIn } from '@/server/security'
import { ana, bearer, browser, openAccounts } from '../testing/accounts'
import { code, eventsOf } from '../testing/events'
import { soleSuccessor } from '../testing/refreshing'

const address = '198.51.100.7'

describeStores((open) => {
  it('rotates: each refresh token works once and the new access token is good', async () => {
    const store = await open()
    const { security, clock, signIn } = await openAccounts(store)
    let tokens = await signIn()
    for (let round = 0; round < 3; round++) {
      clock.pass(800_000)
      const next = await security.sessions.refresh(tokens.refreshToken ?? '', browser())
      expect(next.refreshToken).not.toBe(tokens.refreshToken)
      expect(next.session.sessionId).toBe(tokens.session.sessionId)
      tokens = next
    }
    expect(await security.authenticate(bearer(tokens.accessToken), address)).not.toBeNull()
    const rows = await store.db.select().from(store.tables.refreshTokens)
    expect(rows.filter((row) => row.status === 'active')).toHaveLength(1)
  })

  it.each([2, 10, 50])('answers one and the same successor to %i parallel refreshes', async (parallel) => {
    const store = await open()
    const { security, another, ended, signIn } = await openAccounts(store)
    const { session, refreshToken = '' } = await signIn()
    const instances = [security, another(), another()]
    const answers = await Promise.all(
      Array.from({ length: parallel }, (_, index) =>
        (instances[index % 3] ?? security).sessions.refresh(refreshToken, browser()),
      ),
    )
    const given = answers.map((answer) => answer.refreshToken)
    const next = await soleSuccessor(store, session.sessionId, given)
    expect(ended).toEqual([])
    await expect(security.sessions.refresh(next, browser())).resolves.toBeDefined()
  })

  async function expectTheft(
    signedIn: SignedIn,
    used: string,
    run: Awaited<ReturnType<typeof openAccounts>>,
  ) {
    const phone = browser('ana-phone')
    const other = await run.signIn(ana, phone)
    await expect(run.security.sessions.refresh(used, browser())).rejects.toEqual(code('SESSION_ENDED'))
    expect(run.ended).toEqual([signedIn.session.sessionId])
    expect(await run.security.authenticate(bearer(signedIn.accessToken), address)).toBeNull()
    expect(await run.security.authenticate(bearer(other.accessToken), address)).not.toBeNull()
    await expect(run.security.sessions.refresh(other.refreshToken ?? '', phone)).resolves.toBeDefined()
  }

  it('takes a token that comes back after 10 s for theft: that session ends, no other', async () => {
    const store = await open()
    const run = await openAccounts(store)
    const signedIn = await run.signIn()
    const next = await run.security.sessions.refresh(signedIn.refreshToken ?? '', browser())
    run.clock.pass(10_001)
    await expectTheft(signedIn, signedIn.refreshToken ?? '', run)
    await expect(run.security.sessions.refresh(next.refreshToken ?? '', browser())).rejects.toEqual(
      code('SESSION_ENDED'),
    )
    const reuse = (await eventsOf(store)).filter((row) => row.event === 'authn_token_reuse')
    expect(reuse).toHaveLength(1)
    expect(reuse[0]).toMatchObject({ outcome: 'denied', target: `session:${signedIn.session.sessionId}` })
  })

  it('repeats the successor at 10 s to the same device', async () => {
    const store = await open()
    const { security, clock, signIn } = await openAccounts(store)
    const { refreshToken = '' } = await signIn()
    const next = await security.sessions.refresh(refreshToken, browser())
    clock.pass(10_000)
    const again = await security.sessions.refresh(refreshToken, browser())
    expect(again.refreshToken).toBe(next.refreshToken)
  })

  it('takes a quick repeat from another device for theft', async () => {
    const store = await open()
    const { security, ended, signIn } = await openAccounts(store)
    const { session, refreshToken = '' } = await signIn()
    await security.sessions.refresh(refreshToken, browser())
    await expect(security.sessions.refresh(refreshToken, browser('thief'))).rejects.toEqual(
      code('SESSION_ENDED'),
    )
    expect(ended).toEqual([session.sessionId])
  })

  it('takes a quick repeat for theft once the successor was used', async () => {
    const store = await open()
    const run = await openAccounts(store)
    const signedIn = await run.signIn()
    const next = await run.security.sessions.refresh(signedIn.refreshToken ?? '', browser())
    await run.security.sessions.refresh(next.refreshToken ?? '', browser())
    await expectTheft(signedIn, signedIn.refreshToken ?? '', run)
  })

  it('believes no access token, challenge or guess as a refresh token', async () => {
    const store = await open()
    const { security, ended, signIn } = await openAccounts(store)
    const { accessToken } = await signIn()
    for (const token of [accessToken, 'x', '', '__proto__', "' OR 1=1 --"]) {
      await expect(security.sessions.refresh(token, browser())).rejects.toEqual(code('SESSION_ENDED'))
    }
    expect(ended).toEqual([])
  })

  it('ends a session after disuse', async () => {
    const store = await open()
    const { security, clock, signIn } = await openAccounts(store, { refreshMs: 60_000, accessMs: 900_000 })
    const first = await signIn()
    clock.pass(59_999)
    const next = await security.sessions.refresh(first.refreshToken ?? '', browser())
    clock.pass(60_000)
    expect(await security.authenticate(bearer(next.accessToken), address)).toBeNull()
    await expect(security.sessions.refresh(next.refreshToken ?? '', browser())).rejects.toEqual(
      code('SESSION_ENDED'),
    )
    const [session] = await store.db.select().from(store.tables.sessions)
    expect(session?.endedReason).toBe('idle')
  })

  it('ends a session at its absolute limit, however much it is used', async () => {
    const store = await open()
    const config = { refreshMs: 60_000, absoluteMs: 100_000 }
    const { security, clock, signIn } = await openAccounts(store, config)
    const first = await signIn()
    clock.pass(50_000)
    const next = await security.sessions.refresh(first.refreshToken ?? '', browser())
    expect(next.session.expiresAt).toBe(clock.now() + 50_000)
    clock.pass(50_000)
    await expect(security.sessions.refresh(next.refreshToken ?? '', browser())).rejects.toEqual(
      code('SESSION_ENDED'),
    )
    const [session] = await store.db.select().from(store.tables.sessions)
    expect(session?.endedReason).toBe('expired')
  })
})
