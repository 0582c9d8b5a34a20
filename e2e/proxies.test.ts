import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync, statSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { createGunzip } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { waitUntil } from '@/db/testing/processes'
import { admin, credentials } from './admin'
import { authenticatorApp, bearer } from './program'
import { type Proxied, type ProxyName, startBehind } from './proxy'
import { askFrom, openFrom, type Sent } from './source'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

const here = '127.0.0.1'
const MEGABYTE = 2 ** 20

describe.each<{ name: ProxyName; program: string }>([
  { name: 'nginx', program: '/usr/sbin/nginx' },
  { name: 'caddy', program: 'caddy' },
])('$name with the configuration of ops', ({ name, program }) => {
  const there = installed(program)
  const strict = process.getuid?.() === 0 || Boolean(process.env.CI)
  let proxied: Proxied
  /** An admin's access token, with a factor. */
  let token: string

  beforeAll(async () => {
    if (!there && !strict) return
    proxied = await startBehind(name)
    const setUp = await post('/api/trpc/auth.setUp', {
      body: { ...admin, token: proxied.console.setUpLink?.split('#')[1] },
    })
    token = setUp.body.result.data.tokens.accessToken
    const { body } = await post('/api/infrastructure/security/2fa/generate', { body: {} })
    await post('/api/infrastructure/security/2fa/verify', {
      body: { factorId: body.factorId, code: authenticatorApp(body.secret, 10).next() },
    })
  })
  afterAll(() => proxied?.stop())
  const withProxy = (title: string, work: () => Promise<void>) =>
    it(title, async (context) => {
      context.skip(!there && !strict, `${name} is not installed: apt-get install ${name}`)
      await work()
    })

  const authorized = (sent: Sent) => ({
    ...sent,
    headers: { ...(token ? bearer(token) : {}), ...sent.headers },
  })
  const get = (path: string, sent: Sent = {}, from = here) => askFrom(proxied, from, path, authorized(sent))
  const post = (path: string, sent: Sent, from = here) =>
    askFrom(proxied, from, path, authorized({ method: 'POST', ...sent }))

  withProxy('serves pages over https that browsers keep to https', async () => {
    const page = await get('/sign-in')
    expect(page.status).toBe(200)
    expect(page.headers['strict-transport-security']).toBe('max-age=31536000')
    expect(page.headers['content-security-policy']).toContain("default-src 'self'")
    const script = /src="(\/_next\/static\/[^"]+\.js)"/.exec(page.text)?.[1] ?? ''
    expect((await get(script)).status).toBe(200)
    // Where the console leads somewhere, it stays at the public address.
    const away = await askFrom(proxied, here, '/database')
    expect(away.status).toBe(307)
    const target = new URL(away.headers.location ?? '', proxied.url)
    expect(`${target.origin}${target.pathname}`).toBe(`${proxied.url}/sign-in`)
    if (proxied.plainPort) {
      const plain = await askFrom({ port: proxied.plainPort }, here, '/x?y', {
        headers: { host: 'localhost' },
      })
      expect([plain.status, plain.headers.location]).toEqual([301, 'https://localhost/x?y'])
    }
  })

  withProxy('carries cookies that are bound to the host and to https', async () => {
    const { status, headers } = await post('/api/trpc/auth.signIn', {
      body: credentials,
      headers: { origin: proxied.url },
    })
    expect(status).toBe(200)
    const cookies = headers['set-cookie'] ?? []
    expect(cookies.length).toBeGreaterThan(0)
    for (const cookie of cookies) expect(cookie).toMatch(/^__Host-holdfast-\w+=.*; HttpOnly; .*; Secure/)
    const foreign = await post('/api/trpc/auth.signIn', {
      body: credentials,
      headers: { origin: 'https://evil.example' },
    })
    expect(foreign.status).toBe(403)
  })

  withProxy('tells the address of the client, which cannot be forged', async () => {
    const forged = {
      'x-forwarded-for': '198.51.100.9',
      'x-real-ip': '198.51.100.9',
      forwarded: 'for=198.51.100.9',
    }
    const email = 'nobody@example.org'
    for (const headers of [{}, forged]) {
      await post('/api/auth/login', { body: { ...credentials, email }, headers }, '127.0.0.77')
    }
    const addresses = async () => {
      const { body } = await get('/api/infrastructure/security/events?events=authn_login_fail&limit=10')
      return body.events.map(({ address }: { address: string }) => address)
    }
    await waitUntil('The events', async () => (await addresses()).length === 2)
    expect(await addresses()).toEqual(['127.0.0.77', '127.0.0.77'])
  })

  withProxy('keeps the metrics from whoever comes through it', async () => {
    const elsewhere = '127.0.0.77'
    expect((await get('/api/metrics', {}, elsewhere)).status).toBe(401)
    const forged = { 'x-forwarded-for': here }
    expect((await get('/api/metrics', { headers: forged }, elsewhere)).status).toBe(401)
  })

  for (const encoding of ['identity', 'gzip'])
    withProxy(`passes an event stream on at once, encoding ${encoding}`, async () => {
      const answer = await openFrom(proxied, here, '/api/trpc/system.live?input=%7B%7D', {
        headers: { ...bearer(token), accept: 'text/event-stream', 'accept-encoding': encoding },
      })
      expect(answer.headers['content-type']).toMatch(/^text\/event-stream/)
      const ages = await agesOf(answer, 5)
      answer.destroy()
      // Samples are made each second; one that waits for the next to push it on is older than that.
      expect(ages.sort((one, other) => one - other)[2]).toBeLessThan(1_000)
    })

  withProxy('hands an upload of 128 MB on while it arrives, and whole', async () => {
    const size = 128 * MEGABYTE
    const sending = request({
      ...{ host: here, port: proxied.port, ca: proxied.ca, servername: 'localhost', agent: false },
      ...{ method: 'POST', path: '/api/upload?name=big.sqlite' },
      headers: {
        ...{ ...bearer(token), host: `localhost:${proxied.port}` },
        ...{ 'content-length': size, 'content-type': 'application/octet-stream' },
      },
    })
    const answered = once(sending, 'response') as Promise<[IncomingMessage]>
    const hash = createHash('sha256')
    const piece = Buffer.alloc(MEGABYTE, createHash('sha512').update('piece').digest())
    const first = Buffer.concat([Buffer.from('SQLite format 3\0', 'latin1'), piece.subarray(16)])
    const arrived = () => sizeOf(join(proxied.console.dataDir, 'uploads'))
    for (let sent = 0; sent < size; sent += MEGABYTE) {
      const next = sent === 0 ? first : piece
      hash.update(next)
      if (!sending.write(next)) await once(sending, 'drain')
      if (sent === 64 * MEGABYTE) {
        // The sender rests in the middle: all but what sockets hold has reached the console, and no disk between.
        await waitUntil('The first half', async () => arrived() > 48 * MEGABYTE)
        expect(temporaryBytes(proxied.folder)).toBe(0)
      }
    }
    sending.end()
    const [answer] = await answered
    expect(answer.statusCode).toBe(201)
    expect(JSON.parse(await text(answer))).toMatchObject({ sizeBytes: size, sha256: hash.digest('hex') })
  })

  withProxy('leaves it to the console to refuse what is too large', async () => {
    const { status, body } = await post('/api/auth/login', {
      body: { ...credentials, password: 'x'.repeat(2 * MEGABYTE) },
    })
    expect([status, body.code]).toEqual([413, 'TOO_LARGE'])
  })
})

/** The ages of samples at their arrival, ms. */
async function agesOf(answer: IncomingMessage, count: number): Promise<number[]> {
  const plain = answer.headers['content-encoding'] === 'gzip' ? answer.pipe(createGunzip()) : answer
  const ages: number[] = []
  let rest = ''
  for await (const chunk of plain) {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      const sample = /^data: (\{"kind":"sample".*\})$/.exec(line)?.[1]
      if (sample) ages.push(Date.now() - JSON.parse(sample).at)
      if (ages.length === count) return ages
    }
  }
  throw new Error(`The stream ended after ${ages.length} samples: ${rest}`)
}

function sizeOf(folder: string): number {
  return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0)
}

/** What a proxy has put on its disk beside its configuration. */
function temporaryBytes(folder: string): number {
  return readdirSync(folder)
    .filter((name) => name.startsWith('temporary-'))
    .reduce((sum, name) => sum + sizeOf(join(folder, name)), 0)
}

function installed(program: string): boolean {
  try {
    execFileSync(program, [program === 'caddy' ? 'version' : '-v'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
