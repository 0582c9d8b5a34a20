import { once, setMaxListeners } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createHTTPHandler } from '@trpc/server/adapters/standalone'
import { afterEach, describe, expect, it } from 'vitest'
import type { Store } from '@/db/store'
import { waitUntil } from '@/db/testing/processes'
import { needsPostgres } from '@/db/testing/shared'
import { openTestPostgres, openTestSqlite } from '@/db/testing/stores'
import { openCache } from '@/server/cache'
import type { Clock } from '@/server/clock'
import { openSqliteDatabase, Position } from '@/server/database'
import { openLog } from '@/server/log'
import type { Security, SignedIn } from '@/server/security'
import { bearer, browser, openAccounts } from '@/server/security/testing/accounts'
import { openSystem } from '@/server/system'
import type { Context } from '@/server/trpc/context'
import { router } from '@/server/trpc/init'
import { systemRouter } from './system'
import { noLimits } from './testing/no-limits'

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

interface Instance extends Pick<SignedIn, 'session' | 'accessToken'> {
  store: Store
  security: Security
  clock: Clock
}

/** The event stream behind a real HTTP server, with accounts, store and measurements of its own. */
async function serve() {
  const store = await openTestSqlite((step) => undo.push(step))
  const { security, clock, signIn } = await openAccounts(store)
  // A role that needs no factor here, so that a session by password alone sees the events.
  await store.db.insert(store.tables.meta).values({ key: 'factor-required-roles', value: '[]' })
  const { session, accessToken } = await signIn()
  return serveInstance({ store, security, clock, session, accessToken })
}

async function serveInstance({ store, security, clock, session, accessToken }: Instance) {
  const log = openLog('error')
  const database = openSqliteDatabase({ log, clock }, { file: ':memory:' })
  const cache = openCache({ clock, log }, {})
  const system = openSystem({ clock, log, store, cache, database: () => database })
  const shutdown = new AbortController()
  setMaxListeners(0, shutdown.signal)
  const runtime = {
    clock,
    log,
    store,
    security,
    database,
    cache,
    system,
    limits: noLimits,
    shutdown: shutdown.signal,
  }
  const handler = createHTTPHandler({
    router: router({ system: systemRouter }),
    createContext: async ({ req }) => {
      const headers = bearer(req.headers.authorization?.slice('Bearer '.length) ?? '')
      return {
        runtime,
        headers,
        resHeaders: new Headers(),
        position: new Position(),
        session: await security.authenticate(headers, '127.0.0.1'),
        client: { address: '127.0.0.1', userAgent: 'test/1' },
      } as unknown as Context
    },
  })
  const server: Server = createServer(handler)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  undo.push(database.close, cache.close, system.close, () => {
    server.closeAllConnections()
    return new Promise((done) => server.close(done))
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/system.live`
  const publish = (n: number) => system.publish({ kind: 'migration', runId: 'run', news: n })
  return { url, security, session, accessToken, shutdown, system, publish }
}

interface Message {
  id: string | undefined
  event: string
  data: { kind?: string; news?: number; data?: { code: string } }
}

/** Reads an event stream message by message (HTML standard, 9.2.6), without its pings. */
async function* read(url: string, token: string, signal: AbortSignal, lastEventId?: string) {
  const input = encodeURIComponent(JSON.stringify({ lastEventId }))
  const response = await fetch(`${url}?input=${input}`, {
    headers: { authorization: `Bearer ${token}`, accept: 'text/event-stream' },
    signal,
  })
  let text = ''
  for await (const chunk of (response.body as ReadableStream<Uint8Array>).pipeThrough(
    new TextDecoderStream() as unknown as ReadableWritablePair<string, Uint8Array>,
  )) {
    text += chunk
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const fields = Object.fromEntries(
        text
          .slice(0, end)
          .split('\n')
          .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]),
      )
      text = text.slice(end + 2)
      const message: Message = { id: fields.id, event: fields.event ?? 'message', data: json(fields.data) }
      if (message.event !== 'ping' && message.event !== 'connected') yield message
    }
  }
}

const json = (text: string | undefined) => (text ? JSON.parse(text) : {})
const news = (messages: Message[]) => messages.map(({ data }) => data.news)

async function take(stream: AsyncGenerator<Message>, count: number): Promise<Message[]> {
  const messages: Message[] = []
  while (messages.length < count) {
    const { value, done } = await stream.next()
    if (done) break
    messages.push(value)
  }
  return messages
}

it('ends on the server when the client goes away', async () => {
  const { url, accessToken, system } = await serve()
  const gone = new AbortController()
  system.start()
  const stream = read(url, accessToken, gone.signal)
  // The state of health may come before the first sample.
  let [first] = await take(stream, 1)
  while (first && first.data.kind !== 'sample') [first] = await take(stream, 1)
  expect(first?.data).toMatchObject({ kind: 'sample', values: { holdfast_security_sessions: 1 } })
  const streams = () => system.latest()?.values.holdfast_live_streams
  await waitUntil('the stream to count', async () => streams() === 1)
  gone.abort()
  await waitUntil('the end on the server', async () => streams() === 0)
})

it('resumes after the last id without gaps or doubles', async () => {
  const { url, accessToken, publish } = await serve()
  const gone = new AbortController()
  publish(1)
  const taking = take(read(url, accessToken, gone.signal), 1)
  const [first] = await taking
  gone.abort()
  for (let n = 2; n <= 6; n++) publish(n)
  const again = new AbortController()
  const resumed = read(url, accessToken, again.signal, first?.id)
  expect(news(await take(resumed, 5))).toEqual([2, 3, 4, 5, 6])
  publish(7)
  expect(news(await take(resumed, 1))).toEqual([7])
  again.abort()
})

it('says that it begins anew when it cannot resume', async () => {
  const { url, accessToken, publish } = await serve()
  publish(1)
  const gone = new AbortController()
  const messages = await take(read(url, accessToken, gone.signal, '0123456789ab-77'), 2)
  expect(messages.map(({ data }) => data.kind)).toEqual(['reset', 'migration'])
  gone.abort()
})

it('ends with UNAUTHENTICATED when its session ends, and does not begin without one', async () => {
  const { url, accessToken, security, session, publish } = await serve()
  publish(1)
  const signal = new AbortController().signal
  const stream = read(url, accessToken, signal)
  await take(stream, 1)
  await security.sessions.end({ sessionId: session.sessionId }, browser().by)
  const [last] = await take(stream, 1)
  expect(last).toMatchObject({ event: 'serialized-error', data: { data: { code: 'UNAUTHENTICATED' } } })
  expect((await stream.next()).done).toBe(true)
  const [refused] = await take(read(url, accessToken, signal), 1)
  expect(refused).toMatchObject({ event: 'serialized-error', data: { data: { code: 'UNAUTHENTICATED' } } })
})

it('ends with SHUTTING_DOWN, a code on which clients reconnect, when the server stops', async () => {
  const { url, accessToken, shutdown, publish } = await serve()
  publish(1)
  const stream = read(url, accessToken, new AbortController().signal)
  await take(stream, 1)
  shutdown.abort()
  const [last] = await take(stream, 1)
  expect(last).toMatchObject({
    event: 'serialized-error',
    data: { data: { code: 'SHUTTING_DOWN', httpStatus: 503 } },
  })
  expect((await stream.next()).done).toBe(true)
})

describe('over two instances on PostgreSQL', () => {
  needsPostgres()

  async function serveTwo() {
    const store = await openTestPostgres((step) => undo.push(step))
    const { security, another, clock, signIn } = await openAccounts(store)
    await store.db.insert(store.tables.meta).values({ key: 'factor-required-roles', value: '[]' })
    const signedIn = await signIn()
    const other = another()
    other.start()
    undo.push(other.close)
    const { session, accessToken } = signedIn
    const served = await serveInstance({ store, security: other, clock, session, accessToken })
    return { ...served, security, other, clock, store, signedIn }
  }

  it('ends when a used refresh token comes back to the other one', async () => {
    const { url, publish, security, clock, signedIn } = await serveTwo()
    publish(1)
    const stream = read(url, signedIn.accessToken, new AbortController().signal)
    await take(stream, 1)
    const used = signedIn.refreshToken ?? ''
    await security.sessions.refresh(used, browser())
    clock.pass(11_000)
    await expect(security.sessions.refresh(used, browser())).rejects.toMatchObject({ code: 'SESSION_ENDED' })
    const [last] = await take(stream, 1)
    expect(last).toMatchObject({ event: 'serialized-error', data: { data: { code: 'UNAUTHENTICATED' } } })
    expect((await stream.next()).done).toBe(true)
  })

  it('brings nothing as long as something else has to be done first', async () => {
    const { url, publish, store, other, signedIn } = await serveTwo()
    publish(1)
    const gone = new AbortController()
    const stream = read(url, signedIn.accessToken, gone.signal)
    await take(stream, 1)
    // Told after the stream, which has watched for longer.
    let permissions = 0
    const stop = other.watch(signedIn.session.sessionId, (change) => {
      permissions = change.ended ? 0 : change.permissions.length
    })
    undo.push(stop)
    const { users } = store.tables
    await store.db.update(users).set({ mustChangePassword: true })
    await waitUntil('the narrower rights', async () => permissions === 1)
    publish(2)
    await store.db.update(users).set({ mustChangePassword: false })
    await waitUntil('the rights of before', async () => permissions > 1)
    publish(3)
    expect(news(await take(stream, 1))).toEqual([3])
    gone.abort()
  })
})
