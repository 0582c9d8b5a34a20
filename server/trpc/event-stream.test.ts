import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { PassThrough, Writable } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import { type TRPCError, tracked } from '@trpc/server'
import { expect, it } from 'vitest'
import { pingMs, writeEvents } from './event-stream'

async function* listed<T>(...events: T[]) {
  yield* events
}

const describeError = (error: unknown) => ({ said: (error as TRPCError).message })

async function written(events: Promise<AsyncIterable<unknown>>): Promise<string> {
  const out = new PassThrough().setEncoding('utf8')
  const done = writeEvents(out, events, describeError)
  let text = ''
  for await (const chunk of out) text += chunk
  await done
  return text
}

it('writes events in the form of tRPC, with their ids, and says that it is over', async () => {
  const text = await written(
    Promise.resolve(listed(tracked('a-1', { value: 1 }), tracked('a-2', { value: 2 }))),
  )
  expect(text).toBe(
    'event: connected\ndata: {"reconnectAfterInactivityMs":5000}\n\n' +
      'data: {"value":1}\nid: a-1\n\n' +
      'data: {"value":2}\nid: a-2\n\n' +
      'event: return\ndata: \n\n',
  )
})

it('writes the same event under the id that it has at the time', async () => {
  const again = { kind: 'reset' }
  const text = await written(Promise.resolve(listed(tracked('a-1', again), tracked('a-7', again))))
  expect(text.match(/^id: .*$/gm)).toEqual(['id: a-1', 'id: a-7'])
})

it('writes a failure as an event, before the first one and after', async () => {
  async function* failing() {
    yield tracked('a-1', { value: 1 })
    throw new Error('gone')
  }
  const last = /event: serialized-error\ndata: (.+)\n\n$/
  expect(last.exec(await written(Promise.resolve(failing())))?.[1]).toBe('{"said":"gone"}')
  expect(last.exec(await written(Promise.reject(new Error('not yours'))))?.[1]).toBe('{"said":"not yours"}')
})

it('asks for no more events while the client takes none', async () => {
  let asked = 0
  async function* many() {
    for (;;) {
      asked++
      yield tracked(`a-${asked}`, { asked })
      await turn()
    }
  }
  let take = () => {}
  const slow = new Writable({
    highWaterMark: 1,
    write: (_chunk, _encoding, done) => {
      take = done
    },
  })
  const done = writeEvents(slow, Promise.resolve(many()), describeError)
  await turn()
  expect(asked).toBe(0)
  take()
  await expect.poll(() => asked).toBe(1)
  for (let time = 0; time < 10; time++) await turn()
  expect(asked).toBe(1)
  slow.destroy()
  await done
})

it('pings who has heard nothing, so that tRPC’s client does not give the stream up', {
  timeout: 10_000,
}, async () => {
  const gone = new AbortController()
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    async function* quiet() {
      yield tracked('a-1', { value: 1 })
      await once(gone.signal, 'abort')
    }
    void writeEvents(response, Promise.resolve(quiet()), describeError)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    let text = ''
    socket.setEncoding('utf8').on('data', (chunk) => {
      text += chunk
    })
    await expect.poll(() => text.match(/event: ping/g)?.length ?? 0, { timeout: 3 * pingMs + 1_000 }).toBe(2)
    socket.destroy()
  } finally {
    gone.abort()
    server.closeAllConnections()
    server.close()
  }
})
