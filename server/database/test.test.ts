import { createServer } from 'node:net'
import { beforeAll, describe, expect, it } from 'vitest'
import { startPostgres, startReplica } from '@/db/testing/servers'
import { createDatabase, needsPostgres, sharedPostgres } from '@/db/testing/shared'
import { type ConnectionTest, type TestTarget, testConnection } from './test'

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
  })
})
