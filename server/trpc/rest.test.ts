import { afterEach, beforeEach, expect, it } from 'vitest'
import { z } from 'zod'
import { systemClock } from '@/server/clock'
import { HoldfastError } from '@/server/errors'
import { openLog } from '@/server/log'
import { noLimits } from '@/server/routers/testing/no-limits'
import { setRuntime } from '@/server/running'
import type { Runtime } from '@/server/runtime'
import type { SessionInfo } from '@/server/security'
import { procedure, publicProcedure, router } from './init'
import { restHandler } from './rest'

const url = 'http://localhost:3000'

const at = (method: 'GET' | 'POST', path: `/${string}`) => ({
  permission: 'public' as const,
  rest: { method, path },
})

const numbers = z.strictObject({ count: z.int().min(1).default(5), exact: z.boolean().optional() })

const app = router({
  read: publicProcedure
    .meta(at('GET', '/things'))
    .input(numbers)
    .query(({ input }) => input),
  one: publicProcedure
    .meta(at('GET', '/things/{id}'))
    .input(z.strictObject({ id: z.uuid() }))
    .query(({ input }) => input),
  bare: publicProcedure.meta(at('GET', '/bare')).query(() => ({ fine: true })),
  change: publicProcedure
    .meta(at('POST', '/things'))
    .input(numbers)
    .mutation(({ input, ctx }) => {
      ctx.resHeaders.append('set-cookie', 'a=1')
      ctx.resHeaders.append('set-cookie', 'b=2')
      return input
    }),
  quiet: publicProcedure.meta(at('POST', '/quiet')).mutation(() => undefined),
  guarded: procedure('system:read')
    .meta({ permission: 'system:read', rest: { method: 'GET', path: '/guarded' } })
    .query(({ ctx }) => ctx.session.email),
  busy: publicProcedure.meta(at('POST', '/busy')).mutation(() => {
    throw new HoldfastError('TOO_MANY_REQUESTS', { message: 'Too many.', retryAfterMs: 61_001 })
  }),
  broken: publicProcedure.meta(at('POST', '/broken')).mutation(() => {
    throw new Error('select secret from users')
  }),
  hidden: publicProcedure.meta({ permission: 'public', rest: false }).query(() => 'only over tRPC'),
  things: router({
    after: publicProcedure
      .input(z.strictObject({ at: z.strictObject({ time: z.int(), id: z.string() }) }))
      .query(({ input }) => input),
    byName: publicProcedure.input(z.strictObject({ of: z.array(z.int()) })).query(({ input }) => input),
  }),
})

const handle = restHandler(app)
let logged: string[] = []
let authenticate: () => Promise<SessionInfo | null>

beforeEach(() => {
  logged = []
  authenticate = async () => null
  setRuntime(
    Promise.resolve({
      security: { secure: false, authenticate: () => authenticate(), doubt: async () => null },
      refusals: { note() {} },
      limits: noLimits,
      clock: systemClock,
      env: { HOLDFAST_URL: url, TRUSTED_PROXIES: [] as string[] },
      log: openLog('error', (line) => logged.push(line)),
    } as unknown as Runtime),
  )
})
afterEach(() => {
  Reflect.deleteProperty(globalThis, 'holdfast')
})

type Sent = RequestInit & { duplex?: 'half' }

async function ask(method: string, path: string, init: Sent = {}) {
  const response = await handle(new Request(`${url}/api${path}`, { method, ...init }))
  const text = await response.text()
  return { response, status: response.status, body: text === '' ? null : JSON.parse(text) }
}

const json = (body: unknown): Sent => ({
  body: typeof body === 'string' ? body : JSON.stringify(body),
  headers: { 'content-type': 'application/json' },
})

it('answers a query as JSON that nobody keeps', async () => {
  const { response, body } = await ask('GET', '/things?count=7&exact=false')
  expect(body).toEqual({ count: 7, exact: false })
  expect(response.headers.get('content-type')).toMatch(/^application\/json/)
  expect(response.headers.get('cache-control')).toBe('no-store')
})

it('puts the values of a path into the input', async () => {
  const id = '6f0f6f0a-8a57-4c5e-9d39-3b7d3f6a1c11'
  expect((await ask('GET', `/things/${id}`)).body).toEqual({ id })
  expect((await ask('GET', '/things/7')).body).toMatchObject({ status: 400, code: 'BAD_INPUT' })
})

it.each([
  '?count=seven',
  '?count=1&count=2',
  '?exact=yes',
  '?count=',
  '?count=0x10',
  '?other=1',
  '?constructor=1',
  '?__proto__=1',
])('refuses the query %s', async (query) => {
  expect((await ask('GET', `/things${query}`)).body).toMatchObject({ status: 400, code: 'BAD_INPUT' })
})

it('finds a procedure without an address of its own by its name, and reads a list', async () => {
  const path = '/infrastructure/things/by-name'
  expect((await ask('GET', `${path}?of=3`)).body).toEqual({ of: [3] })
  expect((await ask('GET', `${path}?of=3&of=4`)).body).toEqual({ of: [3, 4] })
  expect((await ask('GET', `${path}?of=three`)).body).toMatchObject({ status: 400, code: 'BAD_INPUT' })
})

it('reads an object of a query from JSON', async () => {
  const path = '/infrastructure/things/after'
  const at = encodeURIComponent(JSON.stringify({ time: 1, id: 'x' }))
  expect((await ask('GET', `${path}?at=${at}`)).body).toEqual({ at: { time: 1, id: 'x' } })
  for (const wrong of ['1', 'null', '[]', '{', '{"time":"1"}', 'x'])
    expect((await ask('GET', `${path}?at=${wrong}`)).body).toMatchObject({ status: 400, code: 'BAD_INPUT' })
})

it('refuses an address for a query that takes what no query string can hold', () => {
  const input = z.strictObject({ at: z.array(z.strictObject({ x: z.int() })) })
  const nested = router({ place: publicProcedure.input(input).query(() => null) })
  expect(() => restHandler(nested)).toThrow('place takes at, which no query string can hold.')
})

it('refuses values for a procedure that takes none', async () => {
  expect((await ask('GET', '/bare')).body).toEqual({ fine: true })
  expect((await ask('GET', '/bare?limit=1')).body).toMatchObject({ status: 400, code: 'BAD_INPUT' })
  expect((await ask('POST', '/quiet', json({ all: true }))).status).toBe(400)
})

it('takes a body as strictly as tRPC does, however often it was asked', async () => {
  expect((await ask('POST', '/things', json({ count: 2 }))).body).toEqual({ count: 2 })
  for (const wrong of [{ count: '2' }, { count: true }, { exact: 'false' }, { count: 2, more: 1 }]) {
    const { body } = await ask('POST', '/things', json(wrong))
    expect(body).toMatchObject({ status: 400, code: 'BAD_INPUT' })
    expect(body.details.issues).toHaveLength(1)
  }
})

it('takes an empty body for an input without required fields', async () => {
  expect((await ask('POST', '/things')).body).toEqual({ count: 5 })
  expect((await ask('POST', '/things', json(''))).body).toEqual({ count: 5 })
})

it('answers 204 where there is nothing to tell', async () => {
  const { status, body } = await ask('POST', '/quiet')
  expect([status, body]).toEqual([204, null])
})

it('sets every cookie', async () => {
  const { response } = await ask('POST', '/things')
  expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2'])
})

it.each(['[]', '"text"', 'null', '7', '{', '{"count":1}}'])('refuses the body %s', async (body) => {
  expect((await ask('POST', '/things', json(body))).body).toMatchObject({ status: 400, code: 'BAD_INPUT' })
})

it('refuses a body that is no UTF-8', async () => {
  const body = Buffer.from([0x7b, 0xff, 0x7d])
  const { status } = await ask('POST', '/things', { ...json(''), body })
  expect(status).toBe(400)
})

it.each([
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'text/plain',
  'application/jsonp',
])('refuses %s, what a form of another site can send', async (type) => {
  for (const body of ['{"count":1}', '']) {
    const { body: told } = await ask('POST', '/things', { body, headers: { 'content-type': type } })
    expect(told).toMatchObject({ status: 415, code: 'UNSUPPORTED_TYPE' })
  }
})

it('refuses a body without a type', async () => {
  const { status } = await ask('POST', '/things', { body: Buffer.from('{}') })
  expect(status).toBe(415)
})

it('refuses more than 1 MiB by its length, and unread', async () => {
  const body = endless()
  const headers = { 'content-type': 'application/json', 'content-length': '1048577' }
  const { response, status } = await ask('POST', '/things', { body: body.stream, headers, duplex: 'half' })
  expect([status, response.headers.get('connection')]).toEqual([413, 'close'])
  expect(body.sent()).toBeLessThanOrEqual(65_536)
})

it('counts a body without a length, and stops reading at 1 MiB', async () => {
  const body = endless()
  const headers = { 'content-type': 'application/json' }
  const { body: told } = await ask('POST', '/things', { body: body.stream, headers, duplex: 'half' })
  expect(told).toMatchObject({ status: 413, code: 'TOO_LARGE' })
  expect(body.sent()).toBeLessThan(1_048_576 + 4 * 65_536)
  expect(body.cancelled()).toBe(true)
})

it('finds nothing at other addresses', async () => {
  for (const path of ['/nothing', '/hidden', '/things/', '/THINGS', '/things/1/2', '/constructor']) {
    expect((await ask('GET', path)).body).toMatchObject({ status: 404, code: 'NOT_FOUND' })
  }
})

it('finds its addresses whatever the host is called', async () => {
  const response = await handle(new Request('http://api.example.org/api/things'))
  expect(response.status).toBe(200)
})

it('tells which methods an address takes', async () => {
  for (const method of ['DELETE', 'PUT', 'PATCH']) {
    const { response, body } = await ask(method, '/things')
    expect(body).toMatchObject({ status: 405, code: 'METHOD_NOT_ALLOWED' })
    expect(response.headers.get('allow')).toBe('GET, HEAD, POST, OPTIONS')
  }
  const { response } = await ask('GET', '/busy')
  expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST, OPTIONS'])
  const options = await ask('OPTIONS', '/bare')
  expect([options.status, options.response.headers.get('allow')]).toEqual([204, 'GET, HEAD, OPTIONS'])
})

it('describes a refusal after RFC 9457, with how to sign in', async () => {
  const { response, body } = await ask('GET', '/guarded', { headers: { 'x-request-id': 'request-7' } })
  expect(response.headers.get('content-type')).toBe('application/problem+json')
  expect(response.headers.get('www-authenticate')).toBe('Bearer')
  expect(response.headers.get('cache-control')).toBe('no-store')
  expect(body).toEqual({
    type: 'about:blank',
    title: 'Unauthorized',
    status: 401,
    detail: 'You are signed out.',
    code: 'UNAUTHENTICATED',
    requestId: 'request-7',
    remedy: 'Sign in again.',
  })
})

it('says after how many seconds another try makes sense', async () => {
  const { response, body } = await ask('POST', '/busy')
  expect([response.status, response.headers.get('retry-after')]).toEqual([429, '62'])
  expect(body).toMatchObject({ code: 'TOO_MANY_REQUESTS', retryAfterMs: 61_001 })
})

it('shows nothing of an error that nobody expected but its request id, and logs it once', async () => {
  const { body } = await ask('POST', '/broken', { headers: { 'x-request-id': 'request-8' } })
  expect(body).toMatchObject({ status: 500, code: 'INTERNAL', requestId: 'request-8' })
  expect(JSON.stringify(body)).not.toContain('secret')
  expect(logged).toHaveLength(1)
  expect(logged[0]).toContain('request-8')
})

it('tells a known reason that a driver was wrapped around', async () => {
  authenticate = () =>
    Promise.reject(
      new Error('Failed query: select $1', {
        cause: new HoldfastError('DATABASE_READ_ONLY', 'Writes wait.'),
      }),
    )
  const { body } = await ask('GET', '/bare')
  expect(body).toMatchObject({ status: 503, code: 'DATABASE_READ_ONLY', detail: 'Writes wait.' })
  expect(logged).toEqual([])
})

it('does the same when a request fails before its procedure', async () => {
  authenticate = () => Promise.reject(new Error('the store is away'))
  const { body } = await ask('GET', '/bare', { headers: { 'x-request-id': 'request-9' } })
  expect(body).toMatchObject({ status: 500, code: 'INTERNAL', requestId: 'request-9' })
  expect(logged).toHaveLength(1)
  authenticate = () => Promise.reject(new HoldfastError('DATABASE_UNAVAILABLE', 'The store is away.'))
  expect((await ask('GET', '/bare')).body).toMatchObject({ status: 503, code: 'DATABASE_UNAVAILABLE' })
  expect(logged).toHaveLength(1)
})

it('refuses a change that another site asks for, and lets a program without cookies in', async () => {
  const headers = { origin: 'https://evil.example' }
  expect((await ask('POST', '/quiet', { headers })).body).toMatchObject({ status: 403, code: 'BAD_ORIGIN' })
  expect((await ask('POST', '/quiet')).status).toBe(204)
})

it('takes no router in which a GET changes something', () => {
  const wrong = router({ drop: publicProcedure.meta(at('GET', '/drop')).mutation(() => undefined) })
  expect(() => restHandler(wrong)).toThrow('drop is a mutation')
})

/** A body that never ends, in chunks of 64 KiB, and how much of it was taken. */
function endless() {
  let sent = 0
  let cancelled = false
  const stream = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        sent += 65_536
        controller.enqueue(new Uint8Array(65_536).fill(0x20))
      },
      cancel() {
        cancelled = true
      },
    },
    { highWaterMark: 0 },
  )
  return { stream, sent: () => sent, cancelled: () => cancelled }
}

it('takes a client that breaks off half-way for no failure of its own', async () => {
  const body = new ReadableStream({
    start: (controller) => controller.enqueue(new TextEncoder().encode('{"count":')),
    pull: (controller) => controller.error(new Error('aborted')),
  })
  const headers = { 'content-type': 'application/json' }
  const request = new Request(`${url}/api/things`, {
    method: 'POST',
    headers,
    body,
    duplex: 'half',
  } as object)
  const answer = await handle(request)
  expect([answer.status, (await answer.json()).code]).toEqual([400, 'BAD_INPUT'])
  expect(logged).toEqual([])
})
