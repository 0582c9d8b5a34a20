import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { admin, credentials } from '../admin'
import { bearer, enrolByProgram, program, setUpByProgram } from '../program'
import { type RunningConsole, startConsole } from '../server'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

let console: RunningConsole
/** An admin's access token, with its factor. */
let token: string
let app: Awaited<ReturnType<typeof enrolByProgram>>['app']

beforeAll(async () => {
  console = await startConsole({ env: { TWO_FA_WINDOW: '10', MAX_LOGIN_ATTEMPTS: '1000' } })
  token = (await setUpByProgram(console)).accessToken
  app = (await enrolByProgram(console.url, token, 10)).app
})
afterAll(() => console?.stop())

const call = (procedure: string, input: unknown, headers: Record<string, string> = {}) =>
  program(console).call(procedure, input, { ...bearer(token), ...headers })

/** Does what takes a step-up; the session goes on with its new token. */
async function steppedUp(procedure: string, input: object) {
  const { body } = await call('auth.stepUp', { action: procedure, input, code: app.next() })
  token = body.tokens.accessToken
  return call(procedure, input, { 'holdfast-step-up': body.grantId })
}

/** Another user by invitation: credentials, and a session. */
async function invited(email: string, role: string) {
  const { body } = await steppedUp('security.inviteUser', { email, name: 'Vic Viewer', role })
  const password = 'a second horse, another battery'
  const accepted = await program(console).call('auth.useLink', { token: body.link.split('#')[1], password })
  return { userId: body.userId as string, password, accessToken: accepted.body.tokens.accessToken as string }
}

describe('fields that nobody asked for', () => {
  it.each<[string, object]>([
    ['auth.signIn', { ...credentials, role: 'admin' }],
    ['auth.signIn', { ...credentials, methods: ['otp'] }],
    ['auth.verify', { challenge: 'x', code: '1', userId: 'y' }],
    ['auth.useLink', { token: 'x', password: admin.password, role: 'admin' }],
    ['account.setName', { name: 'Ana', role: 'admin' }],
    ['account.setName', { name: 'Ana', userId: 'x' }],
    ['account.changePassword', { current: 'x', password: admin.password, userId: 'x' }],
    ['security.inviteUser', { email: 'a@example.org', name: 'A', role: 'viewer', state: 'active' }],
    ['security.inviteUser', { email: 'a@example.org', name: 'A', role: 'owner' }],
    ['security.createApiKey', { name: 'x', permissions: ['account:own'], days: 1 }],
    ['security.createApiKey', { name: 'x', permissions: ['everything'], days: 1 }],
    [
      'security.createApiKey',
      { name: 'x', permissions: ['system:read'], days: 1, action: 'security.setRole' },
    ],
  ])('of %s are refused: %j', async (procedure, input) => {
    const { status, body } = await call(procedure, input)
    expect({ status, code: body.code }).toEqual({ status: 400, code: 'BAD_INPUT' })
  })

  it('cannot reach the prototype of anything', async () => {
    const answer = await fetch(`${console.url}/api/trpc/account.setName`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...bearer(token) },
      body: '{"name":"Ana","__proto__":{"role":"admin"},"constructor":{"prototype":{"role":"admin"}}}',
    })
    expect(answer.status).toBe(400)
    expect((await program(console).query('auth.me', bearer(token))).status).toBe(200)
  })
})

describe('what belongs to somebody else', () => {
  it('cannot be ended, renamed or removed by its id', async () => {
    const vic = await invited('vic@example.org', 'viewer')
    const asVic = bearer(vic.accessToken)
    const sessions = await program(console).query('account.sessions', bearer(token))
    const [mine] = sessions.body as { id: string }[]
    const ended = await program(console).call('account.endSession', { sessionId: mine?.id }, asVic)
    expect({ status: ended.status, code: ended.body.code }).toEqual({ status: 404, code: 'NOT_FOUND' })

    const begun = await call('account.beginTotp', {})
    expect(begun.body.code).toBe('STEP_UP_REQUIRED')
    const { body } = await call('auth.stepUp', { action: 'account.beginTotp', input: {}, code: app.next() })
    token = body.tokens.accessToken
    const mineBegun = await call('account.beginTotp', {}, { 'holdfast-step-up': body.grantId })
    const stolen = await program(console).call(
      'account.activateTotp',
      { factorId: mineBegun.body.factorId, code: '123456' },
      asVic,
    )
    expect(stolen.status).toBeGreaterThanOrEqual(400)
    expect((await program(console).query('account.factors', asVic)).body.totp).toBe(null)
    for (const [name, input] of [
      ['account.renamePasskey', { id: mine?.id, name: 'x' }],
      ['security.endSession', { sessionId: mine?.id }],
      ['security.endSessions', { userId: vic.userId }],
    ] as const) {
      const answer = await program(console).call(name, input, asVic)
      expect([403, 404]).toContain(answer.status)
    }
    expect((await program(console).query('auth.me', bearer(token))).status).toBe(200)
  })

  it('stops at once when its user is disabled, and is never an oracle', async () => {
    const { userId, password, accessToken } = await invited('opal@example.org', 'operator')
    expect((await program(console).query('database.stats', bearer(accessToken))).status).toBe(200)
    expect((await steppedUp('security.setRole', { userId, role: 'viewer' })).status).toBe(200)
    const operate = await program(console).call(
      'database.test',
      { host: '127.0.0.1', port: 1, database: 'x', user: 'x', password: '' },
      bearer(accessToken),
    )
    expect(operate.status).toBe(403)
    expect((await steppedUp('security.disableUser', { userId })).status).toBe(200)
    expect((await program(console).query('auth.me', bearer(accessToken))).status).toBe(401)
    const disabled = await program(console).post('/api/auth/login', { email: 'opal@example.org', password })
    const unknown = await program(console).post('/api/auth/login', { email: 'nobody@example.org', password })
    const words = ({ body: { requestId: _, ...rest }, status }: typeof disabled) => ({ status, ...rest })
    expect(words(disabled)).toEqual(words(unknown))
  })
})

describe('answers', () => {
  it('never hold a stack, a path or SQL, whatever is sent', async () => {
    const odd = [
      '',
      '[',
      'null',
      '[]',
      '1',
      '"x"',
      '{"email":1}',
      '{"email":{"$ne":null},"password":{"$ne":null}}',
      `{"email":"${'a'.repeat(5_000)}@example.org","password":"x"}`,
      '{"email":"a@example.org\\u0000","password":"\\u0000"}',
      '{"email":"a@example.org\' OR 1=1 --","password":"x"}',
      '{"email":"\\ud800@example.org","password":"\\ud800"}',
    ]
    for (const path of [
      '/api/auth/login',
      '/api/auth/verify',
      '/api/auth/refresh',
      '/api/trpc/auth.signIn',
    ]) {
      for (const body of odd) {
        const answer = await fetch(`${console.url}${path}`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body,
        })
        const said = await answer.text()
        expect({ path, body, status: answer.status }).toSatisfy(
          ({ status }: { status: number }) => status >= 400 && status < 500,
        )
        expect(said).not.toMatch(/\bat .*\(|node_modules|\.mjs|\.ts:|select |insert |SQLITE|drizzle/i)
      }
    }
  })

  it('carry the headers that browsers need, errors and REST among them', async () => {
    const page = /script-src 'self' 'nonce-[^']+' 'strict-dynamic';/
    const nothing = /default-src 'none'/
    const policies = {
      ...{ '/sign-in': page, '/nowhere': page, '/api/nowhere': page },
      ...{ '/api/auth/login': nothing, '/api/trpc/auth.me': nothing, '/api/trpc/system.live': nothing },
    }
    for (const [path, policy] of Object.entries(policies)) {
      const { headers, body } = await fetch(`${console.url}${path}`, { redirect: 'manual' })
      await body?.cancel()
      expect(headers.get('content-security-policy')).toMatch(policy)
      expect(headers.get('content-security-policy')).not.toContain('unsafe')
      expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
      expect(headers.get('x-content-type-options')).toBe('nosniff')
      expect(headers.get('referrer-policy')).toBe('same-origin')
      expect(headers.get('permissions-policy')).toContain('camera=()')
      expect(headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
      expect(headers.get('x-powered-by')).toBe(null)
    }
    const nonces = await Promise.all(
      [0, 1].map(async () => (await fetch(`${console.url}/sign-in`)).headers.get('content-security-policy')),
    )
    expect(nonces[0]).not.toBe(nonces[1])
  })

  it('split no header by line breaks in what they echo', async () => {
    for (const path of ['/sign-in?next=%0d%0aset-cookie:%20a=b', '/%0d%0aset-cookie:%20a=b']) {
      const { headers } = await fetch(`${console.url}${path}`, { redirect: 'manual' })
      expect(headers.get('set-cookie')).toBe(null)
    }
    const raw = await rawRequest(
      'GET /sign-in HTTP/1.1\r\nHost: x\r\nX-Request-Id: a\tb"><script>\r\nConnection: close\r\n\r\n',
    )
    expect(raw).not.toContain('<script>\r')
    expect(raw).not.toMatch(/x-request-id: a\tb/i)
  })

  it('refuse a body that is too large before it has come, and one that never says its size', async () => {
    const large = 'x'.repeat(1_100_000)
    for (const path of ['/api/auth/login', '/api/trpc/auth.signIn']) {
      const answer = await program(console).post(path, { email: 'a@example.org', password: large })
      expect({ path, status: answer.status }).toEqual({ path, status: 413 })
      const chunked = `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n`
      const body = `${large.length.toString(16)}\r\n${large}\r\n0\r\n\r\n`
      expect(await rawRequest(chunked + body)).toMatch(/^HTTP\/1\.1 413 /)
    }
  })

  it('answer with a page about what is not there at once, and ask for it no second time', async () => {
    const times = []
    for (let time = 0; time < 2; time++) {
      const begun = performance.now()
      const path = '/migration/00000000-0000-4000-8000-000000000000'
      expect((await program(console).get(path, bearer(token))).status).toBe(200)
      times.push(performance.now() - begun)
    }
    // The tries of a browser are a second, then two apart.
    expect(Math.min(...times)).toBeLessThan(3_000)
  })

  it('hand no secret of a log line to a log', () => {
    for (const secret of [admin.password, token, 'a second horse, another battery']) {
      expect(console.output()).not.toContain(secret)
    }
  })
})

async function rawRequest(bytes: string): Promise<string> {
  const socket = connect(console.port, '127.0.0.1')
  // The console may close before everything was sent.
  socket.on('error', () => {})
  socket.write(bytes)
  return text(socket).catch(() => '')
}
