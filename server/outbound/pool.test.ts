import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { makeAuthorities } from '@/db/testing/certificates'
import { systemClock } from '@/server/clock'
import { openLog } from '@/server/log'
import { type Outbound, openOutbound, type PoolOptions } from '.'
import { completePool } from './limits'
import { HttpPool } from './pool'
import { type Place, startPlace, until } from './testing/place'

const log = openLog('error', () => {})
const deps = { clock: systemClock, log }
const opened: { close(): Promise<void> }[] = []

afterEach(async () => {
  for (const thing of opened.splice(0).reverse()) await thing.close()
})

function open(options: Omit<PoolOptions, 'name'> = {}, ca?: string) {
  const outbound: Outbound = openOutbound({ ...deps, ca }, [{ name: 'test', ...options }])
  opened.push(outbound)
  return { outbound, pool: outbound.pool('test'), figures: () => outbound.report().origins[0] }
}

async function place(...args: Parameters<typeof startPlace>): Promise<Place> {
  const started = await startPlace(...args)
  opened.push(started)
  return started
}

const reason = (message: RegExp) => ({ code: 'TARGET_UNREACHABLE', message: expect.stringMatching(message) })

describe('a pool', () => {
  it('answers every status, with its headers and body', async () => {
    const { url } = await place((request, response) => {
      response.writeHead(Number(request.url?.slice(1)), { 'X-Two': ['a', 'b'], 'Set-Cookie': ['a=1', 'b=2'] })
      response.end('{"a":1}')
    })
    const { pool, figures } = open({ retries: 0 })
    for (const status of [200, 404, 500, 503]) {
      const answer = await pool.request(`${url}/${status}`)
      expect(answer.status).toBe(status)
      expect(answer.headers).toMatchObject({ 'x-two': 'a, b', 'set-cookie': 'a=1\nb=2' })
      expect(answer.json()).toEqual({ a: 1 })
      expect(answer).toMatchObject({ fromCache: null, attempts: 1 })
    }
    expect(figures()).toMatchObject({
      calls: 4,
      answers: { '2xx': 1, '3xx': 0, '4xx': 1, '5xx': 2 },
      latency: { count: 4 },
      lastError: { message: expect.stringContaining('answered 503') },
    })
  })

  it('does not follow a redirect', async () => {
    const { url, requests } = await place((_, response) => {
      response.writeHead(302, { Location: '/other' }).end()
    })
    const answer = await open().pool.request(url)
    expect(answer).toMatchObject({ status: 302, headers: { location: '/other' } })
    expect(requests).toHaveLength(1)
  })

  it('sends bodies of every kind', async () => {
    const { url } = await place((request, response) => void request.pipe(response))
    const { pool } = open()
    for (const body of ['täxt', Buffer.from('buffer'), new Uint8Array([1, 2, 3])])
      expect((await pool.request(url, { method: 'POST', body })).body).toEqual(Buffer.from(body))
  })

  it('uses one connection for many calls one after the other', async () => {
    const here = await place((_, response) => response.end('x'))
    const { pool, figures } = open()
    for (let i = 0; i < 20; i++) await pool.request(here.url)
    expect(here.connections).toBe(1)
    expect(figures()?.connections).toEqual({ open: 1, inUse: 0, waiting: 0 })
  })

  it('makes no more connections than it may, and lets so many callers wait', async () => {
    const held: (() => void)[] = []
    const here = await place((_, response) => void held.push(() => response.end('x')))
    const { pool, figures } = open({ connections: 2, maxWaiting: 3, retries: 0 })
    const calls = Array.from({ length: 5 }, () => pool.request(here.url))
    await until(() => held.length === 2)
    expect(figures()?.connections).toEqual({ open: 2, inUse: 2, waiting: 3 })
    await expect(pool.request(here.url)).rejects.toMatchObject(reason(/Too many calls wait/))
    const free = setInterval(() => held.splice(0).forEach((end) => void end()), 5)
    expect((await Promise.all(calls)).map(({ status }) => status)).toEqual([200, 200, 200, 200, 200])
    clearInterval(free)
    expect(here.connections).toBe(2)
    expect(figures()).toMatchObject({ failures: { refused: 1 }, connections: { inUse: 0, waiting: 0 } })
  })

  it('takes the place of a waiting caller away who gives up', async () => {
    const here = await place(() => {})
    const { pool, figures } = open({ connections: 1, retries: 0 })
    const first = pool.request(here.url, { timeout: 300 }).catch((error: unknown) => error)
    await until(() => here.requests.length === 1)
    const controller = new AbortController()
    const second = pool.request(here.url, { signal: controller.signal })
    controller.abort(new Error('no more'))
    await expect(second).rejects.toThrow('no more')
    expect(figures()?.connections.waiting).toBe(0)
    expect(await first).toMatchObject(reason(/did not answer within 300 ms/))
  })

  it('knows so many origins, and closes the one unused for longest for a new one', async () => {
    const here = await place((request, response) => {
      if (request.url !== '/held') response.end('x')
    })
    const pool = new HttpPool(deps, completePool({ name: 'test' }, false), 2)
    opened.push(pool)
    const names = () => pool.figures().map(({ origin }) => new URL(origin).hostname)
    for (const host of ['127.0.0.1', '127.0.0.2', '127.0.0.1', '127.0.0.3'])
      await pool.request(`http://${host}:${here.port}`)
    expect(names()).toEqual(['127.0.0.1', '127.0.0.3'])
    await until(() => here.sockets.size === 2)
    const held = ['127.0.0.1', '127.0.0.3'].map((host) =>
      pool.request(`http://${host}:${here.port}/held`, { timeout: 300 }).catch(() => {}),
    )
    await expect(pool.request(`http://127.0.0.4:${here.port}`)).rejects.toMatchObject(
      reason(/Too many other/),
    )
    await Promise.all(held)
  })

  it('ends every connection when it closes, and takes no more calls', async () => {
    const here = await place((request, response) => {
      if (request.url !== '/held') response.end('x')
    })
    const { outbound, pool } = open({ retries: 0 })
    await pool.request(here.url)
    const held = pool.request(`${here.url}/held`).catch((error: unknown) => error)
    await until(() => here.requests.length === 2)
    const begun = performance.now()
    await outbound.close()
    expect(performance.now() - begun).toBeLessThan(3_000)
    expect(await held).toMatchObject({ code: 'SHUTTING_DOWN' })
    await until(() => here.sockets.size === 0)
    await expect(pool.request(here.url)).rejects.toMatchObject({ code: 'SHUTTING_DOWN' })
  })

  it('ends a call by its signal', async () => {
    const here = await place(() => {})
    const { pool } = open()
    const controller = new AbortController()
    const call = pool.request(here.url, { signal: controller.signal })
    await until(() => here.requests.length === 1)
    controller.abort(new Error('enough'))
    await expect(call).rejects.toThrow('enough')
    await until(() => here.requests[0]?.socket.destroyed === true)
    await expect(pool.request(here.url, { signal: AbortSignal.abort() })).rejects.toThrow(/abort/)
    expect(here.requests).toHaveLength(1)
  })
})

describe('a call without an answer', () => {
  it('is told in a sentence: name unknown, connection refused, not HTTP', async () => {
    const { pool, figures } = open({ retries: 0 })
    await expect(pool.request('http://no-such-host.invalid/secret')).rejects.toMatchObject({
      ...reason(/no-such-host\.invalid/),
      remedy: expect.any(String),
    })
    const gone = await startPlace(() => {})
    await gone.close()
    const refused = await pool.request(`${gone.url}/secret`).catch((error: Error) => error)
    expect(refused).toMatchObject(reason(/refuses the connection/))
    expect(String(refused)).not.toContain('secret')
    expect(figures()?.failures).toMatchObject({ connection: 1 })
    const server = createServer((socket) => void socket.end('SSH-2.0-x\r\n')).listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const { port } = server.address() as { port: number }
    await expect(pool.request(`http://127.0.0.1:${port}`)).rejects.toMatchObject(reason(/not HTTP/))
    server.close()
  })

  it('is a slow head, a slow body, or a deadline', async () => {
    const here = await place((request, response) => {
      if (request.url === '/body') response.write('x')
    })
    const { pool, figures } = open({ headersTimeout: 100, bodyTimeout: 100, retries: 0 })
    await expect(pool.request(here.url)).rejects.toMatchObject(reason(/did not begin its answer/))
    await expect(pool.request(`${here.url}/body`)).rejects.toMatchObject(reason(/stopped in the middle/))
    await expect(pool.request(here.url, { timeout: 50 })).rejects.toMatchObject(reason(/within 50 ms/))
    expect(figures()?.failures.timeout).toBe(3)
  })

  it('is a body that is cut off, with a length and without', async () => {
    const here = await place((request, response) => {
      if (request.url === '/length') response.writeHead(200, { 'Content-Length': '100' })
      response.write('x', () => response.destroy())
    })
    const { pool } = open({ retries: 0 })
    for (const path of ['/length', '/chunks'])
      await expect(pool.request(here.url + path)).rejects.toMatchObject(reason(/broke off/))
  })

  it('is an answer over the bound, announced or not; what was not read ends with its connection', async () => {
    const here = await place((request, response) => {
      // More than is sent: an answer that has come whole leaves its connection good for the next.
      if (request.url === '/length') response.writeHead(200, { 'Content-Length': '2000' })
      response.write('x'.repeat(1_001))
    })
    const { pool, figures } = open({ maxResponseBytes: 1_000 })
    for (const path of ['/length', '/chunks'])
      await expect(pool.request(here.url + path)).rejects.toMatchObject(reason(/larger than 1000 bytes/))
    expect(figures()).toMatchObject({ failures: { tooLarge: 2 }, retries: 0, breaker: 'closed' })
    await until(() => here.requests.every(({ socket }) => socket.destroyed))
  })

  it('is a certificate that nobody trusted signed; with its authority it is an answer', async () => {
    const authorities = makeAuthorities()
    opened.push({ close: async () => authorities.remove() })
    const authority = authorities.make('outbound')
    const { ssl_cert_file, ssl_key_file } = authority.sign('server')
    const tls = { cert: readFileSync(ssl_cert_file), key: readFileSync(ssl_key_file) }
    const here = await place((_, response) => response.end('safe'), { tls })
    await expect(open().pool.request(here.url)).rejects.toMatchObject(reason(/No trusted TLS connection/))
    expect((await open({}, authority.pem).pool.request(here.url)).body.toString()).toBe('safe')
  })

  it('is a body that is not JSON, when JSON is asked for', async () => {
    const here = await place((_, response) => response.end('<html>'))
    const answer = await open().pool.request(here.url)
    expect(() => answer.json()).toThrow('is not JSON')
  })
})

describe('a call that can not be', () => {
  it.each([
    ['ftp://example.com', {}],
    ['http://user:password@example.com', {}],
    ['nonsense', {}],
    ['http://example.com', { method: 'CONNECT' }],
    ['http://example.com', { headers: { Host: 'other' } }],
    ['http://example.com', { headers: { A: 'b\r\nC: d' } }],
    ['http://example.com', { headers: { A: '1', a: '2' } }],
    ['http://example.com', { timeout: 0 }],
  ])('is refused before anybody is called: %s %j', async (url, options) => {
    const { pool, figures } = open()
    await expect(pool.request(url, options)).rejects.toMatchObject({ code: 'BAD_INPUT' })
    expect(figures()).toBeUndefined()
  })

  it('is refused at the opening for limits and names that can not be', () => {
    for (const wrong of [
      { connections: 0 },
      { retryBudget: 2 },
      { deadline: 0.5 },
      { breaker: { failures: 0, openMs: 1 } },
    ])
      expect(() => openOutbound(deps, [{ name: 'a', ...wrong }])).toThrow(/of the pool a/)
    expect(() => openOutbound(deps, [{ name: 'a' }, { name: 'a' }])).toThrow('Two pools')
    expect(() => openOutbound(deps, []).pool('a')).toThrow('no pool named a')
  })
})

it('does not read the environment for a proxy', async () => {
  const here = await place((_, response) => response.end('direct'))
  const before = process.env.http_proxy
  process.env.http_proxy = 'http://127.0.0.1:1'
  try {
    expect((await open().pool.request(here.url)).body.toString()).toBe('direct')
  } finally {
    if (before === undefined) delete process.env.http_proxy
    else process.env.http_proxy = before
  }
})
