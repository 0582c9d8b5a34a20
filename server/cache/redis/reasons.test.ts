import { createServer, type Server, type Socket } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Authority, makeAuthorities } from '@/db/testing/certificates'
import { freePort } from '@/db/testing/processes'
import { type RedisCluster, type RedisServer, startRedis, startRedisCluster } from '@/db/testing/servers'
import { needsRedis } from '@/db/testing/shared'
import { closeLevels, openLevel, openReady, placeOf, text } from './testing'

describe('the reason why Redis is away', () => {
  needsRedis()
  let plain: RedisServer
  let secret: RedisServer
  let cluster: RedisCluster
  const servers: Server[] = []
  const sockets: Socket[] = []
  beforeAll(async () => {
    const started = await Promise.all([startRedis(), startRedis({ password: 'right' }), startRedisCluster()])
    ;[plain, secret, cluster] = started
  })
  afterEach(async () => {
    await closeLevels()
    for (const socket of sockets.splice(0)) socket.destroy()
    for (const server of servers.splice(0)) server.close()
  })
  afterAll(async () => {
    await Promise.all([plain.stop(), secret.stop(), cluster.stop()])
  })

  async function listen(talk: (socket: Socket) => void): Promise<number> {
    const server = createServer((socket) => {
      sockets.push(socket)
      socket.on('error', () => undefined)
      talk(socket)
    })
    servers.push(server)
    const port = await freePort()
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
    return port
  }
  const at = (port: number) => ({ redis: { host: '127.0.0.1', port } })

  it('is a wrong password, a missing one, or an unknown user', async () => {
    const { host, port } = secret
    const reason = 'The password or user name is missing or wrong.'
    await openLevel({ redis: { host, port, password: 'wrong' } }).reaches('memory', reason)
    await openLevel({ redis: { host, port } }).reaches('memory', reason)
    await openLevel({ redis: { host, port, username: 'nobody', password: 'right' } }).reaches(
      'memory',
      reason,
    )
    const right = openLevel({ redis: { host, port, username: 'default', password: 'right' } })
    await right.reaches('redis')
    expect(right.lines.join()).not.toMatch('right')
  })

  it('is that nothing listens, or the host is unknown', async () => {
    await openLevel(at(await freePort())).reaches('memory', 'Nothing listens there.')
    const unknown = openLevel({ redis: { host: 'no-such-host.invalid', port: 6379 } })
    await unknown.reaches('memory', /The host name (is unknown|cannot be looked up now)\./)
  })

  it('is that something else listens, or nobody answers', async () => {
    const http = await listen((socket) =>
      socket.on('data', () => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n')),
    )
    await openLevel(at(http)).reaches('memory', 'What answers there is not a Redis.')
    const shut = await listen((socket) => socket.destroy())
    await openLevel(at(shut)).reaches('memory', /closed the connection/)
    const silent = await listen(() => undefined)
    await openLevel(at(silent)).reaches('memory', 'Redis did not answer in time.')
  })

  it('is a cluster where a single server is configured, and the other way round', async () => {
    const [first] = cluster.nodes as [RedisServer]
    await openLevel(placeOf(first)).reaches('memory', 'The server is a cluster: set REDIS_CLUSTER_ENABLED.')
    const place = { cluster: { nodes: [`${plain.host}:${plain.port}`] } }
    await openLevel(place).reaches('memory', 'The server is not a cluster.')
  })

  it('is none when a cluster is told of dead nodes next to living ones', async () => {
    const living = cluster.nodes[0] as RedisServer
    const nodes = [`127.0.0.1:${await freePort()}`, 'no-such-host.invalid:1', `${living.host}:${living.port}`]
    const level = await openReady({ cluster: { nodes } })
    expect(await level.set('a', text('1'), 60_000)).toBe(true)
  })

  it('is that no node of a cluster answers, or no Sentinel', async () => {
    const dead = `127.0.0.1:${await freePort()}`
    await openLevel({ cluster: { nodes: [dead] } }).reaches('memory', 'No node of the cluster answers.')
    const place = { sentinel: { sentinels: [dead], name: 'main' } }
    await openLevel(place).reaches('memory', 'No Sentinel answers.')
  })

  it('is a database that does not exist', async () => {
    const { host, port } = plain
    const reason = 'The database number does not exist.'
    await openLevel({ redis: { host, port, db: 9_999 } }).reaches('memory', reason)
    const level = await openReady({ redis: { host, port, db: 3 } })
    await level.set('a', text('1'), 60_000)
    expect(await plain.command('EXISTS', `${level.prefix}a`)).toBe(0)
  })
})

describe('the Redis level over TLS', () => {
  needsRedis()
  let server: RedisServer
  let ours: Authority
  let other: Authority
  let port: number
  const authorities = makeAuthorities()
  beforeAll(async () => {
    ours = authorities.make('ours')
    other = authorities.make('other')
    const { ssl_cert_file, ssl_key_file } = ours.sign('redis')
    port = await freePort()
    const files = {
      'tls-cert-file': ssl_cert_file,
      'tls-key-file': ssl_key_file,
      'tls-ca-cert-file': ours.file,
    }
    server = await startRedis({ settings: { 'tls-port': port, 'tls-auth-clients': 'no', ...files } })
  })
  afterEach(closeLevels)
  afterAll(async () => {
    await server.stop()
    authorities.remove()
  })
  const at = (to: number, ca?: string) => ({ redis: { host: '127.0.0.1', port: to, tls: { ca } } })

  it('trusts the authority that was given, and no other', async () => {
    const level = await openReady(at(port, ours.pem))
    expect(await level.set('a', text('1'), 60_000)).toBe(true)
    const reason = 'The certificate of the server is not trusted.'
    await openLevel(at(port, other.pem)).reaches('memory', reason)
    await openLevel(at(port)).reaches('memory', reason)
  })

  it('tells of a server without TLS, and of one with it', async () => {
    await openLevel(at(server.port, ours.pem)).reaches('memory', /TLS/)
    await openLevel({ redis: { host: '127.0.0.1', port } }).reaches('memory', /TLS/)
  })
})
