import { createServer } from 'node:net'
import { beforeAll, describe, expect, it } from 'vitest'
import { makeAuthorities } from '@/db/testing/certificates'
import { startPostgres, startReplica } from '@/db/testing/servers'
import { createDatabase, needsPostgres, sharedPostgres } from '@/db/testing/shared'
import { type ConnectionTest, judgeVersion, type TestTarget, testConnection } from './test'

function states({ steps }: ConnectionTest): Record<string, string> {
  return Object.fromEntries(steps.map(({ id, state }) => [id, state]))
}

function failure({ steps }: ConnectionTest) {
  return steps.find(({ state }) => state === 'failed')
}

describe('connection test', () => {
  needsPostgres()
  let target: TestTarget

  beforeAll(async () => {
    const { database, drop } = await createDatabase()
    const { host, port, user, password } = sharedPostgres()
    target = { host, port, user, password, database }
    return drop
  })

  it('goes through every step of a server that works', async () => {
    const result = await testConnection(target)
    expect(result.ok).toBe(true)
    expect(Object.keys(states(result))).toEqual([
      'dns',
      'tcp',
      'tls',
      'authentication',
      'version',
      'rights',
      'activity',
      'statements',
      'round-trip',
      'recovery',
    ])
    expect(new Set(Object.values(states(result)))).not.toContain('skipped')
    expect(result.steps.every(({ milliseconds }) => (milliseconds ?? 0) > 0)).toBe(true)
  })

  it('stops at an unknown name and skips the rest', async () => {
    const result = await testConnection({ ...target, host: 'no-such-host.invalid' })
    expect(result.ok).toBe(false)
    expect(states(result)).toMatchObject({ dns: 'failed', tcp: 'skipped', recovery: 'skipped' })
  })

  it('tells that nothing listens', async () => {
    expect(failure(await testConnection({ ...target, port: 1 }))).toMatchObject({
      id: 'tcp',
      detail: expect.stringContaining('Nothing listens'),
      remedy: expect.stringContaining('listen_addresses'),
    })
  })

  it('tells that what answers is not PostgreSQL', async () => {
    const other = createServer((socket) =>
      socket
        .resume()
        .on('error', () => {})
        .end('HTTP/1.1 400 Bad Request\r\n\r\n'),
    )
    await new Promise<void>((done) => other.listen(0, '127.0.0.1', done))
    const { port } = other.address() as { port: number }
    expect(failure(await testConnection({ ...target, host: '127.0.0.1', port }))).toMatchObject({
      id: 'tls',
      detail: 'What answers there is not PostgreSQL.',
    })
    await new Promise((done) => other.close(done))
  })

  it('tells that TLS was asked for and is not offered', async () => {
    expect(failure(await testConnection({ ...target, ssl: true }))).toMatchObject({
      id: 'tls',
      detail: 'The server does not offer TLS.',
    })
  })

  it('tells a wrong password and a missing database apart', async () => {
    expect(failure(await testConnection({ ...target, password: 'wrong' }))).toMatchObject({
      id: 'authentication',
      detail: expect.stringContaining('password'),
    })
    expect(failure(await testConnection({ ...target, database: 'nowhere' }))).toMatchObject({
      id: 'authentication',
      remedy: expect.stringContaining('CREATE DATABASE'),
    })
  })

  it('tells a role without rights what is missing', async () => {
    const server = await startPostgres()
    await server.query(`CREATE ROLE reader LOGIN PASSWORD 'reader'`)
    await server.query('REVOKE CREATE ON SCHEMA public FROM PUBLIC')
    const { host, port, database } = server
    const result = await testConnection({ host, port, database, user: 'reader', password: 'reader' })
    expect(failure(result)).toMatchObject({ id: 'rights', remedy: expect.stringContaining('GRANT CREATE') })
    await server.stop()
  })

  it('tells what the page will not show, and goes on', async () => {
    const server = await startPostgres({ settings: { shared_preload_libraries: '' } })
    await server.query(`CREATE ROLE app LOGIN PASSWORD 'app'`)
    await server.query('GRANT CREATE ON DATABASE postgres TO app')
    const { host, port, database } = server
    const asApp = { host, port, database, user: 'app', password: 'app' }
    const result = await testConnection(asApp)
    expect(result.ok).toBe(true)
    expect(result.steps.filter(({ state }) => state === 'warning')).toMatchObject([
      { id: 'activity', remedy: 'GRANT pg_read_all_stats TO app' },
      { id: 'statements', remedy: expect.stringMatching(/shared_preload_libraries.*CREATE EXTENSION/) },
    ])
    expect(states(result)).toMatchObject({ rights: 'ok', recovery: 'ok' })
    await server.query('CREATE EXTENSION pg_stat_statements')
    await server.query('GRANT pg_read_all_stats TO app')
    expect((await testConnection(asApp)).steps.filter(({ state }) => state === 'warning')).toMatchObject([
      { id: 'statements', detail: 'PostgreSQL has not loaded pg_stat_statements.' },
    ])
    await server.stop()
  }, 90_000)

  it('tells an unknown authority, another name and a trusted certificate apart', async () => {
    const authorities = makeAuthorities()
    const [ours, other] = [authorities.make('ours'), authorities.make('other')]
    const server = await startPostgres({ settings: ours.sign('db.example.org') })
    const { host, port, database, user, password } = server
    const secure = { host, port, database, user, password, ssl: true as const }
    for (const untrusted of [secure, { ...secure, ca: other.pem }]) {
      expect(failure(await testConnection(untrusted))).toMatchObject({
        id: 'tls',
        detail: expect.stringContaining('nobody that this machine trusts'),
        remedy: expect.stringContaining('DB_SSL_CA'),
      })
    }
    expect(failure(await testConnection({ ...secure, ca: ours.pem, host: 'localhost' }))).toMatchObject({
      id: 'tls',
      detail: "The server's certificate is for another name than localhost.",
    })
    const trusted = await testConnection({ ...secure, ca: ours.pem })
    expect(trusted.steps.find(({ id }) => id === 'tls')).toMatchObject({
      state: 'ok',
      detail: expect.stringContaining('certificate of db.example.org verified'),
    })
    expect(trusted.ok).toBe(true)
    expect(states(await testConnection({ ...secure, ssl: 'no-verify' }))).toMatchObject({
      tls: 'warning',
      authentication: 'ok',
    })
    await server.stop()
    authorities.remove()
  }, 90_000)

  it('refuses versions without support', () => {
    expect(judgeVersion('12.22', 120_022)).toMatchObject({
      state: 'failed',
      detail: 'PostgreSQL 12.22 is too old.',
      remedy: expect.stringContaining('13 or newer'),
    })
    expect(judgeVersion('13.0', 130_000)).toEqual({ detail: 'PostgreSQL 13.0.' })
  })

  it('tells a replica', async () => {
    const primary = await startPostgres()
    const replica = await startReplica(primary)
    const { host, port, database, user, password } = replica
    expect(failure(await testConnection({ host, port, database, user, password }))).toMatchObject({
      id: 'recovery',
      remedy: 'Name the primary.',
    })
    await replica.stop()
    await primary.stop()
  }, 90_000)
})
