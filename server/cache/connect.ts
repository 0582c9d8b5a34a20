import { Cluster, Redis, type RedisOptions } from 'ioredis'

export interface RedisPlace {
  host: string
  port: number
  password?: string | undefined
  db?: number | undefined
}

export interface ClusterPlace {
  /** host:port */
  nodes: string[]
  password?: string | undefined
}

export type RedisClient = Redis | Cluster

/**
 * Options that fail fast: ioredis' own queue is unbounded and its first error after a dead server comes after
 * 73 s. Deadlines, retries and the fallback are ours, so a command is tried once and nothing is queued.
 */
const failFast = {
  lazyConnect: true,
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
  connectTimeout: 2_000,
  retryStrategy: (attempt: number) => Math.min(1_000, 50 * 2 ** Math.min(attempt, 5)),
} satisfies RedisOptions

/** Makes a client, not yet connected, for a single Redis or a cluster. Errors are listened to from the start. */
export function makeClient(
  place: { redis: RedisPlace } | { cluster: ClusterPlace },
  onError: (error: Error) => void,
): RedisClient {
  const client =
    'redis' in place
      ? new Redis({ ...failFast, ...place.redis })
      : new Cluster(place.cluster.nodes.map(startupNode), {
          lazyConnect: true,
          enableOfflineQueue: false,
          slotsRefreshTimeout: 1_000,
          slotsRefreshInterval: 5_000,
          clusterRetryStrategy: failFast.retryStrategy,
          redisOptions: {
            password: place.cluster.password,
            connectTimeout: failFast.connectTimeout,
            maxRetriesPerRequest: 0,
          },
        })
  client.on('error', onError)
  return client
}

function startupNode(node: string): { host: string; port: number } {
  const at = node.lastIndexOf(':')
  return { host: node.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(node.slice(at + 1)) }
}

/** Reads the fields that the console shows of one node's INFO. */
export function parseInfo(info: string): Record<string, string> {
  return Object.fromEntries(
    info
      .split('\r\n')
      .filter((line) => line.includes(':'))
      .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]),
  )
}
