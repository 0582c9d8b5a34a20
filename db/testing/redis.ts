import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import {
  freePorts,
  makeFolder,
  removeFolder,
  type Spawned,
  signal,
  spawnServer,
  stopServer,
  waitUntil,
} from './processes'

export type RedisOptions = {
  password?: string
  /** redis.conf settings, e.g. { maxmemory: '16mb', 'maxmemory-policy': 'allkeys-lru' }. */
  settings?: Record<string, string | number>
}

export type RedisServer = {
  host: string
  port: number
  password: string | undefined
  url: string
  readonly pid: number
  /** Sends one command, e.g. command('FLUSHALL'). */
  command(name: string, ...args: (string | number)[]): Promise<unknown>
  /** SIGKILL: a crash; start() brings an empty server back on the same port. */
  kill9(): Promise<void>
  /** SIGSTOP: connections stay open and nothing answers. */
  pause(): void
  /** SIGCONT, after pause(). */
  resume(): void
  start(): Promise<void>
  stop(): Promise<void>
}

export type RedisCluster = {
  nodes: RedisServer[]
  password: string | undefined
  /** As REDIS_CLUSTER_NODES takes it: host:port,host:port,… */
  addresses: string
  stop(): Promise<void>
}

export type RedisSentinel = {
  /** The name under which the Sentinels know the master. */
  name: string
  master: RedisServer
  replica: RedisServer
  sentinels: RedisServer[]
  /** As REDIS_SENTINELS takes it: host:port,host:port,… */
  addresses: string
  stop(): Promise<void>
}

/** The path of redis-server, or undefined when it isn't installed. */
export function findRedisServer(): string | undefined {
  const folders = ['/usr/bin', '/usr/local/bin', '/opt/homebrew/bin', '/usr/sbin', '/bin']
  return folders.map((folder) => join(folder, 'redis-server')).find((path) => existsSync(path))
}

class Server implements RedisServer {
  readonly host = '127.0.0.1'
  readonly password: string | undefined
  readonly port: number
  readonly folder: string
  #args: string[]
  #running: Spawned | undefined

  /** `only`: all arguments, where it isn't a usual server. */
  constructor(port: number, options: RedisOptions, args: string[], only?: (folder: string) => string[]) {
    this.port = port
    this.password = options.password
    this.folder = makeFolder('redis')
    if (only) {
      this.#args = only(this.folder)
      return
    }
    const settings = Object.entries(options.settings ?? {}).flatMap(([name, value]) => [
      `--${name}`,
      String(value),
    ])
    const secret = options.password
      ? ['--requirepass', options.password, '--masterauth', options.password]
      : []
    this.#args = [
      ...['--port', String(port), '--bind', '127.0.0.1', '--dir', this.folder, '--daemonize', 'no'],
      ...['--save', '', '--appendonly', 'no'],
      ...secret,
      ...args,
      ...settings,
    ]
  }

  get url(): string {
    const secret = this.password ? `:${encodeURIComponent(this.password)}@` : ''
    return `redis://${secret}${this.host}:${this.port}`
  }
  get pid(): number {
    if (!this.#running) throw new Error('Redis is not running.')
    return this.#running.pid
  }

  async start(): Promise<void> {
    const command = findRedisServer()
    if (!command) throw new Error('Redis is not installed: run "apt-get install redis-server".')
    const running = spawnServer(command, this.#args, { folder: this.folder, name: 'redis' })
    this.#running = running
    await waitUntil('Redis', async () => (await this.command('PING')) === 'PONG', running)
  }

  async command(name: string, ...args: (string | number)[]): Promise<unknown> {
    const client = new Redis({
      host: this.host,
      port: this.port,
      password: this.password,
      lazyConnect: true,
      retryStrategy: () => null,
      maxRetriesPerRequest: 0,
      connectTimeout: 5_000,
    })
    client.on('error', () => undefined)
    try {
      await client.connect()
      return await client.call(name, ...args)
    } finally {
      client.disconnect()
    }
  }

  async kill9(): Promise<void> {
    if (this.#running) await stopServer(this.#running, 'SIGKILL')
    this.#running = undefined
  }
  pause(): void {
    if (this.#running) signal(this.#running, 'SIGSTOP')
  }
  resume(): void {
    if (this.#running) signal(this.#running, 'SIGCONT')
  }
  async stop(): Promise<void> {
    if (this.#running) await stopServer(this.#running, 'SIGTERM', 3_000)
    this.#running = undefined
    removeFolder(this.folder)
  }
}

/** Starts a Redis of its own on a free port of 127.0.0.1, nothing saved; it ends with this process at the latest. */
export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  for (let attempt = 1; ; attempt++) {
    const [port] = await freePorts(1)
    const server = new Server(port as number, options, [])
    try {
      await server.start()
      return server
    } catch (error) {
      await server.stop()
      if (attempt === 5 || !/Address already in use/.test(String(error))) throw error
    }
  }
}

const SLOTS = 16_384

/**
 * Starts a Redis Cluster of `count` nodes (a multiple of two, six or more: half masters, half replicas) and
 * resolves when every slot is served and every replica linked.
 */
export async function startRedisCluster(count = 6, options: RedisOptions = {}): Promise<RedisCluster> {
  if (count < 6 || count % 2)
    throw new Error('A Redis Cluster for tests has an even number of nodes, six or more.')
  const ports = await freePorts(count * 2)
  const buses = ports.slice(count)
  const nodes = ports.slice(0, count).map((port, index) => {
    // The bus has a port of its own: by default it is port + 10000, which may be taken or out of range.
    const cluster = ['--cluster-enabled', 'yes', '--cluster-port', String(buses[index])]
    return new Server(port, options, [
      ...cluster,
      '--cluster-node-timeout',
      '1000',
      '--repl-ping-replica-period',
      '1',
    ])
  })
  const stop = async () => {
    await Promise.all(nodes.map((node) => node.stop()))
  }
  try {
    await Promise.all(nodes.map((node) => node.start()))
    await joinNodes(nodes, buses)
  } catch (error) {
    await stop()
    throw error
  }
  return {
    nodes,
    password: options.password,
    addresses: nodes.map((node) => `${node.host}:${node.port}`).join(','),
    stop,
  }
}

async function joinNodes(nodes: Server[], buses: number[]): Promise<void> {
  const masters = nodes.slice(0, nodes.length / 2)
  const replicas = nodes.slice(nodes.length / 2)
  await Promise.all(
    masters.map((node, index) => {
      const from = Math.floor((SLOTS * index) / masters.length)
      const to = Math.floor((SLOTS * (index + 1)) / masters.length) - 1
      return node.command('CLUSTER', 'ADDSLOTSRANGE', from, to)
    }),
  )
  await Promise.all(nodes.map((node, index) => node.command('CLUSTER', 'SET-CONFIG-EPOCH', index + 1)))
  // Every node meets every other: gossip alone needs some seconds to spread the word.
  for (const from of nodes) {
    for (const [index, to] of nodes.entries()) {
      if (from !== to) await from.command('CLUSTER', 'MEET', to.host, to.port, buses[index] as number)
    }
  }
  await Promise.all(
    replicas.map(async (replica, index) => {
      const id = String(await (masters[index] as Server).command('CLUSTER', 'MYID'))
      // Refused ("Unknown node") until the replica has shaken hands with its master.
      await waitUntil(
        'the Redis Cluster',
        async () => (await replica.command('CLUSTER', 'REPLICATE', id)) === 'OK',
      )
    }),
  )
  await everywhere(replicas, async (node) =>
    String(await node.command('INFO', 'replication')).includes('master_link_status:up'),
  )
  await everywhere(nodes, async (node) => {
    const info = String(await node.command('CLUSTER', 'INFO'))
    // [from, to, master, replica]: a replica is listed once it has received something (a ping of its master).
    const slots = (await node.command('CLUSTER', 'SLOTS')) as unknown[][]
    return info.includes('cluster_state:ok') && slots.every((range) => range.length === 4)
  })
}

async function everywhere(nodes: Server[], ready: (node: Server) => Promise<boolean>): Promise<void> {
  await Promise.all(nodes.map((node) => waitUntil('the Redis Cluster', () => ready(node))))
}

/**
 * Starts a master, a replica of it, and three Sentinels that fail over after a second of silence; resolves when the
 * replica is linked and every Sentinel knows all of them.
 */
export async function startRedisSentinel(options: RedisOptions = {}): Promise<RedisSentinel> {
  const name = 'main'
  const ports = await freePorts(5)
  const [masterPort, replicaPort] = ports as [number, number]
  const master = new Server(masterPort, options, ['--repl-diskless-sync-delay', '0'])
  const replica = new Server(replicaPort, options, ['--replicaof', master.host, String(masterPort)])
  const sentinels = ports.slice(2).map(
    (port) =>
      new Server(port, {}, [], (folder) => {
        const file = join(folder, 'sentinel.conf')
        const secret = options.password ? `sentinel auth-pass ${name} ${options.password}\n` : ''
        const settings = `port ${port}\nbind 127.0.0.1\ndir ${folder}\nsentinel monitor ${name} 127.0.0.1 ${masterPort} 2\n`
        const patience = `sentinel down-after-milliseconds ${name} 1000\nsentinel failover-timeout ${name} 3000\n`
        writeFileSync(file, settings + secret + patience)
        return [file, '--sentinel']
      }),
  )
  const stop = async () => {
    await Promise.all([...sentinels, replica, master].map((server) => server.stop()))
  }
  try {
    await Promise.all([master.start(), replica.start()])
    await waitUntil('the replica', async () =>
      String(await replica.command('INFO', 'replication')).includes('master_link_status:up'),
    )
    await Promise.all(sentinels.map((sentinel) => sentinel.start()))
    await Promise.all(
      sentinels.map((sentinel) =>
        waitUntil('the Sentinels', async () =>
          /slaves=1,sentinels=3/.test(String(await sentinel.command('INFO', 'sentinel'))),
        ),
      ),
    )
  } catch (error) {
    await stop()
    throw error
  }
  const addresses = sentinels.map(({ host, port }) => `${host}:${port}`).join(',')
  return { name, master, replica, sentinels, addresses, stop }
}
