import { EventEmitter, once } from 'node:events'
import { request } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { watchStalls } from '@/db/testing/stalls'
import { openLog } from '@/server/log'
import { noteInScope } from '@/server/scope'
import { createConsoleServer, type Handler, listen, type ServerOptions } from './http'
import { shutDown } from './shutdown'

const servers: ReturnType<typeof createConsoleServer>[] = []

async function serveWith(handler: Handler, HOST = '127.0.0.1', options: Partial<ServerOptions> = {}) {
  const server = createConsoleServer({ secure: false, ...options })
  servers.push(server)
  server.answer(handler)
  await listen(server.http, { HOST, PORT: 0 })
  return { server, port: (server.http.address() as AddressInfo).port }
}

/** Sends bytes as they are, and resolves to everything that came back before the connection closed. */
async function exchange(port: number, bytes: string, host = '127.0.0.1'): Promise<string> {
  const socket = connect(port, host)
  socket.write(bytes)
  let answer = ''
  for await (const chunk of socket) answer += chunk
  return answer
}

afterEach(async () => {
  for (const { http } of servers.splice(0)) {
    http.close()
    http.closeAllConnections()
  }
})

it.each(['/%zz', '/api/auth/%ff%fe', '/%'])('refuses the address %s, which is no UTF-8', async (path) => {
  const { port } = await serveWith(async (_request, response) => {
    response.end('answered')
  })
  const head = (of: string) => `GET ${of} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`
  expect(await exchange(port, head(path))).toMatch(/^HTTP\/1.1 400 /)
  expect(await exchange(port, head('/%C3%A9?q=%zz'))).toMatch(/answered/)
})

describe('the address of the client', () => {
  const echo: Handler = async ({ headers, headersDistinct, rawHeaders }, response) => {
    response.end(JSON.stringify({ headers, distinct: headersDistinct, raw: rawHeaders }))
  }
  const bodyOf = (answer: string) => JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')))

  it('is the socket’s, however often and however spelled a request brings the header itself', async () => {
    const { port } = await serveWith(echo)
    const forged = ['X-Holdfast-Peer: 9.9.9.9', 'x-holdfast-peer: 8.8.8.8', 'X-HOLDFAST-PEER: 7.7.7.7']
    const head = [
      'GET / HTTP/1.1',
      'Host: x',
      'Connection: close',
      ...forged,
      'X-Forwarded-For: 6.6.6.6',
      '',
      '',
    ]
    const { headers, distinct, raw } = bodyOf(await exchange(port, head.join('\r\n')))
    expect(headers['x-holdfast-peer']).toBe('127.0.0.1')
    expect(distinct['x-holdfast-peer']).toEqual(['127.0.0.1'])
    expect(raw.filter((_: string, index: number) => /peer/i.test(raw[index - (index % 2)]))).toEqual([
      'x-holdfast-peer',
      '127.0.0.1',
    ])
    expect(headers['x-forwarded-for']).toBe('6.6.6.6')
    expect(JSON.stringify({ headers, distinct, raw })).not.toMatch(/9\.9\.9\.9|8\.8\.8\.8|7\.7\.7\.7/)
  })

  it('comes with whether the origin is https, which a request cannot claim', async () => {
    const claim = 'GET / HTTP/1.1\r\nHost: x\r\nX-Holdfast-Secure: 1\r\nConnection: close\r\n\r\n'
    const plain = await serveWith(echo)
    expect(bodyOf(await exchange(plain.port, claim)).headers['x-holdfast-secure']).toBeUndefined()
    const secure = await serveWith(echo, '127.0.0.1', { secure: true })
    expect(bodyOf(await exchange(secure.port, claim)).headers['x-holdfast-secure']).toBe('1')
  })

  it('is IPv4 on a socket for both families', async () => {
    const { port } = await serveWith(echo, '::')
    const answer = await exchange(port, 'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
    expect(bodyOf(answer).headers['x-holdfast-peer']).toBe('127.0.0.1')
  })
})

it('answers 500 without a reason when a handler throws', async () => {
  const { port } = await serveWith(async () => {
    throw new Error('secret detail')
  })
  const answer = await exchange(port, 'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
  expect(answer).toMatch(/^HTTP\/1\.1 500 /)
  expect(answer).not.toContain('secret')
})

it('takes an address with a host as its path, and refuses what is no path', async () => {
  const { port } = await serveWith(async ({ url }, response) => void response.end(`at ${url}`))
  const ask = (target: string) =>
    exchange(port, `GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
  expect(await ask('http://example.org/a?b=1')).toMatch(/at \/a\?b=1$/)
  for (const target of ['*', 'http://[::1', 'mailto:a', '/%ff'])
    expect(await ask(target)).toMatch(/^HTTP\/1.1 400 /)
})

it('refuses TRACE, and says what it takes', async () => {
  const { port } = await serveWith(async (_request, response) => void response.end())
  const answer = await exchange(port, 'TRACE / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
  expect(answer).toMatch(/^HTTP\/1.1 405 [\s\S]*allow: GET, HEAD, POST, OPTIONS/i)
})

it('names every request, and tells of its answer within its scope', async () => {
  const lines: string[] = []
  const log = openLog('info', (line) => lines.push(line))
  const answer: Handler = async ({ headers }, response) => {
    await delay(1)
    noteInScope({ user: 'ada' })
    response.end(String(headers['x-request-id']))
  }
  const { port } = await serveWith(answer, '127.0.0.1', {
    answered: (told) => log.info({ ...told }, 'answered'),
  })
  const ask = (...more: string[]) =>
    exchange(port, ['GET /a?token=1 HTTP/1.1', 'Host: x', 'Connection: close', ...more, '', ''].join('\r\n'))
  expect(await ask('X-Request-Id: by-a-proxy')).toMatch(/by-a-proxy$/)
  expect(await ask('X-Request-Id: no"plain"name')).toMatch(/[0-9a-f-]{36}$/)
  await vi.waitFor(() => expect(lines).toHaveLength(2))
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    ...{ method: 'GET', path: '/a', status: 200, requestId: 'by-a-proxy', user: 'ada' },
    milliseconds: expect.any(Number),
  })
})

it('refuses WebSockets that nobody serves, without hanging', async () => {
  const { port } = await serveWith(async (_request, response) => void response.end())
  const head = ['GET / HTTP/1.1', 'Host: x', 'Connection: Upgrade', 'Upgrade: websocket', '', '']
  expect(await exchange(port, head.join('\r\n'))).toBe('')
})

describe('a shutdown', () => {
  it('ends streams, lets a request in flight finish, closes idle connections, then the runtime', async () => {
    const events: string[] = []
    const stopping = new AbortController()
    const gate = new EventEmitter()
    const arrived = once(gate, 'arrived')
    const { server, port } = await serveWith(async ({ url }, response) => {
      if (url === '/stream') {
        response.write('data: 1\n\n')
        stopping.signal.addEventListener('abort', () => response.end('data: end\n\n'))
      } else if (url === '/slow') {
        gate.emit('arrived')
        await once(gate, 'release')
        response.end('finished')
      } else response.end('idle')
    })
    // A browser's connection: kept alive after its answer.
    const idle = connect(port, '127.0.0.1')
    idle.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    await once(idle, 'data')
    const stream = exchange(port, 'GET /stream HTTP/1.1\r\nHost: x\r\n\r\n')
    const slow = exchange(port, 'GET /slow HTTP/1.1\r\nHost: x\r\n\r\n')
    await arrived

    const code = shutDown({
      server,
      runtime: {
        drain: () => stopping.abort(),
        close: async () => {
          events.push('closed')
        },
      },
    })
    await once(idle, 'close')
    expect(await stream).toContain('data: end')
    expect(events).toEqual([])
    await expect(exchange(port, 'GET / HTTP/1.1\r\n\r\n')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    gate.emit('release')
    expect(await slow).toMatch(/connection: close[\s\S]*finished/i)
    expect(await code).toBe(0)
    expect(events).toEqual(['closed'])
  })

  it('does not wait more than five seconds for a request or a runtime that never ends', async () => {
    const { server, port } = await serveWith(async () => new Promise<void>(() => {}))
    const pending = request({ port, host: '127.0.0.1' }).end()
    const cut = once(pending, 'error')
    await once(server.http, 'request')
    const stalls = watchStalls()
    const started = performance.now()
    const code = await shutDown({
      server,
      runtime: { drain: () => {}, close: () => delay(60_000, undefined, { ref: false }) },
    })
    expect(code).toBe(1)
    expect(performance.now() - started - stalls.sum()).toBeLessThan(5_000)
    stalls.stop()
    await cut
  })
})
