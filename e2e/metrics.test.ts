import { execFile, execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { openGuide } from '@/db/testing/guides'
import {
  freePort,
  makeFolder,
  removeFolder,
  spawnServer,
  stopServer,
  waitUntil,
} from '@/db/testing/processes'
import { createDatabase, needsPostgres, needsRedis, sharedRedis } from '@/db/testing/shared'
import { bearer, program, setUpByProgram } from './program'
import { type RunningConsole, startConsole } from './server'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

const run = promisify(execFile)
const project = join(import.meta.dirname, '..')
const ops = join(project, 'ops')
const hasPrometheus = (() => {
  try {
    execFileSync('promtool', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})()
const needsPrometheus = () =>
  beforeEach((context) =>
    context.skip(!hasPrometheus, 'Prometheus is not installed: apt-get install prometheus'),
  )

const token = 'a-token-for-metrics'
const undo: (() => unknown)[] = []
afterAll(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

describe('rules', () => {
  needsPrometheus()

  it('are what promtool takes for rules, and fire when they should', async () => {
    await openGuide('docs/operations.md').types('rules', project, {})
  })

  it('each stand in the runbook, and in the tests', () => {
    const rules = readFileSync(join(ops, 'prometheus/rules.yml'), 'utf8')
    const tests = readFileSync(join(ops, 'prometheus/rules.test.yml'), 'utf8')
    const runbook = readFileSync(join(project, 'docs/operations.md'), 'utf8')
    const names = [...rules.matchAll(/- alert: (\w+)/g)].map(([, name = '']) => name)
    expect(names.length).toBeGreaterThan(5)
    for (const name of names) {
      expect(tests).toContain(`alertname: ${name}\n`)
      expect(runbook).toContain(`### ${name}\n`)
    }
  })
})

describe('/api/metrics', () => {
  let console: RunningConsole
  beforeAll(async () => {
    console = await startConsole()
    undo.push(() => console.stop())
  })

  it('answers this machine, and nobody behind a proxy, while there is no token', async () => {
    const { get } = program(console)
    expect((await get('/api/metrics')).status).toBe(200)
    for (const header of ['x-forwarded-for', 'forwarded', 'via', 'x-real-ip']) {
      const { status, body } = await get('/api/metrics', { [header]: '192.0.2.1' })
      expect([status, body.code]).toEqual([401, 'UNAUTHENTICATED'])
    }
  })
})

describe('a console on PostgreSQL and Redis', () => {
  needsPostgres()
  needsRedis()
  needsPrometheus()
  let console: RunningConsole
  let prometheus: string

  beforeAll(async () => {
    if (!hasPrometheus) return
    const database = await createDatabase()
    undo.push(database.drop)
    const { hostname, port, username, password } = new URL(database.url)
    const redis = new URL(sharedRedis().url)
    console = await startConsole({
      env: {
        METRICS_TOKEN: token,
        ...{ DB_TYPE: 'postgresql', DB_HOST: hostname, DB_PORT: port, DB_NAME: database.database },
        ...{ DB_USER: username, DB_PASSWORD: decodeURIComponent(password) },
        ...{ REDIS_HOST: redis.hostname, REDIS_PORT: redis.port, CACHE_PREFIX: `${database.database}:` },
      },
    })
    undo.push(() => console.stop())
    prometheus = await startPrometheus(console.port)
  })

  const scrape = () => program(console).get('/api/metrics', bearer(token))

  it('gives its metrics for the token alone', async () => {
    const { get } = program(console)
    for (const headers of [{}, bearer('another'), bearer(`${token}x`)]) {
      expect((await get('/api/metrics', headers)).body).toMatchObject({
        status: 401,
        code: 'UNAUTHENTICATED',
      })
    }
    const { status, headers, body } = await scrape()
    expect(status).toBe(200)
    expect(headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
    expect(body).toMatch(
      /^holdfast_build_info\{version="\d+\.\d+\.\d+",node="[\d.]+",store="postgresql"\} 1$/m,
    )
  })

  it('passes promtool check metrics', async () => {
    const { body } = await scrape()
    const checking = run('promtool', ['check', 'metrics'])
    checking.child.stdin?.end(body)
    const { stdout, stderr } = await checking
    expect(stdout + stderr).toBe('')
  })

  it('knows every metric that a page names', async () => {
    const { body } = await scrape()
    const names = ['app', 'components'].flatMap((folder) =>
      readdirSync(join(project, folder), { recursive: true, encoding: 'utf8' })
        .filter((file) => /\.tsx?$/.test(file))
        .flatMap((file) => readFileSync(join(project, folder, file), 'utf8').match(/\bholdfast_\w+/g) ?? []),
    )
    expect(names.length).toBeGreaterThan(20)
    const known = new Set([...body.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name))
    expect([...new Set(names)].filter((name) => !known.has(name))).toEqual([])
  })

  it('counts requests by kind and status, whatever their paths are', async () => {
    const { get, query } = program(console)
    const of = async (kind: string, status: string) =>
      Number(
        new RegExp(`^holdfast_http_requests_total\\{kind="${kind}",status="${status}"\\} (\\d+)$`, 'm').exec(
          (await scrape()).body,
        )?.[1] ?? 0,
      )
    const before = [await of('rest', '4xx'), await of('trpc', '2xx')] as const
    for (const path of ['/api/infrastructure/nothing', '/api/infrastructure/a%22%7D%0Aholdfast_up'])
      await get(path)
    await query('auth.setUpState')
    await vi.waitFor(
      async () =>
        expect([await of('rest', '4xx'), await of('trpc', '2xx')]).toEqual([before[0] + 2, before[1] + 1]),
      { timeout: 15_000 },
    )
    expect((await scrape()).body).not.toContain('holdfast_up')
  })

  it('grows counters and never takes one back', async () => {
    const value = async (name: string) =>
      Number(new RegExp(`^${name} (\\d+)$`, 'm').exec((await scrape()).body)?.[1])
    const first = await value('holdfast_database_queries_total')
    await setUpByProgram(console)
    const second = await value('holdfast_database_queries_total')
    expect(second).toBeGreaterThan(first)
    const count = await value('holdfast_database_query_seconds_count')
    const { body } = await scrape()
    const buckets = [...body.matchAll(/^holdfast_database_query_seconds_bucket\{le="[^"]+"\} (\d+)$/gm)].map(
      Number,
    )
    expect(count).toBeGreaterThan(0)
    expect(buckets).toEqual([...buckets].sort((a, b) => a - b))
  })

  it('fills every panel of the dashboards that can be filled on one server', async () => {
    await waitUntil('The scrape', async () => (await value('up{job="holdfast"}'))[0]?.value[1] === '1')
    const boards = readdirSync(join(ops, 'grafana'))
    expect(boards.length).toBeGreaterThan(3)
    for (const board of boards) {
      const { panels } = JSON.parse(readFileSync(join(ops, 'grafana', board), 'utf8'))
      for (const { title, targets } of panels) {
        const asked = targets.map(({ expr }: { expr: string }) =>
          expr.replaceAll('$instance', '.*').replaceAll('$__rate_interval', '10s'),
        )
        // Of failures there are none to show; what shows beside them must be there.
        await waitUntil(`${board}, ${title}`, async () => {
          const found = await Promise.all(asked.map(value))
          return found.some((results) => results.length > 0)
        })
      }
    }
  })

  /** What a query answers now. Throws what Prometheus says of a query that it does not take. */
  async function value(query: string): Promise<{ value: [number, string] }[]> {
    const response = await fetch(`${prometheus}/api/v1/query?query=${encodeURIComponent(query)}`)
    const { status, error, data } = await response.json()
    if (status !== 'success') throw new Error(`${query}: ${error}`)
    return data.result
  }
})

/** Prometheus with the configuration of ops, every second, on a free port; answers its address. */
async function startPrometheus(port: number): Promise<string> {
  const own = await freePort()
  const folder = makeFolder('prometheus')
  const configuration = readFileSync(join(ops, 'prometheus/prometheus.yml'), 'utf8')
    .replaceAll('15s', '1s')
    .replace('127.0.0.1:3000', `127.0.0.1:${port}`)
    .replace('rules.yml', join(ops, 'prometheus/rules.yml'))
  writeFileSync(join(folder, 'prometheus.yml'), configuration)
  writeFileSync(join(folder, 'metrics-token'), token)
  const options = [
    `--config.file=${join(folder, 'prometheus.yml')}`,
    `--storage.tsdb.path=${join(folder, 'data')}`,
    `--web.listen-address=127.0.0.1:${own}`,
    '--log.level=warn',
  ]
  const server = spawnServer('prometheus', options, { folder, name: 'prometheus' })
  undo.push(async () => {
    await stopServer(server, 'SIGTERM')
    removeFolder(folder)
  })
  const address = `http://127.0.0.1:${own}`
  await waitUntil('Prometheus', async () => (await fetch(`${address}/-/ready`)).ok, server)
  return address
}
