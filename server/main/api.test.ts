import { once } from 'node:events'
import { createServer, request } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { promisify } from 'node:util'
import { gunzipSync } from 'node:zlib'
import { afterEach, expect, it } from 'vitest'
import { type Answerer, withApi } from './api'
import { stampRequest } from './peer'

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const step of undo.splice(0)) await step()
})

async function serve(answerer: Answerer) {
  const handler = withApi({ '/api/x/': answerer }, async (_request, response) => {
    response.end('Next')
  })
  const server = createServer((...both) => {
    stampRequest(both[0], { secure: false })
    void handler(...both)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  undo.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** As it comes over the wire: fetch would unpack it. */
async function get(url: string, headers: Record<string, string> = {}) {
  const [answer] = await once(request(url, { headers }).end(), 'response')
  const chunks: Buffer[] = []
  for await (const chunk of answer) chunks.push(chunk)
  return { headers: answer.headers, body: Buffer.concat(chunks) }
}

it('leaves to Next what is not below its paths', async () => {
  const url = await serve(async () => new Response('ours'))
  const said = async (path: string) => (await fetch(`${url}${path}`)).text()
  expect(await said('/api/x/y')).toBe('ours')
  for (const path of ['/api/x', '/api/y/', '/', '/API/x/']) expect(await said(path)).toBe('Next')
})

it('passes on method, address, headers and body, and a request id that is plain', async () => {
  const seen: unknown[] = []
  const url = await serve(async ({ method, url, headers, body }) => {
    let text = ''
    for await (const chunk of body ?? []) text += Buffer.from(chunk).toString()
    seen.push([method, url, headers.get('x-mine'), headers.get('x-request-id'), text])
    return Response.json({})
  })
  const ask = (id: string) =>
    fetch(`${url}/api/x/y?a=%2F`, {
      method: 'POST',
      body: 'sent',
      headers: { 'x-mine': 'é', 'x-request-id': id },
    })
  expect((await ask('abcdefgh')).headers.get('x-request-id')).toBe('abcdefgh')
  expect(seen[0]).toEqual(['POST', 'http://localhost/api/x/y?a=%2F', 'é', 'abcdefgh', 'sent'])
  expect((await ask('a"b')).headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
})

it('answers with status, cookies one by one, and the headers of what is no page', async () => {
  const headers = new Headers({ 'cache-control': 'no-store' })
  headers.append('set-cookie', 'a=1')
  headers.append('set-cookie', 'b=2')
  const url = await serve(async () => new Response(null, { status: 204, headers }))
  const answer = await fetch(`${url}/api/x/y`)
  expect(answer.status).toBe(204)
  expect(answer.headers.getSetCookie()).toEqual(['a=1', 'b=2'])
  expect(answer.headers.get('cache-control')).toBe('no-store')
  expect(answer.headers.get('content-security-policy')).toBe("default-src 'none'; frame-ancestors 'none'")
})

it('packs a large body for who takes gzip, and no other', async () => {
  const url = await serve(async ({ url }) => new Response('x'.repeat(url.endsWith('large') ? 10_000 : 10)))
  const large = await get(`${url}/api/x/large`, { 'accept-encoding': 'gzip, br' })
  expect(large.headers['content-encoding']).toBe('gzip')
  expect(large.headers.vary).toContain('accept-encoding')
  expect(gunzipSync(large.body).length).toBe(10_000)
  for (const encoding of ['br', 'gzip;q=0', 'identity']) {
    const plain = await get(`${url}/api/x/large`, { 'accept-encoding': encoding })
    expect(plain.headers['content-encoding']).toBeUndefined()
    expect(plain.body.length).toBe(10_000)
  }
  const small = await get(`${url}/api/x/small`, { 'accept-encoding': 'gzip' })
  expect(small.headers['content-encoding']).toBeUndefined()
})

it('tells the answerer when the client is gone', async () => {
  const told = new Promise<void>((resolve) => {
    void serve(async ({ signal }) => {
      signal.addEventListener('abort', () => resolve())
      await once(signal, 'abort')
      return new Response('late')
    }).then(async (url) => {
      const gone = new AbortController()
      const asked = fetch(`${url}/api/x/y`, { signal: gone.signal }).catch(() => {})
      setTimeout(() => gone.abort(), 100)
      await asked
    })
  })
  await told
})

it('reads on when a body is refused unread, or half read, so that the answer arrives', async () => {
  const url = await serve(async ({ url, body }) => {
    if (url.endsWith('half')) for await (const _chunk of body ?? []) break
    return Response.json({}, { status: 413, headers: { connection: 'close' } })
  })
  for (const path of ['unread', 'half']) {
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    const head = `POST /api/x/${path} HTTP/1.1\r\nhost: x\r\ncontent-length: ${4 * 2 ** 20}\r\n\r\n`
    // Reads only when all is sent, as a proxy may: what is refused before is then lost.
    await promisify<string | Buffer, void>(socket.write.bind(socket))(
      Buffer.concat([Buffer.from(head), Buffer.alloc(4 * 2 ** 20)]),
    )
    const [answer] = await once(socket, 'data')
    expect(String(answer)).toMatch(/^HTTP\/1.1 413 /)
    socket.destroy()
  }
})
