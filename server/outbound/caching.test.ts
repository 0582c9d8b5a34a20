import type { RequestListener } from 'node:http'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openCache } from '@/server/cache'
import { openLog } from '@/server/log'
import { type CallOptions, type Outbound, openOutbound } from '.'
import { handClock, mapCache, type Place, startPlace, until } from './testing/place'

const opened: { close(): Promise<void> }[] = []
let clock = handClock()
let cache = mapCache()
let here: Place
let outbound: Outbound
/** What the server answers now. */
let answer: RequestListener
let count = 0

beforeEach(async () => {
  clock = handClock()
  cache = mapCache()
  count = 0
  here = await startPlace((request, response) => {
    count++
    return answer(request, response)
  })
  outbound = openOutbound({ clock, log: openLog('error', () => {}), cache }, [
    { name: 'test', retries: 0 },
    { name: 'other', retries: 0 },
  ])
  opened.push(here, outbound)
})

afterEach(async () => {
  for (const thing of opened.splice(0).reverse()) await thing.close()
})

const get = async (options: CallOptions = {}, path = '/', pool = 'test') => {
  const { status, body, fromCache, attempts } = await outbound.pool(pool).request(here.url + path, options)
  return { status, body: body.toString(), fromCache, attempts }
}
const figures = () => outbound.report().origins[0]

/** Answers a new number each time, with these headers. */
const numbers = (headers: Record<string, string | string[]>, status = 200): RequestListener => {
  return (_, response) => void response.writeHead(status, headers).end(String(count))
}
const hit = (body: string) => ({ status: 200, body, fromCache: 'hit', attempts: 0 })
const fetched = (body: string) => ({ status: 200, body, fromCache: null, attempts: 1 })

describe('an answer', () => {
  it('is used again as long as it is fresh', async () => {
    answer = numbers({ 'Cache-Control': 'max-age=60' })
    expect(await get()).toEqual(fetched('1'))
    clock.pass(59_000)
    expect(await get()).toEqual(hit('1'))
    clock.pass(2_000)
    expect(await get()).toEqual(fetched('2'))
    expect(figures()).toMatchObject({ calls: 3, cacheHits: 1, answers: { '2xx': 3 }, latency: { count: 2 } })
  })

  it('tells its age', async () => {
    answer = numbers({ 'Cache-Control': 'max-age=60', 'X-Mine': 'a' })
    await get()
    clock.pass(10_000)
    const { headers } = await outbound.pool('test').request(here.url)
    expect(headers).toMatchObject({ age: expect.stringMatching(/^1\d$/), 'x-mine': 'a' })
  })

  it('is fresh with must-revalidate, too, and asked for when it no longer is', async () => {
    answer = numbers({ 'Cache-Control': 'max-age=60, must-revalidate, stale-if-error=600' })
    await get()
    expect(await get()).toEqual(hit('1'))
    clock.pass(61_000)
    answer = numbers({}, 503)
    expect((await get()).status).toBe(503)
  })

  it.each([
    ['no-store', { 'Cache-Control': 'no-store, max-age=60' }],
    ['private', { 'Cache-Control': 'private, max-age=60' }],
    ['Private, in any case', { 'Cache-Control': 'Max-Age=60, Private' }],
    ['no word about caching', {}],
    ['a date of change alone', { 'Last-Modified': 'Mon, 01 Jan 2024 00:00:00 GMT' }],
    ['no-cache', { 'Cache-Control': 'no-cache' }],
    ['Vary: *', { 'Cache-Control': 'max-age=60', Vary: 'Accept, *' }],
    ['a cookie', { 'Cache-Control': 'max-age=60', 'Set-Cookie': 'a=b' }],
  ])('is not used again with %s', async (_, headers) => {
    answer = numbers(headers)
    expect(await get()).toEqual(fetched('1'))
    expect(await get()).toEqual(fetched('2'))
  })

  it('to an authorized call is kept only when it says so', async () => {
    const headers = { Authorization: 'Bearer secret' }
    answer = numbers({ 'Cache-Control': 'max-age=60' })
    await get({ headers }, '/a')
    expect(await get({ headers }, '/a')).toEqual(fetched('2'))
    answer = numbers({ 'Cache-Control': 'public, max-age=60' })
    await get({ headers }, '/b')
    expect(await get({ headers }, '/b')).toEqual(hit('3'))
  })

  it('is kept for each value of the headers that it varies by', async () => {
    answer = (request, response) => {
      response.writeHead(200, { 'Cache-Control': 'max-age=60', Vary: 'Accept-Language' })
      response.end(`${request.headers['accept-language']} ${count}`)
    }
    const ask = (language: string) => get({ headers: { 'Accept-Language': language, 'X-Any': language } })
    expect(await ask('de')).toEqual(fetched('de 1'))
    expect(await ask('fr')).toEqual(fetched('fr 2'))
    expect(await ask('de')).toEqual(hit('de 1'))
    expect(await ask('fr')).toEqual(hit('fr 2'))
    await get({ method: 'POST' })
    expect(await ask('de')).toEqual(fetched('de 4'))
    expect(await ask('fr')).toEqual(fetched('fr 5'))
  })

  it('is kept under a hashed key of its pool, and no secret of the call stands in the cache', async () => {
    answer = numbers({ 'Cache-Control': 'public, max-age=60', Vary: 'Authorization' })
    const headers = { Authorization: 'Bearer topsecret', 'X-Key': 'othersecret' }
    await get({ headers }, '/?token=urlsecret')
    expect(await get({ headers }, '/?token=urlsecret')).toEqual(hit('1'))
    expect(await get({ headers }, '/?token=urlsecret', 'other')).toEqual(fetched('2'))
    for (const [key, { value, ttl }] of cache.entries) {
      expect(key).toMatch(/^[0-9a-f]{64}$/)
      expect(JSON.stringify(value)).not.toMatch(/secret/)
      expect(ttl).toBeGreaterThan(0)
    }
  })

  it('is fetched whatever is kept, when the call wants that', async () => {
    answer = numbers({ 'Cache-Control': 'max-age=60' })
    await get()
    expect(await get({ headers: { 'Cache-Control': 'no-cache' } })).toEqual(fetched('2'))
    expect(await get()).toEqual(hit('2'))
    expect(await get({ headers: { 'Cache-Control': 'no-store' } })).toEqual(fetched('3'))
    expect(await get({ headers: { Range: 'bytes=0-1' } })).toEqual(fetched('4'))
    expect(await get()).toEqual(hit('2'))
  })
})

describe('a stale copy', () => {
  it.each([
    ['ETag', 'if-none-match', '"v1"'],
    ['Last-Modified', 'if-modified-since', 'Mon, 01 Jan 2024 00:00:00 GMT'],
  ])('is asked about by its %s, and used when it still holds', async (name, condition, validator) => {
    answer = (request, response) => {
      const same = request.headers[condition] === validator
      response.writeHead(same ? 304 : 200, { 'Cache-Control': 'max-age=60', [name]: validator })
      response.end(same ? undefined : String(count))
    }
    expect(await get()).toEqual(fetched('1'))
    clock.pass(61_000)
    expect(await get()).toEqual({ status: 200, body: '1', fromCache: 'revalidated', attempts: 1 })
    expect(await get()).toEqual(hit('1'))
    expect(figures()).toMatchObject({ cacheRevalidated: 1, cacheHits: 1 })
  })

  it('gives way to a new answer', async () => {
    answer = (_, response) => {
      response.writeHead(200, { 'Cache-Control': 'max-age=60', ETag: `"${count}"` }).end(String(count))
    }
    await get()
    clock.pass(61_000)
    expect(await get()).toEqual(fetched('2'))
    expect(await get()).toEqual(hit('2'))
  })

  it('is not mistaken for another that still holds', async () => {
    answer = numbers({ 'Cache-Control': 'max-age=60', ETag: '"a"' })
    await get()
    clock.pass(61_000)
    answer = (request, response) => {
      if (request.headers['if-none-match']) response.writeHead(304, { ETag: '"b"' }).end()
      else response.end(String(count))
    }
    expect(await get()).toEqual({ status: 200, body: '3', fromCache: null, attempts: 2 })
  })

  it('stands in for a server that fails, as long as stale-if-error says', async () => {
    answer = numbers({ 'Cache-Control': 'max-age=60, stale-if-error=600' })
    await get()
    clock.pass(61_000)
    answer = numbers({}, 503)
    expect(await get()).toMatchObject({ status: 200, body: '1', fromCache: 'hit', attempts: 1 })
    answer = (request) => void request.socket.destroy()
    expect(await get()).toMatchObject({ status: 200, body: '1', fromCache: 'hit' })
    await expect(get({ headers: { 'Cache-Control': 'no-cache' } })).rejects.toThrow()
    clock.pass(600_000)
    await expect(get()).rejects.toThrow()
  })

  it('does not stand in without that word', async () => {
    answer = numbers({ 'Cache-Control': 'max-age=60' })
    await get()
    clock.pass(61_000)
    answer = numbers({}, 503)
    expect((await get()).status).toBe(503)
  })
})

describe('a call that changes something', () => {
  it.each(['POST', 'PUT', 'DELETE', 'PATCH'])('makes the copies of its URL old: %s', async (method) => {
    answer = numbers({ 'Cache-Control': 'max-age=60' })
    await get()
    await get({ method })
    expect(await get()).toEqual(fetched('3'))
  })

  it('leaves them when it was refused, and takes those away that the answer names', async () => {
    answer = numbers({ 'Cache-Control': 'max-age=60' })
    await get({}, '/a')
    answer = numbers({}, 403)
    await get({ method: 'POST' }, '/a')
    expect(await get({}, '/a')).toEqual(hit('1'))
    answer = numbers({ Location: '/a' }, 201)
    await get({ method: 'POST' }, '/')
    answer = numbers({})
    expect(await get({}, '/a')).toEqual(fetched('4'))
  })

  it('takes the copy away also when no answer came', async () => {
    answer = numbers({ 'Cache-Control': 'max-age=60' })
    await get()
    answer = (request) => void request.socket.destroy()
    await expect(get({ method: 'POST' })).rejects.toThrow()
    answer = numbers({})
    expect(await get()).toEqual(fetched('3'))
  })

  it('overtakes a fetch, whose answer is then not kept', async () => {
    let end = () => {}
    answer = (request, response) => {
      response.writeHead(200, { 'Cache-Control': 'max-age=60' })
      if (request.method === 'POST') response.end()
      else end = () => void response.end('old')
    }
    const slow = get()
    await until(() => count === 1)
    await get({ method: 'POST' })
    end()
    expect((await slow).body).toBe('old')
    answer = numbers({ 'Cache-Control': 'max-age=60' })
    expect(await get()).toEqual(fetched('3'))
  })
})

describe('equal calls at the same time', () => {
  /** Answers when it is let. */
  function held(headers: Record<string, string>) {
    const ends: (() => void)[] = []
    answer = (_, response) => {
      const body = String(count)
      ends.push(() => void response.writeHead(200, headers).end(body))
    }
    return ends
  }

  it('share one fetch, each with a body of its own', async () => {
    const ends = held({ 'Cache-Control': 'max-age=60' })
    const calls = Array.from({ length: 50 }, () => outbound.pool('test').request(here.url))
    await until(() => ends.length > 0)
    ends[0]?.()
    const answers = await Promise.all(calls)
    expect(count).toBe(1)
    expect(answers.filter(({ fromCache }) => fromCache === 'hit')).toHaveLength(49)
    answers[0]?.body.fill(0)
    expect(answers[1]?.body.toString()).toBe('1')
    expect(answers.slice(1).every(({ body }) => body.toString() === '1')).toBe(true)
    expect(figures()).toMatchObject({ calls: 50, cacheHits: 49 })
  })

  it('do not share what is for one caller alone', async () => {
    const ends = held({ 'Cache-Control': 'private, max-age=60' })
    const calls = [get(), get(), get()]
    await until(() => ends.length > 0)
    const free = setInterval(() => ends.splice(0).forEach((end) => void end()), 5)
    const bodies = (await Promise.all(calls)).map(({ body }) => body)
    clearInterval(free)
    expect(new Set(bodies).size).toBe(3)
  })

  it('do not end with the one that came first', async () => {
    const ends = held({ 'Cache-Control': 'max-age=60' })
    const controller = new AbortController()
    const first = get({ signal: controller.signal })
    const second = get()
    await until(() => ends.length > 0)
    controller.abort(new Error('left'))
    await expect(first).rejects.toThrow('left')
    ends[0]?.()
    expect((await second).body).toBe('1')
    expect(count).toBe(1)
  })

  it('end their fetch when all of them have left', async () => {
    held({})
    const controller = new AbortController()
    const calls = [get({ signal: controller.signal }), get({ signal: controller.signal })]
    await until(() => count === 1)
    controller.abort(new Error('left'))
    for (const call of calls) await expect(call).rejects.toThrow('left')
    await until(() => here.requests[0]?.socket.destroyed === true)
    expect(figures()?.connections.inUse).toBe(0)
  })
})

it('answers without copies when the cache fails', async () => {
  cache.get = () => Promise.reject(new Error('away'))
  cache.set = () => Promise.reject(new Error('away'))
  cache.delete = () => Promise.reject(new Error('away'))
  answer = numbers({ 'Cache-Control': 'max-age=60' })
  expect(await get()).toEqual(fetched('1'))
  expect(await get()).toEqual(fetched('2'))
  expect(await get({ method: 'POST' })).toEqual(fetched('3'))
})

it('keeps its copies in a namespace of the cache', async () => {
  const real = openCache({ clock, log: openLog('error', () => {}) }, {})
  const space = real.space('http')
  const through = openOutbound({ clock, log: openLog('error', () => {}), cache: space }, [{ name: 'test' }])
  opened.push(real, through)
  const body = Buffer.from([0, 255, 128, 7])
  answer = (_, response) => void response.writeHead(200, { 'Cache-Control': 'max-age=60' }).end(body)
  for (const fromCache of [null, 'hit'])
    expect(await through.pool('test').request(here.url)).toMatchObject({ body, fromCache })
  expect(real.stats().namespaces.find(({ name }) => name === 'http')).toMatchObject({ hits: 1, sets: 1 })
})
