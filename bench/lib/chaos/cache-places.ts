import { createServer } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { type RedisServer, startRedis, startRedisCluster } from '@/db/testing/servers'
import type { CacheConfig } from '@/server/cache'

/** Servers to be disturbed: one Redis, or a cluster of three masters and three replicas. */
export interface CachePlace {
  name: 'single' | 'cluster'
  /** How a cache finds it. */
  config: CacheConfig
  nodes: RedisServer[]
  /** Resolves when all of it works as at the start: what a fault needs before the next one. Throws after 60 s. */
  settled(): Promise<void>
  stop(): Promise<void>
}

export async function singlePlace(): Promise<CachePlace> {
  const server = await startRedis()
  return {
    name: 'single',
    config: { redis: { host: server.host, port: server.port } },
    nodes: [server],
    settled: () => until('Redis', async () => (await roleOf(server)) === 'master'),
    stop: () => server.stop(),
  }
}

export async function clusterPlace(): Promise<CachePlace> {
  const cluster = await startRedisCluster()
  return {
    name: 'cluster',
    config: { cluster: { nodes: cluster.addresses.split(',') } },
    nodes: cluster.nodes,
    settled: () => until('the cluster', () => isWhole(cluster.nodes)),
    stop: () => cluster.stop(),
  }
}

export async function roleOf(server: RedisServer): Promise<string> {
  return String(((await server.command('ROLE')) as unknown[])[0])
}

/** A port of 127.0.0.1 at which nobody listens. */
export async function deadPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** Whether every node serves, every replica follows its master, and every master has one. */
async function isWhole(nodes: readonly RedisServer[]): Promise<boolean> {
  const wholes = await Promise.all(
    nodes.map(async (node) => {
      const [state, replication, slots] = await Promise.all([
        node.command('CLUSTER', 'INFO'),
        node.command('INFO', 'replication'),
        node.command('CLUSTER', 'SLOTS') as Promise<unknown[][]>,
      ])
      const linked = !/role:slave/.test(String(replication)) || /link_status:up/.test(String(replication))
      return /cluster_state:ok/.test(String(state)) && linked && slots.every(({ length }) => length >= 4)
    }),
  )
  return wholes.every(Boolean)
}

async function until(what: string, ready: () => Promise<boolean>): Promise<void> {
  const limit = performance.now() + 60_000
  while (!(await ready().catch(() => false))) {
    if (performance.now() > limit) throw new Error(`After its fault ${what} did not become whole in 60 s.`)
    await pause(50)
  }
}
