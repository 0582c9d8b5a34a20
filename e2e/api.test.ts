import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { waitUntil } from '@/db/testing/processes'
import { createDatabase, needsPostgres } from '@/db/testing/shared'
import { credentials } from './admin'
import { misfits, openRunGuide } from './guide'
import { authenticatorApp, bearer, program, setUpByProgram } from './program'
import { type RunningConsole, startConsole } from './server'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

const { shell, shown, unused } = openRunGuide('api')

describe('docs/api.md', () => {
  needsPostgres()

  let console: RunningConsole
  let database: Awaited<ReturnType<typeof createDatabase>>
  let app: ReturnType<typeof authenticatorApp>
  /** What the commands have learnt so far, as a reader's shell would keep it. */
  const env: Record<string, string> = { METRICS_TOKEN: 'a token for nothing but this test' }
  /** Runs a command of the document; its answer must be as the document shows it. */
  async function asShown(name: string) {
    const answer = await shell(name, env)
    expect({ name, answer, misfits: misfits(shown(name), answer) }).toMatchObject({ misfits: [] })
    return answer
  }

  beforeAll(async () => {
    database = await createDatabase()
    const { METRICS_TOKEN = '' } = env
    console = await startConsole({ env: { TWO_FA_WINDOW: '10', METRICS_TOKEN } })
    await setUpByProgram(console)
    const { hostname, port, username, password, pathname } = new URL(database.url)
    Object.assign(env, {
      ...{ HOLDFAST: console.url, EMAIL: credentials.email, PASSWORD: credentials.password },
      ...{ DB_HOST: hostname, DB_PORT: port, DB_USER: username, DB_NAME: pathname.slice(1) },
      DB_PASSWORD: decodeURIComponent(password),
    })
  })
  afterAll(async () => {
    await console?.stop()
    await database?.drop()
  })

  it('signs in, enrols a factor, steps up, and makes an API key', async () => {
    env.ACCESS = (await asShown('login')).tokens.accessToken
    const { factorId, secret } = await asShown('2fa-generate')
    app = authenticatorApp(secret, 10)
    Object.assign(env, { FACTOR: factorId, CODE: app.next() })
    await asShown('2fa-verify')
    env.CODE = app.next()
    const granted = await asShown('step-up')
    Object.assign(env, { ACCESS: granted.tokens.accessToken, GRANT: granted.grantId })
    env.NIGHTLY = (await asShown('create-key')).key
    env.KEY = await keyForAll()
  })

  it.each([
    ...['database-stats', 'database-test', 'cache-stats', 'cache-health', 'security-stats'],
    ...['security-events', 'system-health', 'system-config'],
  ])('answers %s as it says', async (name) => {
    await asShown(name)
  })

  it('tells a key without a step-up what is missing, and clears the cache with it', async () => {
    await asShown('problem')
    env.GRANT = (await asShown('key-step-up')).grantId
    await asShown('cache-clear')
  })

  it('finds each event once, page by page', async () => {
    const seen: number[] = []
    env.NEXT = '999999999'
    for (let more = true; more; more = env.NEXT !== 'null') {
      // Later pages have one before them, which the document's does not.
      const page = await (seen.length === 0 ? asShown('page') : shell('page', env))
      seen.push(...page.events.map(({ seq }: { seq: number }) => seq))
      env.NEXT = String(page.next)
    }
    expect(seen.length).toBeGreaterThan(5)
    expect(seen).toEqual([...new Set(seen)].sort((a, b) => b - a))
  })

  it('plans, starts and follows a migration', async () => {
    const { HOLDFAST = '', KEY = '' } = env
    const place = { host: env.DB_HOST, port: Number(env.DB_PORT), user: env.DB_USER, database: env.DB_NAME }
    const connection = { name: 'docs', ...place, password: env.DB_PASSWORD, ssl: false }
    const api = program({ url: HOLDFAST })
    const made = await api.call('migration.createConnection', connection, bearer(KEY))
    env.CONNECTION = made.body.id
    const { id } = await asShown('migration-plan')
    const run = async () => (await api.get(`/api/infrastructure/migration/status/${id}`, bearer(KEY))).body
    const planned = async () => {
      const { plan, phase } = await run()
      return plan !== null && phase === null
    }
    await waitUntil('the plan', planned, undefined, 100_000)
    await asShown('migration-status')
    const amber = (await run()).checks.filter(({ state }: { state: string }) => state === 'amber')
    const checks = amber.map((check: { id: string }) => check.id)
    if (checks.length > 0) await api.call('migration.acknowledge', { id, checks }, bearer(KEY))
    Object.assign(env, { RUN: id, CODE: app.next() })
    const granted = await shell('migration-step-up', env)
    Object.assign(env, { ACCESS: granted.tokens.accessToken, GRANT: granted.grantId })
    expect(await asShown('migration-start')).toEqual({ status: 204 })
    expect((await run()).state).not.toBe('planned')
  })

  it('streams events, and tells the metrics by their token', async () => {
    const stream = await shell('live', { ...env, SECONDS_TO_LISTEN: '3' })
    expect(stream).toMatch(/^data: .*"kind":"sample"/m)
    expect(stream).toMatch(/^id: .+/m)
    expect(await shell('metrics', env)).toMatch(/^# TYPE holdfast_/m)
  })

  it('has no command that is not run here', () => {
    expect(unused()).toEqual([])
  })

  /** A key with every permission, for the commands that need none but their own. */
  async function keyForAll(): Promise<string> {
    const areas = ['system', 'database', 'cache', 'security', 'migration']
    const permissions = areas.flatMap((area) => ['read', 'operate', 'manage'].map((of) => `${area}:${of}`))
    const input = { name: 'docs', permissions, days: 1 }
    const { post, call } = program(console)
    const step = { action: 'security.createApiKey', input, code: app.next() }
    const { body } = await post('/api/auth/step-up', step, bearer(env.ACCESS as string))
    env.ACCESS = body.tokens.accessToken
    const headers = { ...bearer(env.ACCESS as string), 'holdfast-step-up': body.grantId }
    return (await call('security.createApiKey', input, headers)).body.key
  }
})
