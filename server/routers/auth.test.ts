import { expect, it } from 'vitest'
import { describeStores } from '@/db/testing/stores'
import { ana, openAccounts } from '@/server/security/testing/accounts'
import { visitor } from './testing/visitor'

const url = 'http://localhost:3000'

describeStores((open) => {
  /** Ana, an admin, and Vic, a viewer, who needs no second factor. */
  async function start(kind: 'browser' | 'program' = 'browser') {
    const store = await open()
    const accounts = await openAccounts(store)
    const vic = await accounts.addUser('Vic')
    const make = (which: 'browser' | 'program') => visitor(accounts.security, accounts.clock.now, which)
    const credentials = { email: vic.email, password: vic.password }
    return { ...accounts, store, vic, credentials, make, ...make(kind) }
  }

  it('signs a browser in by cookies alone, and never shows it a token', async () => {
    const { call, get, jar, credentials } = await start()
    const answer = await call('auth.signIn', credentials)
    expect(answer).toMatchObject({ status: 200, data: { state: 'signed-in', tokens: null } })
    expect([...jar.keys()].sort()).toEqual(['holdfast-access', 'holdfast-device', 'holdfast-refresh'])
    for (const cookie of answer.setCookies) expect(cookie).toMatch(/; HttpOnly; SameSite=Lax/)
    for (const value of jar.values()) expect(JSON.stringify(answer.data)).not.toContain(value)
    expect((await get('auth.me')).data).toMatchObject({
      email: credentials.email,
      methods: ['pwd'],
      needs: [],
    })
  })

  it('gives a program its tokens in the body, sets no cookie, and rotates them', async () => {
    const { call, credentials } = await start('program')
    const { data, setCookies } = await call('auth.signIn', credentials)
    expect(setCookies).toEqual([])
    const { accessToken, refreshToken } = data.tokens
    const me = await call('auth.me', undefined, { authorization: `Bearer ${accessToken}` }, 'GET')
    expect(me.data).toMatchObject({ email: credentials.email })
    const next = await call('auth.refresh', { refreshToken })
    expect(next.setCookies).toEqual([])
    expect(next.data.tokens.refreshToken).toMatch(/^[\w-]{43}$/)
    expect(next.data.tokens).not.toMatchObject({ refreshToken })
  })

  it.each([
    ['another site', { origin: 'https://evil.example' }],
    ['a cross-site form', { origin: url, 'sec-fetch-site': 'cross-site' }],
    ['cookies without an origin', { origin: '' }],
  ])('refuses every state change from %s', async (_name, extra) => {
    const { call, get, credentials } = await start()
    await call('auth.signIn', credentials)
    for (const [path, input] of [
      ['auth.signOut', {}],
      ['auth.refresh', {}],
      ['auth.signIn', credentials],
      ['auth.verify', { challenge: 'x', code: '000000' }],
      ['auth.stepUp', { action: 'migration.start', input: {}, code: '000000' }],
      ['account.endOtherSessions', undefined],
    ] as const) {
      const { status, error, setCookies } = await call(path, input, extra)
      expect([path, status, error?.data.code]).toEqual([path, 403, 'BAD_ORIGIN'])
      expect(setCookies).toEqual([])
    }
    expect((await get('account.sessions')).data).toHaveLength(1)
  })

  it('gives no hint which part was wrong, nor whom a block is about', async () => {
    const { call, jar, credentials, clock } = await start()
    const unknown = { ...credentials, email: 'nobody@example.org' }
    for (let each = 0; each < 7; each++) {
      const wrong = await call('auth.signIn', { ...credentials, password: 'wrong' })
      const nobody = await call('auth.signIn', unknown)
      expect({ ...wrong, setCookies: [] }).toEqual({ ...nobody, setCookies: [] })
      const refused = [wrong.status, wrong.error?.data.code, wrong.error?.data.retryAfterMs]
      expect(refused).toEqual(
        each < 5 ? [401, 'WRONG_CREDENTIALS', null] : [429, 'TOO_MANY_REQUESTS', 60_000],
      )
    }
    expect([...jar.keys()]).not.toContain('holdfast-access')
    clock.pass(60_000)
    expect((await call('auth.signIn', credentials)).status).toBe(200)
  })

  it('refuses fields that nobody asked for, and both or neither of two proofs', async () => {
    const { call, credentials } = await start()
    const passkey = { id: 'a', rawId: 'a', type: 'public-key', response: {}, clientExtensionResults: {} }
    for (const [path, input] of [
      ['auth.signIn', { ...credentials, role: 'admin' }],
      ['auth.verify', { challenge: 'x' }],
      ['auth.verify', { challenge: 'x', code: '000000', passkey }],
    ] as const) {
      const { status, error } = await call(path, input)
      expect([path, status, error?.data.code]).toEqual([path, 400, 'BAD_INPUT'])
    }
  })

  it('rotates by cookie, and clears the cookies when the session was stolen', async () => {
    const { call, get, jar, clock, credentials } = await start()
    await call('auth.signIn', credentials)
    const stolen = jar.get('holdfast-refresh') ?? ''
    expect((await call('auth.refresh', {})).status).toBe(200)
    expect(jar.get('holdfast-refresh')).not.toBe(stolen)
    clock.pass(11_000)
    jar.set('holdfast-refresh', stolen)
    const { status, error } = await call('auth.refresh', {})
    expect([status, error?.data.code]).toEqual([401, 'SESSION_ENDED'])
    expect([...jar.keys()]).toEqual(['holdfast-device'])
    expect((await get('auth.me')).error?.data.code).toBe('UNAUTHENTICATED')
  })

  it('signs out, also with the refresh token alone', async () => {
    const { call, jar, security, credentials, vic } = await start()
    await call('auth.signIn', credentials)
    jar.delete('holdfast-access')
    expect((await call('auth.signOut', {})).status).toBe(200)
    expect(await security.sessions.list({ userId: vic.userId })).toEqual([])
    expect([...jar.keys()]).toEqual(['holdfast-device'])
  })

  it('notes the address of the socket, whatever a client says about itself', async () => {
    const { call, get, credentials } = await start()
    await call('auth.signIn', credentials, { 'x-forwarded-for': '203.0.113.1', forwarded: 'for=203.0.113.1' })
    const { data } = await get('account.sessions')
    expect(data.map((session: { address: string }) => session.address)).toEqual(['127.0.0.1'])
  })

  it('signs in by an invitation, which asks for a password that is hard to guess', async () => {
    const { call, get, security, signIn, granted } = await start()
    const { session } = await signIn()
    const invitation = { email: 'ines@example.org', name: 'Ines', role: 'operator' as const }
    const { link } = await security.users.invite(
      invitation,
      await granted(session, 'security.inviteUser', invitation),
    )
    const token = link.split('#')[1]
    expect((await call('auth.checkLink', { token })).data).toEqual({
      ...{ state: 'usable', kind: 'invite' },
      ...{ email: 'ines@example.org', name: 'Ines' },
    })
    const easy = await call('auth.useLink', { token, password: 'ines@example.org' })
    expect(easy.error?.data).toMatchObject({
      code: 'BAD_INPUT',
      details: { issues: [{ path: 'password', message: expect.stringContaining('your e-mail address') }] },
    })
    const used = await call('auth.useLink', { token, name: 'Inês', password: 'seven grey boats in the fog' })
    expect(used.data).toMatchObject({ state: 'signed-in', session: { name: 'Inês' }, tokens: null })
    expect((await get('auth.me')).data).toMatchObject({ email: 'ines@example.org' })
    expect((await call('auth.checkLink', { token })).data).toEqual({ state: 'used' })
    const again = await call('auth.useLink', { token, password: 'seven grey boats in the fog' })
    expect([again.status, again.error?.data.code]).toEqual([409, 'LINK_USED'])
  })

  it('pages through the events without gaps or doubles while others arrive', async () => {
    const { call, get, credentials } = await start()
    await call('auth.signIn', credentials)
    for (let round = 0; round < 3; round++) await call('auth.signIn', { ...credentials, password: 'x' })
    const seen: number[] = []
    let before: number | undefined
    do {
      const { data } = await get('security.events.list', { limit: 2, before })
      seen.push(...data.events.map((event: { seq: number }) => event.seq))
      before = data.next ?? undefined
      await call('auth.signIn', { ...credentials, email: `nobody-${seen.length}@example.org` })
    } while (before !== undefined)
    expect(seen).toEqual(Array.from({ length: seen[0] ?? 0 }, (_, index) => (seen[0] ?? 0) - index))
    const overview = (await get('security.overview')).data
    expect(overview).toMatchObject({ sessions: 1, usersSignedIn: 1 })
    expect(overview.failuresToday).toBeGreaterThanOrEqual(5)
  })

  it('knows its admin again after the set-up', async () => {
    const { call } = await start()
    expect((await call('auth.setUpState', undefined, {}, 'GET')).data).toMatchObject({ needed: false })
    const { error } = await call('auth.setUp', { ...ana, token: 'made-up' })
    expect(error?.data.code).toBe('ALREADY_SET_UP')
  })
})
