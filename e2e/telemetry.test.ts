import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { type Collector, isOneTree, startCollector } from '@/db/testing/collector'
import { createDatabase, needsPostgres, needsRedis, sharedRedis } from '@/db/testing/shared'
import { admin } from './admin'
import { bearer, enrolByProgram, program, setUpByProgram } from './program'
import { type RunningConsole, startConsole } from './server'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })
needsPostgres()
needsRedis()

const SERVER = 2
const undo: (() => unknown)[] = []
afterAll(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

describe('a console on PostgreSQL and Redis with a collector', () => {
  let console: RunningConsole
  let collector: Collector
  let token: string
  const signedIn = () => bearer(token)

  beforeAll(async () => {
    collector = await startCollector()
    undo.push(() => collector.close())
    const database = await createDatabase()
    undo.push(database.drop)
    const { hostname, port, username, password } = new URL(database.url)
    const redis = new URL(sharedRedis().url)
    console = await startConsole({
      env: {
        ...{ DB_TYPE: 'postgresql', DB_HOST: hostname, DB_PORT: port, DB_NAME: database.database },
        ...{ DB_USER: username, DB_PASSWORD: decodeURIComponent(password) },
        ...{ REDIS_HOST: redis.hostname, REDIS_PORT: redis.port, CACHE_PREFIX: `${database.database}:` },
        ...{ REDIS_PASSWORD: redis.password },
        ...{ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, LOG_LEVEL: 'info', LOG_REQUESTS: 'info' },
        TWO_FA_WINDOW: '10',
      },
    })
    undo.push(() => console.stop())
    token = (await setUpByProgram(console)).accessToken
    await enrolByProgram(console.url, token, 10)
  })

  const lines = () =>
    console
      .output()
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line))
  const spansOf = (traceId: string) => collector.spans.filter((span) => span.traceId === traceId)

  it('tells one tree of spans over a request, down to statements', async () => {
    const traceId = '1'.repeat(32)
    const caller = '2'.repeat(16)
    const headers = { ...signedIn(), traceparent: `00-${traceId}-${caller}-01` }
    const names = 'system.health,cache.stats,database.stats'
    const path = `/api/trpc/${names}?batch=1&input=${encodeURIComponent('{}')}`
    expect((await program(console).get(path, headers)).status).toBe(200)
    await vi.waitFor(() => expect(spansOf(traceId).some(({ kind }) => kind === SERVER)).toBe(true), {
      timeout: 10_000,
    })
    const spans = spansOf(traceId)
    expect(isOneTree(spans, caller)).toBe(true)
    const [request] = spans.filter(({ kind }) => kind === SERVER)
    expect(request).toMatchObject({
      name: 'GET /api/trpc/{procedures}',
      attributes: { 'http.request.method': 'GET', 'http.response.status_code': 200 },
    })
    const below = spans.filter(({ parentSpanId }) => parentSpanId === request?.spanId).map(({ name }) => name)
    expect(below).toEqual(expect.arrayContaining(names.split(',')))
    const statements = spans.filter(({ attributes }) => attributes['db.system.name'] === 'postgresql')
    expect(statements.length).toBeGreaterThan(0)
    for (const { attributes } of statements) {
      expect(attributes['db.query.text']).toMatch(/\$1|^\s*select/i)
      expect(attributes['db.operation.name']).toMatch(/^[A-Z]+$/)
    }
  })

  it('gives a write the span of its unit, and its statements stand below it', async () => {
    const traceId = '3'.repeat(32)
    const { email, password } = admin
    const headers = { traceparent: `00-${traceId}-${'4'.repeat(16)}-01` }
    const answer = await program(console).call('auth.signIn', { email, password: `${password}?` }, headers)
    expect(answer.status).toBe(401)
    await vi.waitFor(() => expect(spansOf(traceId).some(({ kind }) => kind === SERVER)).toBe(true), {
      timeout: 10_000,
    })
    const spans = spansOf(traceId)
    const units = spans.filter(({ attributes }) => 'holdfast.unit' in attributes)
    expect(units.length).toBeGreaterThan(0)
    const ids = new Set(units.map(({ spanId }) => spanId))
    expect(spans.some(({ name, parentSpanId }) => name === 'INSERT' && ids.has(parentSpanId ?? ''))).toBe(
      true,
    )
    // Values are bound, and no span tells one.
    const told = JSON.stringify(spans)
    for (const value of [email, password, token]) expect(told).not.toContain(value)
  })

  it('names request, user, session and trace in the line of each request, and the same in its problem', async () => {
    const { status, body } = await program(console).get(
      '/api/infrastructure/system/range?from=0&to=1&metrics=of-the-query',
      { ...signedIn(), 'x-request-id': 'request-of-a-proxy' },
    )
    expect(status).toBe(400)
    expect(body).toMatchObject({
      requestId: 'request-of-a-proxy',
      traceId: expect.stringMatching(/^\w{32}$/),
    })
    await vi.waitFor(() => expect(lines().some(({ requestId }) => requestId === body.requestId)).toBe(true))
    const line = lines().find(({ requestId }) => requestId === body.requestId)
    expect(line).toEqual({
      ...{ level: 'info', time: expect.any(String), message: 'answered', requestId: body.requestId },
      ...{ method: 'GET', path: '/api/infrastructure/system/range', status, ms: expect.any(Number) },
      ...{ user: expect.any(String), session: expect.stringMatching(/^[\w-]{16}$/), traceId: body.traceId },
    })
    expect(console.output()).not.toContain('of-the-query')
    const [, payload = ''] = token.split('.')
    const { sid } = JSON.parse(Buffer.from(payload, 'base64url').toString())
    const [sessionId] = String(sid).split('.')
    expect(sessionId?.length).toBeGreaterThan(15)
    expect(console.output()).not.toContain(sessionId)
  })

  it('answers as before while the collector hangs or is away, says so once, and stops in time', async () => {
    const { get } = program(console)
    const ask = () => get('/api/infrastructure/system/config', signedIn())
    const timed = async (count: number) => {
      const times: number[] = []
      for (let n = 0; n < count; n++) {
        const begun = performance.now()
        expect((await ask()).status).toBe(200)
        times.push(performance.now() - begun)
      }
      return times.sort((a, b) => a - b)[count >> 1] as number
    }
    await timed(20)
    const before = await timed(60)
    collector.hang()
    const hanging = await timed(120)
    await collector.close()
    const away = await timed(120)
    expect(hanging).toBeLessThan(before * 3 + 5)
    expect(away).toBeLessThan(before * 3 + 5)
    const told = () => lines().filter(({ message }) => message.startsWith('the collector'))
    await vi.waitFor(() => expect(told()).toHaveLength(1), { timeout: 20_000 })
    const begun = Date.now()
    expect(await console.stop()).toBe(0)
    expect(Date.now() - begun).toBeLessThan(5_000)
    expect(told()).toHaveLength(1)
  })
})
