import { createHash, randomBytes } from 'node:crypto'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { failToStart, freePort, startConsole } from './server'

// A start is two seconds of CPU, twice in some tests, while other test files use the same two cores.
vi.setConfig({ testTimeout: 120_000 })

let dataDir: string
let port: number

beforeAll(() => {
  if (!existsSync('.next/BUILD_ID'))
    throw new Error('These tests start the built console: run "npm run build" first.')
})
beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'holdfast-start-'))
  port = await freePort()
})
afterEach(() => rmSync(dataDir, { recursive: true, force: true }))

/** The start fails with exit code 1 and exactly one line on standard error; resolves to that line. */
async function sentence(options: { env?: Record<string, string>; dataDir?: string; port?: number } = {}) {
  const { code, stderr, stdout } = await failToStart({ port, dataDir, ...options })
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr.trimEnd().split('\n')).toHaveLength(1)
  return stderr.trimEnd()
}

describe('a start that cannot be', () => {
  it('names the port that is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => other.on('listening', resolve))
    const taken = (other.address() as AddressInfo).port
    expect(await sentence({ port: taken })).toBe(
      `Port ${taken} on 127.0.0.1 is already in use: stop what uses it, or set PORT to another one.`,
    )
    other.close()
  })

  it('names a HOST that is not of this machine', async () => {
    expect(await sentence({ env: { HOST: '192.0.2.1' } })).toMatch(
      /^HOST is "192\.0\.2\.1", which is no address/,
    )
  })

  it('names the variable, what it got and what it takes', async () => {
    expect(await sentence({ env: { PORT: 'eighty' } })).toBe('PORT is "eighty"; it takes a port, 1 to 65535.')
  })

  it('never prints a secret that does not fit', async () => {
    const line = await sentence({ env: { JWT_SECRET: 'hunter2' } })
    expect(line).toMatch(/^JWT_SECRET is /)
    expect(line).not.toContain('hunter2')
  })

  it('leaves a corrupt store as it is and says so', async () => {
    const store = join(dataDir, 'holdfast.db')
    const garbage = randomBytes(64 * 1024)
    writeFileSync(store, garbage)
    expect(await sentence()).toMatch(/holdfast\.db .*(damaged|corrupt|not? a? ?(SQLite )?database).*restore/i)
    const digest = (data: Buffer) => createHash('sha256').update(data).digest('hex')
    expect(digest(readFileSync(store))).toBe(digest(garbage))
  })

  it('says that the data folder cannot be used when a file stands in its place', async () => {
    const file = join(dataDir, 'file')
    writeFileSync(file, 'kept')
    expect(await sentence({ dataDir: file })).toContain(file)
    expect(await sentence({ dataDir: join(file, 'below') })).toContain(join(file, 'below'))
    expect(readFileSync(file, 'utf8')).toBe('kept')
  })

  it('says that the data folder may not be written to', async (context) => {
    context.skip(process.getuid?.() === 0, 'root may write to any folder')
    const closed = join(dataDir, 'closed')
    mkdirSync(closed, { mode: 0o500 })
    expect(await sentence({ dataDir: closed })).toContain(closed)
  })

  it('names the process that already serves the data folder', async () => {
    const first = await startConsole({ dataDir, port })
    const line = await sentence({ port: await freePort() })
    expect(line).toContain(`pid ${first.pid}`)
    expect(line).toContain(dataDir)
    expect(await (await fetch(`${first.url}/api/health/live`)).status).toBe(200)
    expect(await first.stop()).toBe(0)
  })
})

describe('a start', () => {
  it('prints the address and the set-up link, nothing else, and the link no more once it is used', async () => {
    const first = await startConsole({ dataDir, port })
    expect(first.output().trimEnd().split('\n')).toEqual([
      `Holdfast is ready at http://localhost:${port}`,
      `Create the first admin here (the link works once): ${first.setUpLink}`,
    ])
    expect(first.setUpLink).toMatch(new RegExp(`^http://localhost:${port}/`))
    await setUp(first)
    expect(await first.stop()).toBe(0)
    const second = await startConsole({ dataDir, port })
    expect(second.output().trimEnd()).toBe(`Holdfast is ready at http://localhost:${port}`)
    expect(await second.stop()).toBe(0)
  })

  it('warns on plain http away from localhost', async () => {
    const server = await startConsole({ dataDir, port, env: { HOLDFAST_URL: 'http://console.example.org' } })
    expect(server.output()).toMatch(/^Warning: http:\/\/console\.example\.org is plain http/m)
    expect(await server.stop()).toBe(0)
  })
})

describe('the standalone build', () => {
  it('holds nothing but what is served, and serves from wherever it is put', async () => {
    const root = mkdtempSync(join(tmpdir(), 'holdfast-standalone-'))
    try {
      cpSync('.next/standalone', root, { recursive: true })
      const served = readdirSync(root).filter((name) => name !== 'public')
      expect(served.sort()).toEqual(['.next', 'db', 'dist', 'node_modules', 'package.json'])
      expect(readdirSync(join(root, 'db'))).toEqual(['migrations'])
      const server = await startConsole({ dataDir, port, root })
      const page = await fetch(`${server.url}/sign-in`)
      expect(page.status).toBe(200)
      const script = /src="(\/_next\/static\/[^"]+\.js)"/.exec(await page.text())?.[1]
      expect((await fetch(`${server.url}${script}`)).status).toBe(200)
      expect(await server.stop()).toBe(0)
    } finally {
      rmSync(root, { recursive: true, force: true })
    }
  })
})

describe('SIGTERM', () => {
  it('ends an open event stream and exits with 0 within 5 s', async () => {
    const server = await startConsole({ dataDir, port })
    const token = await setUp(server)
    const stream = await fetch(`${server.url}/api/trpc/system.live`, {
      headers: { authorization: `Bearer ${token}`, accept: 'text/event-stream' },
    })
    expect(stream.headers.get('content-type')).toMatch(/^text\/event-stream/)
    const reader = (stream.body as ReadableStream<Uint8Array>).getReader()
    expect((await reader.read()).done).toBe(false)
    const started = Date.now()
    const ended = (async () => {
      while (!(await reader.read()).done);
    })()
    expect(await server.stop()).toBe(0)
    expect(Date.now() - started).toBeLessThan(5_000)
    await ended
  })
})

/** Makes the first admin by the set-up link, as a program does; resolves to an access token. */
async function setUp({ url, setUpLink }: { url: string; setUpLink: string | null }): Promise<string> {
  const link = new URL(setUpLink ?? '')
  const token = link.searchParams.get('token') ?? link.hash.replace(/^#(token=)?/, '')
  const response = await fetch(`${url}/api/trpc/auth.setUp`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      token,
      email: 'ada@example.org',
      name: 'Ada',
      password: 'correct horse battery staple',
    }),
  })
  const body = (await response.json()) as { result?: { data: { tokens: { accessToken: string } } } }
  if (!body.result) throw new Error(`Set-up failed: ${JSON.stringify(body)}`)
  return body.result.data.tokens.accessToken
}
