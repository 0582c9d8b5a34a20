import { EventEmitter, once } from 'node:events'
import { request } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { createConsoleServer, type Handler, listen } from './http'
import { shutDown } from './shutdown'

const servers: ReturnType<typeof createConsoleServer>[] = []

async function serveWith(handler: Handler, HOST = '127.0.0.1', secure = false) {
  const server = createConsoleServer({ secure })
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
    const secure = await serveWith(echo, '127.0.0.1', true)
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
    const started = Date.now()
    const code = await shutDown({
      server,
      runtime: { drain: () => {}, close: () => delay(60_000, undefined, { ref: false }) },
    })
    expect(code).toBe(1)
    expect(Date.now() - started).toBeLessThan(5_000)
    await cut
  })
})
