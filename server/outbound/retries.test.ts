import { afterEach, describe, expect, it } from 'vitest'
import { systemClock } from '@/server/clock'
import { openLog } from '@/server/log'
import { openOutbound, type PoolOptions } from '.'
import { RetryBudget } from './budget'
import { type Place, startPlace, until } from './testing/place'

const deps = { clock: systemClock, log: openLog('error', () => {}) }
const opened: { close(): Promise<void> }[] = []

afterEach(async () => {
  for (const thing of opened.splice(0).reverse()) await thing.close()
})

function open(options: Omit<PoolOptions, 'name'> = {}) {
  const outbound = openOutbound(deps, [{ name: 'test', ...options }])
  opened.push(outbound)
  return { pool: outbound.pool('test'), figures: () => outbound.report().origins[0] }
}

async function place(...args: Parameters<typeof startPlace>): Promise<Place> {
  const started = await startPlace(...args)
  opened.push(started)
  return started
}

/** Fails the first times, then answers. */
function failing(times: number, fail: 'cut' | number, headers: Record<string, string> = {}) {
  let left = times
  return place((request, response) => {
    if (left-- <= 0) response.end('well')
    else if (fail === 'cut') request.socket.destroy()
    else response.writeHead(fail, headers).end()
  })
}

describe('a retry', () => {
  it.each([['cut' as const], [502], [503], [504], [429]])('follows a failure by %s', async (fail) => {
    const here = await failing(2, fail)
    const { pool, figures } = open()
    const answer = await pool.request(here.url)
    expect(answer).toMatchObject({ status: 200, attempts: 3 })
    expect(figures()).toMatchObject({ calls: 1, retries: 2, answers: { '2xx': 1, '5xx': 0 } })
  })

  it('follows a head that does not come', async () => {
    let first = true
    const here = await place((_, response) => {
      if (!first) response.end('well')
      first = false
    })
    expect(await open({ headersTimeout: 100 }).pool.request(here.url)).toMatchObject({ attempts: 2 })
  })

  it('does not follow what a second try does not better', async () => {
    for (const status of [400, 404, 500]) {
      const here = await failing(1, status)
      expect(await open().pool.request(here.url)).toMatchObject({ status, attempts: 1 })
    }
  })

  it('is not made of a POST, unless it may be sent twice', async () => {
    const once = await failing(1, 'cut')
    await expect(open().pool.request(once.url, { method: 'POST' })).rejects.toThrow(/closed the connection/)
    expect(once.requests).toHaveLength(1)
    const twice = await failing(1, 503)
    const headers = { 'Idempotency-Key': 'a' }
    expect(
      await open().pool.request(twice.url, { method: 'POST', idempotent: true, headers, body: 'x' }),
    ).toMatchObject({ status: 200, attempts: 2 })
  })

  it('gives the last answer when the retries are used up', async () => {
    const here = await failing(99, 503)
    expect(await open({ retries: 3 }).pool.request(here.url)).toMatchObject({ status: 503, attempts: 4 })
  })

  it('waits as long as Retry-After asks', async () => {
    const here = await failing(1, 429, { 'Retry-After': '1' })
    const begun = performance.now()
    expect(await open().pool.request(here.url)).toMatchObject({ status: 200, attempts: 2 })
    expect(performance.now() - begun).toBeGreaterThanOrEqual(990)
  })

  it('is not waited for beyond the deadline', async () => {
    const here = await failing(1, 503, { 'Retry-After': '60' })
    const begun = performance.now()
    expect(await open({ deadline: 2_000 }).pool.request(here.url)).toMatchObject({ status: 503, attempts: 1 })
    expect(performance.now() - begun).toBeLessThan(1_500)
  })

  it('ends by the signal while it waits', async () => {
    const here = await failing(9, 503, { 'Retry-After': '5' })
    const controller = new AbortController()
    const call = open().pool.request(here.url, { signal: controller.signal })
    await until(() => here.requests.length === 1)
    setTimeout(() => controller.abort(new Error('stop')), 20)
    await expect(call).rejects.toThrow('stop')
  })

  it('is denied when the budget is spent, so that a storm ends', async () => {
    const here = await failing(9_999, 503)
    const { pool, figures } = open({
      retryBudget: 0.1,
      retries: 3,
      breaker: { failures: 10_000, openMs: 1_000 },
    })
    for (let i = 0; i < 100; i++) await pool.request(here.url)
    const { retries, retriesDenied } = figures() ?? { retries: 0, retriesDenied: 0 }
    expect(retries).toBeGreaterThanOrEqual(15)
    expect(retries).toBeLessThanOrEqual(20)
    expect(retriesDenied).toBeGreaterThan(80)
    expect(here.requests).toHaveLength(100 + retries)
  })

  it('never is made with a budget of nothing', () => {
    const budget = new RetryBudget(0)
    for (let i = 0; i < 100; i++) budget.earn()
    expect(budget.spend()).toBe(false)
  })
})

describe('the breaker', () => {
  const breaker = { failures: 3, openMs: 300 }

  it('opens, refuses at once, lets one call try, and closes when that is answered', async () => {
    let well = false
    const held: (() => void)[] = []
    const here = await place((_, response) => {
      if (!well) response.writeHead(503).end()
      else held.push(() => response.end('well'))
    })
    const { pool, figures } = open({ retries: 0, breaker })
    for (let i = 0; i < 3; i++) expect((await pool.request(here.url)).status).toBe(503)
    expect(figures()).toMatchObject({
      breaker: 'open',
      lastError: { message: expect.stringContaining('503') },
    })
    const refused = await pool.request(here.url).catch((error: unknown) => error)
    expect(refused).toMatchObject({
      code: 'TARGET_UNREACHABLE',
      message: expect.stringMatching(/left alone/),
    })
    const { retryAfterMs } = refused as { retryAfterMs: number }
    expect(retryAfterMs).toBeGreaterThan(0)
    expect(retryAfterMs).toBeLessThanOrEqual(300)
    expect(here.requests).toHaveLength(3)
    well = true
    const { tried } = await untilLetThrough(
      () => pool.request(here.url),
      () => here.requests.length === 4,
    )
    expect(figures()?.breaker).toBe('half-open')
    await expect(pool.request(here.url)).rejects.toThrow(/left alone/)
    for (const end of held) end()
    expect((await tried).status).toBe(200)
    expect(figures()?.breaker).toBe('closed')
    expect(here.requests).toHaveLength(4)
  })

  it('opens again when the one that tries fails, or is broken off', async () => {
    let silent = false
    const here = await place((_, response) => {
      if (!silent) response.writeHead(503).end()
    })
    const { pool, figures } = open({ retries: 0, breaker })
    for (let i = 0; i < 3; i++) await pool.request(here.url)
    const { tried: failed } = await untilLetThrough(
      () => pool.request(here.url),
      () => here.requests.length === 4,
    )
    expect((await failed).status).toBe(503)
    expect(figures()?.breaker).toBe('open')
    silent = true
    const controller = new AbortController()
    const { tried: broken } = await untilLetThrough(
      () => pool.request(here.url, { signal: controller.signal }),
      () => here.requests.length === 5,
    )
    controller.abort(new Error('never mind'))
    await expect(broken).rejects.toThrow('never mind')
    expect(figures()?.breaker).toBe('open')
  })

  it('does not open by calls that their callers broke off, nor by answers like 404 and 500', async () => {
    const here = await place((request, response) => {
      if (request.url !== '/held') response.writeHead(Number(request.url?.slice(1))).end()
    })
    const { pool, figures } = open({ retries: 0, breaker })
    for (let i = 0; i < 5; i++) {
      const controller = new AbortController()
      const call = pool.request(`${here.url}/held`, { signal: controller.signal })
      await until(() => here.requests.length === i + 1)
      controller.abort(new Error('stop'))
      await expect(call).rejects.toThrow('stop')
    }
    for (const status of [404, 500, 429, 500, 500]) await pool.request(`${here.url}/${status}`)
    expect(figures()?.breaker).toBe('closed')
  })

  it('is one for each origin', async () => {
    const [bad, good] = [await failing(99, 503), await failing(0, 503)]
    const { pool } = open({ retries: 0, breaker })
    for (let i = 0; i < 3; i++) await pool.request(bad.url)
    await expect(pool.request(bad.url)).rejects.toThrow(/left alone/)
    expect((await pool.request(good.url)).status).toBe(200)
  })
})

/** Calls until the breaker lets one through; that call may still be on its way, so it stands in an object. */
async function untilLetThrough<T>(
  call: () => Promise<T>,
  through: () => boolean,
): Promise<{ tried: Promise<T> }> {
  let tried = call()
  let over = false
  const watch = () => {
    over = false
    tried.catch(() => {
      over = true
    })
  }
  watch()
  await until(() => {
    if (through()) return true
    if (over) {
      tried = call()
      watch()
    }
    return false
  })
  return { tried }
}
