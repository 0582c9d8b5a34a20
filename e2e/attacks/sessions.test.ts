import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { createDatabase, needsPostgres, sharedPostgres } from '@/db/testing/shared'
import { credentials } from '../admin'
import { bearer, enrolByProgram, program, setUpByProgram } from '../program'
import { type RunningConsole, startConsole } from '../server'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 180_000 })

const masterKey = Buffer.alloc(32, 'attacks').toString('base64')

describe('sessions over three consoles on one PostgreSQL', () => {
  needsPostgres()
  let consoles: RunningConsole[] = []
  let drop: () => Promise<void>

  beforeAll(async () => {
    const database = await createDatabase()
    drop = database.drop
    const { host, port, user, password } = sharedPostgres()
    const env = {
      DB_TYPE: 'postgresql',
      DB_HOST: host,
      DB_PORT: String(port),
      DB_NAME: database.database,
      DB_USER: user,
      DB_PASSWORD: password,
      DB_POOL_MAX: '5',
      HOLDFAST_MASTER_KEY: masterKey,
      // One console to users, whichever instance answers.
      HOLDFAST_URL: 'http://localhost:3000',
      MAX_LOGIN_ATTEMPTS: '1000',
    }
    const first = await startConsole({ env })
    await setUpByProgram(at(first))
    consoles = [first, await startConsole({ env }), await startConsole({ env })]
  })
  afterAll(async () => {
    await Promise.all(consoles.map((console) => console.stop()))
    await drop?.()
  })

  /** The instance itself, not the address that all of them go by. */
  const at = (console: RunningConsole) => ({ ...console, url: `http://127.0.0.1:${console.port}` })
  const instance = (index: number) => program(at(consoles[index % consoles.length] as RunningConsole))

  async function signIn() {
    const { body } = await instance(0).post('/api/auth/login', credentials)
    return body.tokens as { accessToken: string; refreshToken: string }
  }

  it.each([2, 10, 50])('give one successor for %i refreshes at once, round after round', async (parallel) => {
    let { refreshToken } = await signIn()
    for (let round = 0; round < 5; round++) {
      const answers = await Promise.all(
        Array.from({ length: parallel }, (_, index) =>
          instance(index).post('/api/auth/refresh', { refreshToken }),
        ),
      )
      // One of them rotates; the others asked again in time, from the same device.
      expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200))
      const successors = new Set(answers.map(({ body }) => body.tokens.refreshToken))
      expect(successors.size).toBe(1)
      refreshToken = [...successors][0]
    }
  })

  it('of the same user go on when one of them is ended for theft', async () => {
    const [victim, other] = [await signIn(), await signIn()]
    const first = await instance(0).post('/api/auth/refresh', { refreshToken: victim.refreshToken })
    await instance(1).post('/api/auth/refresh', { refreshToken: first.body.tokens.refreshToken })
    expect((await instance(2).post('/api/auth/refresh', { refreshToken: victim.refreshToken })).status).toBe(
      401,
    )
    expect((await instance(2).query('auth.me', bearer(other.accessToken))).status).toBe(200)
  })

  it('are signed by a key that every instance knows', async () => {
    const sets = await Promise.all([0, 1, 2].map((index) => instance(index).get('/.well-known/jwks.json')))
    expect(new Set(sets.map(({ body }) => JSON.stringify(body))).size).toBe(1)
  })

  // The last one: from here on a sign-in asks for the factor.
  it('end at once on every instance when a used refresh token comes back, open event streams too', async () => {
    const { accessToken, refreshToken } = await signIn()
    await enrolByProgram(at(consoles[0] as RunningConsole).url, accessToken, 2)
    const stream = await fetch(`${at(consoles[1] as RunningConsole).url}/api/trpc/system.live?input=%7B%7D`, {
      headers: bearer(accessToken),
    })
    expect(stream.status).toBe(200)
    const ended = readToEnd(stream)

    const { body } = await instance(0).post('/api/auth/refresh', { refreshToken })
    const next = body.tokens.refreshToken
    await instance(2).post('/api/auth/refresh', { refreshToken: next })
    // A thief, or the victim: one of them is late, and neither goes on.
    const again = await instance(1).post('/api/auth/refresh', { refreshToken })
    expect(again.status).toBe(401)
    for (let index = 0; index < 3; index++) {
      expect((await instance(index).query('auth.me', bearer(accessToken))).status).toBe(401)
    }
    expect(await ended).toContain('UNAUTHENTICATED')
  })
})

async function readToEnd(response: Response): Promise<string> {
  let text = ''
  const decoder = new TextDecoder()
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    text += decoder.decode(chunk, { stream: true })
  }
  return text
}

describe('a session of a browser', () => {
  let console: RunningConsole
  beforeAll(async () => {
    console = await startConsole({ env: { TWO_FA_WINDOW: '10', MAX_LOGIN_ATTEMPTS: '1000' } })
    await setUpByProgram(console)
  })
  afterAll(() => console?.stop())

  const fromBrowser = (more: Record<string, string> = {}) => ({
    origin: console.url,
    'sec-fetch-site': 'same-origin',
    ...more,
  })

  async function signIn(headers: Record<string, string> = {}) {
    const answer = await program(console).call('auth.signIn', credentials, fromBrowser(headers))
    const cookies = answer.headers.getSetCookie()
    const value = (kind: string) =>
      cookies.find((cookie) => cookie.startsWith(`holdfast-${kind}=`))?.split(/[=;]/)[1] ?? ''
    return { answer, cookies, access: value('access'), refresh: value('refresh'), device: value('device') }
  }

  it('starts with new values, whatever cookies an attacker has planted', async () => {
    const planted = 'a'.repeat(43)
    const { access, refresh, cookies } = await signIn({
      cookie: `holdfast-access=${planted}; holdfast-refresh=${planted}`,
    })
    expect([access, refresh]).not.toContain(planted)
    for (const cookie of cookies) expect(cookie).toMatch(/; HttpOnly; SameSite=Lax; Max-Age=\d+$/)
    const before = await signIn()
    const after = await signIn({ cookie: `holdfast-access=${before.access}` })
    expect(after.answer.body.session.sessionId).not.toBe(before.answer.body.session.sessionId)
  })

  it('is not believed when a cookie comes twice', async () => {
    const { access } = await signIn()
    const me = (cookie: string) => program(console).query('auth.me', { cookie })
    expect((await me(`holdfast-access=${access}`)).status).toBe(200)
    expect((await me(`holdfast-access=${access}; holdfast-access=${access}`)).status).toBe(401)
    expect((await me(`holdfast-access=x; holdfast-access=${access}`)).status).toBe(401)
  })

  it('can be neither opened, renewed nor ended from another site', async () => {
    const { access, refresh } = await signIn()
    const cookie = `holdfast-access=${access}; holdfast-refresh=${refresh}`
    const foreign = [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { origin: console.url.replace('http:', 'https:') },
      { origin: `${console.url}.evil.example` },
      { origin: console.url, 'sec-fetch-site': 'cross-site' },
      { origin: console.url, 'sec-fetch-site': 'same-site' },
      { 'sec-fetch-site': 'cross-site' },
      {},
    ]
    const bodies = {
      'auth.signOut': {},
      'auth.refresh': {},
      'account.endOtherSessions': {},
      'account.setName': { name: 'Eve' },
    }
    for (const headers of foreign) {
      for (const [procedure, body] of Object.entries(bodies)) {
        const answer = await program(console).call(procedure, body, {
          ...(headers as Record<string, string>),
          cookie,
        })
        expect({ procedure, status: answer.status, code: answer.body.code }).toEqual({
          procedure,
          status: 403,
          code: 'BAD_ORIGIN',
        })
        expect(answer.headers.getSetCookie()).toEqual([])
      }
      for (const path of ['/api/auth/logout', '/api/auth/refresh']) {
        const answer = await program(console).post(
          path,
          {},
          { ...(headers as Record<string, string>), cookie },
        )
        expect({ path, status: answer.status }).toEqual({ path, status: 403 })
      }
    }
    // A sign-in from another site would give the victim the attacker's session.
    for (const headers of foreign.slice(0, 7)) {
      const answer = await program(console).call(
        'auth.signIn',
        credentials,
        headers as Record<string, string>,
      )
      expect(answer.status).toBe(403)
      expect(answer.headers.getSetCookie()).toEqual([])
    }
    expect((await program(console).query('auth.me', { cookie })).body.name).toBe('Ana Admin')
  })

  it('takes no form, however it is encoded', async () => {
    const { access, refresh } = await signIn()
    const cookie = `holdfast-access=${access}; holdfast-refresh=${refresh}`
    for (const type of [
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'text/plain',
    ]) {
      for (const path of ['/api/trpc/auth.signOut', '/api/auth/logout', '/api/auth/refresh']) {
        const answer = await fetch(`${console.url}${path}`, {
          method: 'POST',
          headers: fromBrowser({ cookie, 'content-type': type }),
          body: '{}',
        })
        expect({ type, path, status: answer.status }).toEqual({ type, path, status: 415 })
      }
    }
    expect((await program(console).query('auth.me', { cookie })).status).toBe(200)
  })

  it('of a program gets its tokens in the body and no cookie', async () => {
    const answer = await program(console).post('/api/auth/login', credentials)
    expect(answer.status).toBe(200)
    expect(answer.headers.getSetCookie()).toEqual([])
    expect(answer.body.tokens).toEqual({ accessToken: expect.any(String), refreshToken: expect.any(String) })
  })

  it('gets a new id with a step-up, and the token from before is worthless', async () => {
    const { post, query } = program(console)
    const { body } = await post('/api/auth/login', credentials)
    const { accessToken } = body.tokens
    const { app } = await enrolByProgram(console.url, accessToken, 10)
    const policy = { requiredRoles: ['admin', 'operator'] }
    const stepUp = await post(
      '/api/auth/step-up',
      { action: 'security.setFactorPolicy', input: policy, code: app.next() },
      bearer(accessToken),
    )
    expect(stepUp.status).toBe(200)
    const fresh = stepUp.body.tokens.accessToken
    expect((await query('auth.me', bearer(accessToken))).status).toBe(401)
    expect((await query('auth.me', bearer(fresh))).status).toBe(200)

    const set = (input: object, grant?: string) =>
      program(console).call('security.setFactorPolicy', input, {
        ...bearer(fresh),
        ...(grant ? { 'holdfast-step-up': grant } : {}),
      })
    expect((await set(policy)).body.code).toBe('STEP_UP_REQUIRED')
    expect((await set({ requiredRoles: [] }, stepUp.body.grantId)).body.code).toBe('STEP_UP_REQUIRED')
    const both = await Promise.all([set(policy, stepUp.body.grantId), set(policy, stepUp.body.grantId)])
    expect(both.map(({ status }) => status).sort()).toEqual([200, 403])
  })
})
