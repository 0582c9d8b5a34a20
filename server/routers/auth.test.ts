import { fetchRequestHandler } from '@trpc/server/adapters/fetch'
import { expect, it } from 'vitest'
import type { Store } from '@/db/store'
import { describeStores } from '@/db/testing/stores'
import { openLog } from '@/server/log'
import type { Runtime } from '@/server/runtime'
import { clientAddress } from '@/server/security/address'
import { originAllowed } from '@/server/security/origin'
import { ana, openAccounts } from '@/server/security/testing/accounts'
import { router } from '@/server/trpc/init'
import { authRouter } from './auth'
import { securityRouter } from './security'

const url = 'http://localhost:3000'
const appRouter = router({ auth: authRouter, security: securityRouter })

interface Answer {
  status: number
  data: Record<string, unknown> | null
  error: { message: string; data: { code: string } } | null
  setCookies: string[]
}

/** A browser or program in front of the two routers: HTTP requests in, answers out, cookies kept by the browser. */
function client(security: Runtime['security'], now: () => number, kind: 'browser' | 'program') {
  const jar = new Map<string, string>()
  const log = openLog('error', () => {})
  const env = { HOLDFAST_URL: url, TRUSTED_PROXIES: [] as string[] }
  const runtime = { security, log, env, clock: { now } } as unknown as Runtime

  async function call(path: string, input?: unknown, extra: Record<string, string> = {}, method = 'POST') {
    const headers = new Headers({ 'content-type': 'application/json', 'user-agent': 'test/1' })
    if (kind === 'browser') headers.set('origin', url)
    if (jar.size > 0) headers.set('cookie', [...jar].map(([name, value]) => `${name}=${value}`).join('; '))
    for (const [name, value] of Object.entries(extra)) {
      if (value === '') headers.delete(name)
      else headers.set(name, value)
    }
    const body = method === 'POST' ? JSON.stringify(input) : undefined
    const query = method === 'GET' && input ? `?input=${encodeURIComponent(JSON.stringify(input))}` : ''
    const response = await fetchRequestHandler({
      endpoint: '/api/trpc',
      router: appRouter,
      req: new Request(`${url}/api/trpc/${path}${query}`, { method, headers, body }),
      createContext: async ({ resHeaders }) => ({
        ...{ runtime, headers, resHeaders, requestId: 'request-1', stepUp: null },
        session: await security.authenticate(headers),
        originAllowed: originAllowed(headers, url),
        client: {
          address: clientAddress('127.0.0.1', headers.get('x-forwarded-for'), env.TRUSTED_PROXIES),
          userAgent: 'test/1',
        },
      }),
    })
    const setCookies = response.headers.getSetCookie()
    for (const each of kind === 'browser' ? setCookies : []) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(each) ?? []
      if (value) jar.set(name, value)
      else jar.delete(name)
    }
    const json = (await response.json()) as { result?: { data: Answer['data'] }; error?: Answer['error'] }
    return {
      status: response.status,
      data: json.result?.data ?? null,
      error: json.error ?? null,
      setCookies,
    } satisfies Answer
  }
  return { call, jar, get: (path: string, input?: unknown) => call(path, input, {}, 'GET') }
}

describeStores((open) => {
  async function start(kind: 'browser' | 'program' = 'browser') {
    const store: Store = await open()
    const accounts = await openAccounts(store)
    const make = (which: 'browser' | 'program') => client(accounts.security, accounts.clock.now, which)
    return { ...accounts, store, make, ...make(kind) }
  }
  const credentials = { email: ana.email, password: ana.password }

  it('signs a browser in by cookies alone, and never shows it a token', async () => {
    const { call, get, jar } = await start()
    const answer = await call('auth.signIn', credentials)
    expect(answer.status).toBe(200)
    expect([...jar.keys()].sort()).toEqual(['holdfast-access', 'holdfast-device', 'holdfast-refresh'])
    for (const cookie of answer.setCookies) expect(cookie).toMatch(/; HttpOnly; SameSite=Lax/)
    for (const value of jar.values()) expect(JSON.stringify(answer.data)).not.toContain(value)
    expect((await get('auth.me')).data).toMatchObject({ email: ana.email, role: 'admin', methods: ['pwd'] })
  })

  it('gives a program its tokens in the body, sets no cookie, and rotates them', async () => {
    const { call } = await start('program')
    const { data, setCookies } = await call('auth.signIn', credentials)
    expect(setCookies).toEqual([])
    type Given = { tokens: { accessToken: string; refreshToken: string } } | null
    const { accessToken = '', refreshToken = '' } = (data as Given)?.tokens ?? {}
    const me = await call('auth.me', undefined, { authorization: `Bearer ${accessToken}` }, 'GET')
    expect(me.data).toMatchObject({ email: ana.email })
    const next = await call('auth.refresh', { refreshToken })
    expect(next.setCookies).toEqual([])
    expect(next.data?.tokens).not.toMatchObject({ refreshToken })
  })

  it.each([
    ['another site', { origin: 'https://evil.example' }],
    ['a cross-site form', { origin: url, 'sec-fetch-site': 'cross-site' }],
    ['cookies without an origin', { origin: '' }],
  ])('refuses every state change from %s', async (_name, extra) => {
    const { call, ended } = await start()
    await call('auth.signIn', credentials)
    for (const [path, input] of [
      ['auth.signOut', {}],
      ['auth.refresh', {}],
      ['auth.signIn', credentials],
      ['security.endOtherSessions', undefined],
    ] as const) {
      const { status, error, setCookies } = await call(path, input, extra)
      expect([path, status, error?.data.code]).toEqual([path, 403, 'BAD_ORIGIN'])
      expect(setCookies).toEqual([])
    }
    expect(ended).toEqual([])
  })

  it('keeps the typed address in the log and gives no hint which part was wrong', async () => {
    const { call, jar } = await start()
    const wrong = await call('auth.signIn', { ...credentials, password: 'wrong' })
    const unknown = await call('auth.signIn', { ...credentials, email: 'nobody@example.org' })
    expect({ ...wrong, setCookies: [] }).toEqual({ ...unknown, setCookies: [] })
    expect([wrong.status, wrong.error?.data.code]).toEqual([401, 'WRONG_CREDENTIALS'])
    expect([...jar.keys()]).not.toContain('holdfast-access')
  })

  it('refuses fields that nobody asked for', async () => {
    const { call } = await start()
    const { status, error } = await call('auth.signIn', { ...credentials, role: 'admin' })
    expect([status, error?.data.code]).toEqual([400, 'BAD_INPUT'])
  })

  it('rotates by cookie, and clears the cookies when the session was stolen', async () => {
    const { call, get, jar, clock } = await start()
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
    const { call, jar, ended } = await start()
    await call('auth.signIn', credentials)
    jar.delete('holdfast-access')
    expect((await call('auth.signOut', {})).status).toBe(200)
    expect(ended).toHaveLength(1)
    expect([...jar.keys()]).toEqual(['holdfast-device'])
  })

  it('notes the address of the socket, whatever a client says about itself', async () => {
    const { call, get } = await start()
    await call('auth.signIn', credentials, { 'x-forwarded-for': '203.0.113.1', forwarded: 'for=203.0.113.1' })
    const sessions = (await get('security.sessions')).data as unknown as { address: string }[]
    expect(sessions.map((session) => session.address)).toEqual(['127.0.0.1'])
  })

  it('pages through the events without gaps or doubles while others arrive', async () => {
    const { call, get } = await start()
    await call('auth.signIn', credentials)
    for (let round = 0; round < 5; round++) await call('auth.signIn', { ...credentials, password: 'x' })
    type Page = { events: { seq: number }[]; next: number | null }
    const seen: number[] = []
    let before: number | undefined
    do {
      const { data } = await get('security.events', { limit: 2, before })
      const page = data as unknown as Page
      seen.push(...page.events.map((event) => event.seq))
      before = page.next ?? undefined
      await call('auth.signIn', { ...credentials, password: 'x' })
    } while (before !== undefined)
    expect(seen).toEqual(Array.from({ length: seen[0] ?? 0 }, (_, index) => (seen[0] ?? 0) - index))
    const overview = (await get('security.overview')).data
    expect(overview).toMatchObject({ sessions: 1, usersSignedIn: 1 })
    expect(overview?.failuresToday).toBeGreaterThanOrEqual(5)
  })

  it('hands out a step-up grant for the right password alone', async () => {
    const { call } = await start()
    const ask = { action: 'migration.start', input: { run: 1 }, password: ana.password }
    expect((await call('auth.stepUp', ask)).error?.data.code).toBe('UNAUTHENTICATED')
    await call('auth.signIn', credentials)
    expect((await call('auth.stepUp', { ...ask, password: 'x' })).error?.data.code).toBe('WRONG_CREDENTIALS')
    expect((await call('auth.stepUp', ask)).data).toMatchObject({ grantId: expect.any(String) })
  })
})
