import { asc, eq } from 'drizzle-orm'
import { expect, it } from 'vitest'
import type { Store } from '@/db/store'
import { describeStores, testAuditKey } from '@/db/testing/stores'
import { q, unit } from '@/db/unit'
import { verifyRows } from '@/server/audit'
import type { SignedIn } from '@/server/security'
import { ana, bearer, browser, openAccounts } from './testing/accounts'

const code = (expected: string) => expect.objectContaining({ name: 'HoldfastError', code: expected })

async function eventsOf(store: Store) {
  const { auditEvents } = store.tables
  const rows = await store.db.select().from(auditEvents).orderBy(asc(auditEvents.seq))
  const [head] = await store.db.select().from(store.tables.auditHead)
  const key = (id: string) => (id === testAuditKey.id ? testAuditKey.key : undefined)
  expect(verifyRows(rows, { key, head })).toEqual([])
  return rows
}

const disable = unit('test.disable', function* (tx, userId: string) {
  const { users } = tx.tables
  yield* q(tx.db.update(users).set({ state: 'disabled' }).where(eq(users.id, userId)))
})

describeStores((open) => {
  it('signs in, authenticates and tells it to the audit log, without a secret', async () => {
    const store = await open()
    const { security, userId } = await openAccounts(store)
    const signedIn = await security.signIn({ ...ana, email: ' ANA@example.org ' }, browser())
    const session = await security.authenticate(bearer(signedIn.accessToken))
    expect(session).toMatchObject({ userId, email: ana.email, role: 'admin', methods: ['pwd'] })
    const cookie = new Headers({ cookie: `holdfast-access=${signedIn.accessToken}` })
    expect(await security.authenticate(cookie)).toEqual(session)
    const rows = await eventsOf(store)
    expect(rows.map((row) => row.event)).toEqual(
      expect.arrayContaining(['user_created', 'authn_login_success', 'sensitive_create']),
    )
    const everything = JSON.stringify([
      rows,
      await store.db.select().from(store.tables.sessions),
      await store.db.select().from(store.tables.refreshTokens),
    ])
    for (const secret of [ana.password, signedIn.accessToken, signedIn.refreshToken]) {
      expect(everything).not.toContain(secret)
    }
  })

  it('gives unknown user, wrong password and disabled user the same answer', async () => {
    const store = await open()
    const { security, userId } = await openAccounts(store)
    const answer = (email: string, password: string) =>
      security.signIn({ email, password }, browser()).catch(({ code, message, remedy, details }) => ({
        ...{ code, message, remedy, details },
      }))
    const wrong = await answer(ana.email, 'something else entirely')
    expect(wrong).toMatchObject({ code: 'WRONG_CREDENTIALS' })
    expect(await answer('nobody@example.org', ana.password)).toEqual(wrong)
    await store.run(disable, userId)
    expect(await answer(ana.email, ana.password)).toEqual(wrong)
    const failures = (await eventsOf(store)).filter((row) => row.event === 'authn_login_fail')
    expect(failures.map((row) => row.reason)).toEqual(['wrong password', 'unknown user', 'user disabled'])
  })

  it('rotates: each refresh token works once and the new access token is good', async () => {
    const store = await open()
    const { security, clock } = await openAccounts(store)
    let tokens = await security.signIn(ana, browser())
    for (let round = 0; round < 3; round++) {
      clock.pass(800_000)
      const next = await security.refresh(tokens.refreshToken, browser())
      expect(next.refreshToken).not.toBe(tokens.refreshToken)
      expect(next.session.sessionId).toBe(tokens.session.sessionId)
      tokens = next
    }
    expect(await security.authenticate(bearer(tokens.accessToken))).not.toBeNull()
    const rows = await store.db.select().from(store.tables.refreshTokens)
    expect(rows.filter((row) => row.status === 'active')).toHaveLength(1)
  })

  it.each([2, 10, 50])('answers one and the same successor to %i parallel refreshes', async (parallel) => {
    const store = await open()
    const { security, another, ended } = await openAccounts(store)
    const { refreshToken } = await security.signIn(ana, browser())
    const instances = [security, another(), another()]
    const answers = await Promise.all(
      Array.from({ length: parallel }, (_, index) =>
        (instances[index % 3] ?? security).refresh(refreshToken, browser()),
      ),
    )
    expect(new Set(answers.map((answer) => answer.refreshToken)).size).toBe(1)
    const rows = await store.db.select().from(store.tables.refreshTokens)
    expect(rows.map((row) => row.status).sort()).toEqual(['active', 'rotated'])
    expect(ended).toEqual([])
    await expect(security.refresh(answers[0]?.refreshToken ?? '', browser())).resolves.toBeDefined()
  })

  async function expectTheft(
    signedIn: SignedIn,
    used: string,
    run: Awaited<ReturnType<typeof openAccounts>>,
  ) {
    const other = await run.security.signIn(ana, browser('ana-phone'))
    await expect(run.security.refresh(used, browser())).rejects.toEqual(code('SESSION_ENDED'))
    expect(run.ended).toEqual([signedIn.session.sessionId])
    expect(await run.security.authenticate(bearer(signedIn.accessToken))).toBeNull()
    expect(await run.security.authenticate(bearer(other.accessToken))).not.toBeNull()
    await expect(run.security.refresh(other.refreshToken, browser('ana-phone'))).resolves.toBeDefined()
  }

  it('takes a token that comes back after 10 s for theft: that session ends, no other', async () => {
    const store = await open()
    const run = await openAccounts(store)
    const signedIn = await run.security.signIn(ana, browser())
    const next = await run.security.refresh(signedIn.refreshToken, browser())
    run.clock.pass(10_001)
    await expectTheft(signedIn, signedIn.refreshToken, run)
    await expect(run.security.refresh(next.refreshToken, browser())).rejects.toEqual(code('SESSION_ENDED'))
    const reuse = (await eventsOf(store)).filter((row) => row.event === 'authn_token_reuse')
    expect(reuse).toHaveLength(1)
    expect(reuse[0]).toMatchObject({ outcome: 'denied', target: `session:${signedIn.session.sessionId}` })
  })

  it('repeats the successor at 10 s to the same device', async () => {
    const store = await open()
    const { security, clock } = await openAccounts(store)
    const { refreshToken } = await security.signIn(ana, browser())
    const next = await security.refresh(refreshToken, browser())
    clock.pass(10_000)
    const again = await security.refresh(refreshToken, browser())
    expect(again.refreshToken).toBe(next.refreshToken)
  })

  it('takes a quick repeat from another device for theft', async () => {
    const store = await open()
    const run = await openAccounts(store)
    const signedIn = await run.security.signIn(ana, browser())
    await run.security.refresh(signedIn.refreshToken, browser())
    await expect(run.security.refresh(signedIn.refreshToken, browser('thief'))).rejects.toEqual(
      code('SESSION_ENDED'),
    )
    expect(run.ended).toEqual([signedIn.session.sessionId])
  })

  it('takes a quick repeat for theft once the successor was used', async () => {
    const store = await open()
    const run = await openAccounts(store)
    const signedIn = await run.security.signIn(ana, browser())
    const next = await run.security.refresh(signedIn.refreshToken, browser())
    await run.security.refresh(next.refreshToken, browser())
    await expectTheft(signedIn, signedIn.refreshToken, run)
  })

  it('ends a session after disuse', async () => {
    const store = await open()
    const { security, clock } = await openAccounts(store, { refreshMs: 60_000, accessMs: 900_000 })
    const first = await security.signIn(ana, browser())
    clock.pass(59_999)
    const next = await security.refresh(first.refreshToken, browser())
    clock.pass(60_000)
    expect(await security.authenticate(bearer(next.accessToken))).toBeNull()
    await expect(security.refresh(next.refreshToken, browser())).rejects.toEqual(code('SESSION_ENDED'))
    const [session] = await store.db.select().from(store.tables.sessions)
    expect(session?.endedReason).toBe('idle')
  })

  it('ends a session at its absolute limit, however much it is used', async () => {
    const store = await open()
    const config = { refreshMs: 60_000, absoluteMs: 100_000 }
    const { security, clock } = await openAccounts(store, config)
    const first = await security.signIn(ana, browser())
    clock.pass(50_000)
    const next = await security.refresh(first.refreshToken, browser())
    expect(next.session.expiresAt).toBe(clock.now() + 50_000)
    clock.pass(50_000)
    await expect(security.refresh(next.refreshToken, browser())).rejects.toEqual(code('SESSION_ENDED'))
    const [session] = await store.db.select().from(store.tables.sessions)
    expect(session?.endedReason).toBe('expired')
  })

  it('lets an ended session do nothing any more, at once', async () => {
    const store = await open()
    const { security, ended, another } = await openAccounts(store)
    const { session, accessToken, refreshToken } = await security.signIn(ana, browser())
    await security.signOut({ session: null, refreshToken }, browser().by)
    expect(ended).toEqual([session.sessionId])
    expect(await another().authenticate(bearer(accessToken))).toBeNull()
    await expect(security.refresh(refreshToken, browser())).rejects.toEqual(code('SESSION_ENDED'))
  })

  it('lets a disabled user do nothing any more, at once', async () => {
    const store = await open()
    const { security, userId } = await openAccounts(store)
    const { accessToken, refreshToken } = await security.signIn(ana, browser())
    await store.run(disable, userId)
    expect(await security.authenticate(bearer(accessToken))).toBeNull()
    await expect(security.refresh(refreshToken, browser())).rejects.toEqual(code('SESSION_ENDED'))
  })

  it('lists the sessions of a user and ends one, or all others, but nobody else’s', async () => {
    const store = await open()
    const { security, clock, ended } = await openAccounts(store)
    const bob = { email: 'bob@example.org', name: 'Bob', password: 'another long password' }
    await security.createUser({ ...bob, role: 'viewer' }, browser().by)
    const foreign = await security.signIn(bob, browser('bob-laptop'))
    const one = await security.signIn(ana, browser('one'))
    clock.pass(1_000)
    const two = await security.signIn(ana, browser('two', '203.0.113.5'))
    clock.pass(1_000)
    const three = await security.signIn(ana, browser('three'))
    const list = await security.sessions(three.session)
    expect(list.map((entry) => entry.id)).toEqual([three, two, one].map((s) => s.session.sessionId))
    expect(list.map((entry) => entry.current)).toEqual([true, false, false])
    expect(list[1]).toMatchObject({ device: 'Firefox on Linux', address: '203.0.113.5' })

    const { by } = browser()
    await expect(security.endSession(three.session, foreign.session.sessionId, by)).rejects.toEqual(
      code('NOT_FOUND'),
    )
    await security.endSession(three.session, two.session.sessionId, by)
    expect(await security.endOtherSessions(three.session, by)).toBe(1)
    expect(ended).toEqual([two.session.sessionId, one.session.sessionId])
    expect(await security.authenticate(bearer(foreign.accessToken))).not.toBeNull()
  })

  it('keeps at most so many sessions of a user: the one unused for longest ends', async () => {
    const store = await open()
    const { security, clock, ended } = await openAccounts(store, { maxSessionsPerUser: 3 })
    const signedIn: SignedIn[] = []
    for (let number = 0; number < 5; number++) {
      signedIn.push(await security.signIn(ana, browser(`device-${number}`)))
      clock.pass(1_000)
    }
    expect(ended).toEqual(signedIn.slice(0, 2).map((each) => each.session.sessionId))
    const last = signedIn[4] as SignedIn
    expect(await security.sessions(last.session)).toHaveLength(3)
    const parallel = Array.from({ length: 8 }, (_, number) => security.signIn(ana, browser(`p-${number}`)))
    await Promise.all(parallel)
    const live = await store.db.select().from(store.tables.sessions)
    expect(live.filter((row) => row.endedAt === null)).toHaveLength(3)
  })
})
