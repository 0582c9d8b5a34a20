import { execFile } from 'node:child_process'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it, vi } from 'vitest'
import { type CollectedSpan, type Collector, isOneTree, startCollector } from '@/db/testing/collector'
import { needsRedis, sharedRedis } from '@/db/testing/shared'
import { undoAfterEach } from '@/db/testing/undo'
import { openCache } from '@/server/cache'
import { systemClock } from '@/server/clock'
import { openLog } from '@/server/log'
import { openGuard, openOutbound } from '@/server/outbound'
import { type Trace, traced } from '@/server/trace'
import { openTracing, type SamplerName } from '.'
import type { TracingLoads } from './testing/loads'

const later = undoAfterEach()

async function open(sampler: SamplerName = 'parentbased_always_on', share?: number) {
  const collector = await startCollector()
  later(() => collector.close())
  const lines: string[] = []
  const trace = (await openTracing(
    { log: openLog('info', (line) => lines.push(line)), version: '1.2.3', instance: 'one' },
    {
      ...{ endpoint: collector.url, headers: { 'x-key': 'k' }, service: 'console' },
      ...{ resource: { 'deployment.environment.name': 'test' }, sampler, samplerArgument: share },
    },
  )) as Trace
  return { collector, lines, trace }
}

/** Ends the trace, which sends what is left. */
async function sent({ trace, collector }: { trace: Trace; collector: Collector }): Promise<CollectedSpan[]> {
  await trace.close()
  return collector.spans
}

it('loads nothing without a collector', async () => {
  const deps = { log: openLog('error'), version: '1', instance: 'one' }
  const none = { headers: {}, service: '', resource: {}, samplerArgument: undefined }
  const config = { ...none, endpoint: undefined, sampler: 'always_on' as const }
  expect(await openTracing(deps, config)).toBeUndefined()
  const { stdout } = await promisify(execFile)(process.execPath, [
    join(process.cwd(), 'dist/testing/loads.mjs'),
  ])
  expect(JSON.parse(stdout) as TracingLoads).toEqual({ without: false, with: true })
})

describe('a trace', () => {
  it('is one tree below what the caller names, and says where it comes from', async () => {
    const opened = await open()
    const { trace } = opened
    const above = { traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` }
    const root = trace.begin({ name: 'request', kind: 'server' }, above)
    await root?.within(() =>
      traced(trace, { name: 'outer' }, async () => {
        await traced(trace, { name: 'first', attributes: { n: 1 } }, async () => {})
        await traced(trace, { name: 'second' }, async () => {
          throw Object.assign(new Error('of a value'), { code: '23505' })
        }).catch(() => {})
      }),
    )
    root?.end()
    const spans = await sent(opened)
    expect(spans.map(({ name }) => name).sort()).toEqual(['first', 'outer', 'request', 'second'])
    expect(new Set(spans.map(({ traceId }) => traceId))).toEqual(new Set(['a'.repeat(32)]))
    expect(isOneTree(spans, 'b'.repeat(16))).toBe(true)
    expect(spans[0]?.resource).toEqual({
      ...{ 'service.name': 'console', 'service.version': '1.2.3', 'service.instance.id': 'one' },
      'deployment.environment.name': 'test',
    })
    expect(opened.collector.headers[0]).toMatchObject({ 'x-key': 'k' })
    const failed = spans.filter((span) => span.failed)
    expect(failed).toMatchObject([{ name: 'second', attributes: { 'error.type': '23505' } }])
    expect(JSON.stringify(spans)).not.toContain('of a value')
  })

  it('is begun by nothing but a request or a run', async () => {
    const opened = await open()
    expect(opened.trace.begin({ name: 'statement of a timer' })).toBeUndefined()
    expect(await sent(opened)).toEqual([])
  })

  it('is kept of the share that the sampler takes, and of what the caller decided', async () => {
    const opened = await open('parentbased_traceidratio', 0)
    const sampled = { traceparent: `00-${'c'.repeat(32)}-${'d'.repeat(16)}-01` }
    for (const from of [{}, sampled, {}]) opened.trace.begin({ name: 'request' }, from)?.end()
    expect((await sent(opened)).map(({ traceId }) => traceId)).toEqual(['c'.repeat(32)])
  })

  it('goes on at the server that is called', async () => {
    const opened = await open()
    const asked: NodeJS.Dict<string | string[]>[] = []
    const server = createServer((request, response) => {
      asked.push(request.headers)
      response.end('ok')
    }).listen(0, '127.0.0.1')
    later(() => server.close())
    await vi.waitFor(() => expect(server.listening).toBe(true))
    const { port } = server.address() as { port: number }
    const outbound = openOutbound(
      { clock: systemClock, log: openLog('error'), trace: opened.trace, guard: openGuard(['127.0.0.0/8']) },
      [{ name: 'test' }],
    )
    later(() => outbound.close())
    const call = () => outbound.pool('test').request(`http://127.0.0.1:${port}/hook/secret?key=secret`)
    const root = opened.trace.begin({ name: 'request' }, {})
    await root?.within(call)
    root?.end()
    await call()
    const spans = await sent(opened)
    const client = spans.find(({ name }) => name === 'GET')
    expect(client).toMatchObject({
      kind: 3,
      attributes: { 'http.request.method': 'GET', 'server.port': port, 'http.response.status_code': 200 },
    })
    expect(asked[0]?.traceparent).toBe(`00-${client?.traceId}-${client?.spanId}-01`)
    expect(asked[1]?.traceparent).toBeUndefined()
    expect(isOneTree(spans)).toBe(true)
    expect(JSON.stringify(spans)).not.toContain('secret')
  })
})

describe('commands to Redis', () => {
  needsRedis()

  it('are spans that tell no key and no value', async () => {
    const opened = await open()
    const { hostname, port, password } = new URL(sharedRedis().url)
    const prefix = `tracing-${process.pid}:`
    const cache = openCache(
      { clock: systemClock, log: openLog('error'), trace: opened.trace },
      { redis: { host: hostname, port: Number(port), password }, prefix },
    )
    later(() => cache.close())
    await vi.waitFor(() => expect(cache.redis?.state).toBe('redis'), { timeout: 10_000 })
    const root = opened.trace.begin({ name: 'request' }, {})
    await root?.within(() => cache.redis?.set('a-key', Buffer.from('a-value'), 60_000))
    await root?.within(() => cache.redis?.get('a-key'))
    root?.end()
    const spans = await sent(opened)
    expect(isOneTree(spans)).toBe(true)
    const attributes = { 'db.system.name': 'redis', 'server.port': Number(port) }
    for (const name of ['SET', 'GET'])
      expect(spans.find((span) => span.name === name)).toMatchObject({ kind: 3, attributes })
    expect(JSON.stringify(spans)).not.toMatch(/a-key|a-value/)
  })
})

describe('a collector that is away', () => {
  it('is told of once, and holds nobody up', async () => {
    const opened = await open()
    const { trace, collector, lines } = opened
    const round = () => trace.begin({ name: 'request' }, {})?.end()
    await collector.close()
    // More than may wait: what is too much is dropped.
    const started = performance.now()
    for (let n = 0; n < 20_000; n++) round()
    expect(performance.now() - started).toBeLessThan(5_000)
    await vi.waitFor(() => expect(lines).toHaveLength(1), { timeout: 20_000, interval: 100 })
    expect(lines[0]).toMatch(/"level":"warn".*the collector takes no spans/)
    const closing = performance.now()
    await trace.close()
    expect(performance.now() - closing).toBeLessThan(2_000)
    expect(lines).toHaveLength(1)
  })
})
