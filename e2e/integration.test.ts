import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { waitUntil } from '@/db/testing/processes'
import { createDatabase, needsPostgres } from '@/db/testing/shared'
import { admin, credentials } from './admin'
import { openRunGuide } from './guide'
import { bearer, enrolByProgram, program, setUpByProgram } from './program'
import { type RunningConsole, startConsole } from './server'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

const run = promisify(execFile)
const root = join(import.meta.dirname, '..')

const { snippet, shell, unused } = openRunGuide('integration')

/** Verifies a token by a module of the guide, in a program of its own. Rejects when the guide's code throws. */
async function verify(name: string, token: string, env: Record<string, string>) {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-integration-'))
  try {
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
    writeFileSync(join(folder, 'verify.mjs'), snippet(name))
    const main = `import { verifyToken } from './verify.mjs'
      console.log(JSON.stringify(await verifyToken(process.env.TOKEN)))`
    writeFileSync(join(folder, 'main.mjs'), main)
    const options = { env: { TOKEN: token, ...env } as unknown as NodeJS.ProcessEnv }
    return JSON.parse((await run(process.execPath, [join(folder, 'main.mjs')], options)).stdout)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The same token in another name, with the signature as it was. */
function forged(token: string): string {
  const [header, claims = '', signature] = token.split('.')
  const changed = { ...JSON.parse(Buffer.from(claims, 'base64url').toString()), sub: 'somebody-else' }
  return [header, Buffer.from(JSON.stringify(changed)).toString('base64url'), signature].join('.')
}

describe('the guide for other applications', () => {
  let console: RunningConsole
  let app: Awaited<ReturnType<typeof enrolByProgram>>['app']
  /** An admin's access token with a factor. */
  let token: string
  let HOLDFAST: string
  beforeAll(async () => {
    console = await startConsole({ env: { TWO_FA_WINDOW: '10' } })
    HOLDFAST = console.url
    token = (await setUpByProgram(console)).accessToken
    app = (await enrolByProgram(HOLDFAST, token, 10)).app
  })
  afterAll(() => console?.stop())

  async function signIn() {
    const login = await shell('login', { HOLDFAST, EMAIL: credentials.email, PASSWORD: credentials.password })
    expect(login).toMatchObject({ state: 'factor', factors: ['totp', 'backup-code'] })
    return shell('verify', { HOLDFAST, CHALLENGE: login.challenge, CODE: app.next() })
  }

  it('signs in with a second factor, tells who it is, renews once and signs out', async () => {
    const { tokens, session } = await signIn()
    expect(session).toMatchObject({ email: admin.email, role: 'admin', needs: [] })
    const me = await shell('me', { HOLDFAST, ACCESS: tokens.accessToken })
    expect(me).toMatchObject({ email: admin.email, sessionId: session.sessionId })
    const renewed = await shell('refresh', { HOLDFAST, REFRESH: tokens.refreshToken })
    expect(renewed.tokens.refreshToken).not.toBe(tokens.refreshToken)
    const repeated = await shell('refresh', { HOLDFAST, REFRESH: tokens.refreshToken })
    expect(repeated.tokens.refreshToken).toBe(renewed.tokens.refreshToken)
    const ACCESS = renewed.tokens.accessToken
    expect(await shell('logout', { HOLDFAST, ACCESS })).toBe(null)
    expect(await shell('me', { HOLDFAST, ACCESS })).toMatchObject({ status: 401, code: 'UNAUTHENTICATED' })
    const after = await shell('refresh', { HOLDFAST, REFRESH: renewed.tokens.refreshToken })
    expect(after).toMatchObject({ status: 401, code: 'SESSION_ENDED' })
  })

  it('verifies a token by the public keys, and no forged one', async () => {
    const { tokens, session } = await signIn()
    const claims = await verify('verify-token', tokens.accessToken, { HOLDFAST })
    expect(claims.sub).toBe(session.userId)
    expect(claims.sid.split('.')[0]).toBe(session.sessionId)
    await expect(verify('verify-token', forged(tokens.accessToken), { HOLDFAST })).rejects.toThrow(
      'signature verification failed',
    )
    const elsewhere = { HOLDFAST: HOLDFAST.replace('localhost', '127.0.0.1') }
    await expect(verify('verify-token', tokens.accessToken, elsewhere)).rejects.toThrow('"iss" claim')
  })

  /** An API key with these permissions. */
  async function keyFor(name: string, permissions: string[]): Promise<string> {
    const input = { name, permissions, days: 1 }
    const { post, call } = program(console)
    const step = { action: 'security.createApiKey', input, code: app.next() }
    const granted = await post('/api/auth/step-up', step, bearer(token))
    token = granted.body.tokens.accessToken
    const headers = { ...bearer(token), 'holdfast-step-up': granted.body.grantId }
    return (await call('security.createApiKey', input, headers)).body.key
  }

  it('reports events once, however often they are sent, and exports them', async () => {
    const env = {
      HOLDFAST,
      ONCE: randomUUID(),
      KEY: await keyFor('shop', ['security:ingest', 'security:read']),
    }
    const taken = await shell('report', env)
    expect(taken).toEqual({ accepted: 2, first: expect.any(Number), last: taken.first + 1 })
    expect(await shell('report', env)).toEqual(taken)
    const exported = await shell('export', env)
    expect(exported).toMatchObject({
      ...{ seq: taken.first, event: 'authn_login_fail', actor: 'vic@example.org', source: 'shop' },
      ...{ address: '203.0.113.7', reason: 'wrong password', actorId: null },
    })
    const other = await keyFor('other', ['security:ingest'])
    expect(await shell('report', { ...env, KEY: other })).toMatchObject({ status: 403, code: 'FORBIDDEN' })
    expect(await shell('export', { ...env, KEY: other })).toMatchObject({ status: 403, code: 'FORBIDDEN' })
  })

  it('uses an API key', async () => {
    const key = await keyFor('guide', ['system:read'])
    expect(await shell('key', { HOLDFAST, KEY: key })).toMatchObject({ components: expect.anything() })
    expect(await shell('me', { HOLDFAST, ACCESS: key })).toMatchObject({
      status: 403,
      code: 'FORBIDDEN',
    })
  })

  describe('with a migration to start', () => {
    needsPostgres()

    it('steps up for it', async () => {
      const { url, drop } = await createDatabase()
      try {
        const RUN = await planned(url)
        const { tokens } = await signIn()
        const without = { HOLDFAST, RUN, ACCESS: tokens.accessToken, GRANT: '' }
        expect(await shell('start', without)).toMatchObject({ status: 403, code: 'STEP_UP_REQUIRED' })
        const granted = await shell('step-up', { ...without, CODE: app.next() })
        expect(await shell('me', without)).toMatchObject({ status: 401 })
        const ACCESS = granted.tokens.accessToken
        const given = { HOLDFAST, RUN, ACCESS, GRANT: granted.grantId }
        expect(await shell('start', given)).toBe(null)
        expect(await shell('start', given)).toMatchObject({ status: 409, code: 'CONFLICT' })
        await waitUntil('the end of the run', async () => (await status(RUN)).state === 'completed')
      } finally {
        await drop()
      }
    })

    const status = async (id: string) =>
      (await program(console).get(`/api/infrastructure/migration/status/${id}`, bearer(token))).body

    /** A run of the console's own store into a database, whose plan is made and whose checks are read. */
    async function planned(url: string): Promise<string> {
      const { hostname: host, port, username: user, password, pathname } = new URL(url)
      const place = { host, port: Number(port), user, password, database: pathname.slice(1), ssl: false }
      const call = (procedure: string, input: object) =>
        program(console).call(procedure, input, bearer(token))
      const connection = await call('migration.createConnection', { name: 'guide', ...place })
      const target = { kind: 'connection', id: connection.body.id }
      const { id } = (await call('migration.create', { source: { kind: 'store' }, target })).body
      await waitUntil('the plan', async () => {
        const { plan, phase } = await status(id)
        return plan !== null && phase === null
      })
      const amber = (await status(id)).checks.filter(({ state }: { state: string }) => state === 'amber')
      const checks = amber.map((check: { id: string }) => check.id)
      if (checks.length > 0) await call('migration.acknowledge', { id, checks })
      return id
    }
  })

  it('verifies a token by the shared secret', async () => {
    const JWT_SECRET = 'a secret that is shared with nobody but this test'
    const secretive = await startConsole({ env: { JWT_SECRET } })
    try {
      const { accessToken } = await setUpByProgram(secretive)
      const env = { HOLDFAST: secretive.url, JWT_SECRET }
      const me = await shell('me', { HOLDFAST: secretive.url, ACCESS: accessToken })
      expect(await verify('verify-by-secret', accessToken, env)).toMatchObject({ sub: me.userId })
      const wrong = { ...env, JWT_SECRET: `${JWT_SECRET}!` }
      await expect(verify('verify-by-secret', accessToken, wrong)).rejects.toThrow('signature verification')
      await expect(verify('verify-token', accessToken, env)).rejects.toThrow()
    } finally {
      await secretive.stop()
    }
  })

  it('has no command that is not run here', () => {
    // Those of its own process: e2e/sample.test.ts.
    expect(unused().filter((name) => !name.startsWith('own-'))).toEqual([])
  })
})
