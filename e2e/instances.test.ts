import { execFile, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { Client } from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { needsPostgres, needsRedis } from '@/db/testing/shared'
import { type Consoles, startConsoles } from './consoles'
import { haproxyMissing, hasHaproxy } from './haproxy'
import { bearer, enrolByProgram, program } from './program'
import { openStream } from './stream'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 240_000 })

/** The store of an earlier release, with its key and its admin (server/upgrade.test.ts). */
const old = join('db', 'fixtures', '0.5.0', 'store.pg.sql')
const ada = { email: 'ada@example.org', password: 'correct horse battery staple' }
const reports = '/api/infrastructure/security/events'

beforeEach((context) => context.skip(!hasHaproxy(), haproxyMissing))

describe('two consoles behind haproxy, started at the same time on the store of an earlier release', () => {
  needsPostgres()
  needsRedis()
  let scene: Consoles
  let app: Awaited<ReturnType<typeof enrolByProgram>>['app']
  let key: string
  let schemaBefore: number

  beforeAll(async () => {
    if (!hasHaproxy()) return
    scene = await startConsoles(2, {
      together: true,
      env: {
        HOLDFAST_MASTER_KEY: Buffer.alloc(32, 'fixture').toString('base64'),
        RATE_LIMIT_ADDRESS: 'off',
        RATE_LIMIT_USER: 'off',
        RATE_LIMIT_ENDPOINTS: 'auth.checkLink=6/1h,auth.signIn=off,auth.verify=off',
        BLOCK_AFTER: 'off',
      },
      async before(url) {
        const client = new Client({ connectionString: url })
        await client.connect()
        await client.query(readFileSync(old, 'utf8'))
        const { rows } = await client.query('SELECT count(*)::int AS count FROM drizzle.__drizzle_migrations')
        schemaBefore = rows[0].count
        await client.end()
      },
    })
    const { post, call } = instance(0)
    const { accessToken } = (await post('/api/auth/login', ada)).body.tokens
    app = (await enrolByProgram(scene.at(0).url, accessToken, 10)).app
    const input = { name: 'shop', permissions: ['security:ingest', 'security:operate'], days: 1 }
    const proof = { action: 'security.createApiKey', input, code: app.next() }
    const granted = (await post('/api/auth/step-up', proof, bearer(accessToken))).body
    const headers = { ...bearer(granted.tokens.accessToken), 'holdfast-step-up': granted.grantId }
    key = (await call('security.createApiKey', input, headers)).body.key
  })
  afterAll(() => scene?.stop())

  const instance = (index: number) => program(scene.at(index % 2))

  /** Signs in with the second factor. */
  async function signIn() {
    const { post } = instance(0)
    const { challenge } = (await post('/api/auth/login', ada)).body
    const { body } = await post('/api/auth/verify', { challenge, code: app.next() })
    return body.tokens as { accessToken: string; refreshToken: string }
  }

  /** Writes with keys through haproxy, until told to stop; answers the statuses and what was acknowledged. */
  function keepWriting(parallel: number) {
    let stopped = false
    const statuses: number[] = []
    const acknowledged: string[] = []
    const writer = async () => {
      while (!stopped) {
        const actor = `w-${randomUUID()}`
        const events = [{ event: 'authn_login_success', outcome: 'success', actor }]
        const headers = { ...bearer(key), 'idempotency-key': randomUUID() }
        const send = () => program(scene).post(reports, { source: 'shop', events }, headers)
        const { status } = await send().catch(() => ({ status: 0 }))
        statuses.push(status)
        if (status === 200) acknowledged.push(actor)
      }
    }
    const writers = Array.from({ length: parallel }, writer)
    return {
      statuses,
      acknowledged,
      async stop() {
        stopped = true
        await Promise.all(writers)
      },
    }
  }

  async function absent(acknowledged: string[]): Promise<string[]> {
    const rows = await scene.query<{ actor: string }>(`SELECT actor FROM audit_events WHERE actor LIKE 'w-%'`)
    const there = rows.map(({ actor }) => actor)
    expect(new Set(there).size).toBe(there.length)
    return acknowledged.filter((actor) => !there.includes(actor))
  }

  it('change its schema once, one of them while the other waits, and both serve', async () => {
    const applied = await scene.query<{ hash: string }>('SELECT hash FROM drizzle.__drizzle_migrations')
    expect(applied.length).toBeGreaterThan(schemaBefore)
    expect(new Set(applied.map(({ hash }) => hash)).size).toBe(applied.length)
    for (const index of [0, 1]) expect((await instance(index).get('/api/health/ready')).status).toBe(200)
  })

  it('share sessions: made on one, refreshed on both at once, ended on one and at once on the other', async () => {
    const { refreshToken } = await signIn()
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) => instance(index).post('/api/auth/refresh', { refreshToken })),
    )
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200))
    expect(new Set(answers.map(({ body }) => body.tokens.refreshToken)).size).toBe(1)
    const accessToken: string = answers[0]?.body.tokens.accessToken
    for (const index of [0, 1])
      expect((await instance(index).get('/api/auth/me', bearer(accessToken))).status).toBe(200)
    const stream = await openStream(scene.at(1).url, accessToken)
    await stream.next(/^id: /m)
    const ended = performance.now()
    expect((await instance(0).post('/api/auth/logout', {}, bearer(accessToken))).status).toBe(204)
    expect(await stream.end()).toMatch(/UNAUTHENTICATED/)
    expect(performance.now() - ended).toBeLessThan(2_000)
    expect((await instance(1).get('/api/auth/me', bearer(accessToken))).status).toBe(401)
  })

  it('count limits together', async () => {
    const statuses: number[] = []
    for (let call = 0; call < 12; call++)
      statuses.push((await instance(call).call('auth.checkLink', { token: 'x'.repeat(43) })).status)
    expect(statuses.filter((status) => status === 429)).toHaveLength(6)
  })

  it('keep a blocked address out on both within a second', async () => {
    const from = { 'x-forwarded-for': '198.51.100.9' }
    expect((await instance(1).get('/api/health/live', from)).status).toBe(200)
    const block = { network: '198.51.100.9', reason: 'noise', durationMs: 60_000 }
    const path = '/api/infrastructure/security/blocks/add'
    expect((await instance(0).post(path, block, bearer(key))).status).toBe(200)
    await vi.waitFor(async () => expect((await instance(1).get('/api/health/live', from)).status).toBe(403), {
      timeout: 1_000,
      interval: 20,
    })
  })

  it('do a change once that is sent to both at the same time with one key', async () => {
    const block = { network: '198.51.100.10', reason: 'noise', durationMs: 60_000 }
    const headers = { ...bearer(key), 'idempotency-key': randomUUID() }
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, index) => instance(index).call('security.blocks.add', block, headers)),
    )
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200))
    expect(new Set(answers.map(({ body }) => body.blockId)).size).toBe(1)
  })

  it('fail no request when one of them is told to end, which it does with 0 within 5 s', async () => {
    const { accessToken } = await signIn()
    const stream = await openStream(scene.at(1).url, accessToken)
    await stream.next(/^id: /m)
    const load = keepWriting(8)
    await vi.waitFor(() => expect(load.statuses.length).toBeGreaterThan(20), { timeout: 30_000 })
    const begun = performance.now()
    const code = await scene.consoles[1]?.stop()
    expect({ code, inTime: performance.now() - begun < 5_000 }).toEqual({ code: 0, inTime: true })
    expect(await stream.end()).toMatch(/SHUTTING_DOWN/)
    const before = load.statuses.length
    await vi.waitFor(() => expect(load.statuses.length).toBeGreaterThan(before + 20), { timeout: 30_000 })
    await load.stop()
    expect(load.statuses.filter((status) => status !== 200)).toEqual([])
    expect(await absent(load.acknowledged)).toEqual([])
    await scene.restart(1)
  })

  it('lose nothing that was acknowledged when one is killed; streams go on at the other; the log has no gap', async () => {
    const { accessToken } = await signIn()
    const stream = await openStream(scene.at(1).url, accessToken)
    const last = /^id: (.+)$/m.exec(await stream.next(/^id: .+\n/m))?.[1]
    const load = keepWriting(4)
    await vi.waitFor(() => expect(load.acknowledged.length).toBeGreaterThan(20), { timeout: 30_000 })
    await scene.consoles[1]?.kill9()
    const resumed = await openStream(scene.url, accessToken, last)
    await resumed.next(/^id: /m)
    await resumed.close()
    await pause(500)
    await load.stop()
    expect(await absent(load.acknowledged)).toEqual([])
    const { PATH = '', HOME = '' } = process.env
    const env = { ...scene.env, PATH, HOME, HOLDFAST_DATA_DIR: scene.consoles[0]?.dataDir as string }
    const verify = ['dist/cli/audit.mjs', 'verify']
    const { stdout } = await promisify(execFile)(process.execPath, verify, {
      env: { ...env, NODE_ENV: 'production', HOLDFAST_ENV_FILE: '/dev/null' },
    })
    expect(stdout).not.toBe('')
  })
})

describe('a short run of chaos over instances', () => {
  needsPostgres()
  needsRedis()

  it('fails no request twice, loses no write and does none double', async () => {
    const args = ['dist/chaos/instances.mjs', '--rounds', '2', '--seed', '7', '--rate', '40']
    const child = spawn(process.execPath, args)
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += data))
    const code = await new Promise((resolve) => child.once('close', resolve))
    expect(output.trim().split('\n').at(-1), output).toBe(
      'CHAOS instances rounds=2 failed=0 lost=0 doubled=0',
    )
    expect(code).toBe(0)
  })
})
