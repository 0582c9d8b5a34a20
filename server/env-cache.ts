import { z } from 'zod'
import { flag, list, port, size, text, whole } from './env-values'
import { variable } from './env-variable'

const addresses = () =>
  list()
    .refine((nodes) => nodes.every((node) => /^.+:\d+$/.test(node)))
    .default([])

/** What Holdfast reads about its cache. */
export const cacheVariables = {
  REDIS_HOST: variable(
    text().optional(),
    'a host name or address',
    'Redis server; without it the cache lives in memory',
  ),
  REDIS_PORT: variable(port().default(6379), 'a port, 1 to 65535', 'Port of Redis', { shown: '6379' }),
  REDIS_USERNAME: variable(text().optional(), 'a name', 'User of Redis, where its access lists name one'),
  REDIS_PASSWORD: variable(z.string().optional(), 'a password', 'Password of Redis', { secret: true }),
  REDIS_DB: variable(
    whole(0, 1023).default(0),
    'a number, 0 to 1023',
    'Database number of a single Redis, or of what Sentinel watches',
    { shown: '0' },
  ),
  REDIS_TLS: variable(flag().default(false), 'true or false', 'Connect to Redis over TLS, verified', {
    shown: 'false',
  }),
  REDIS_TLS_CA: variable(
    text().optional(),
    'a file in PEM',
    'Certificate of the authority that signed Redis’; without it the system’s are trusted',
  ),
  REDIS_CLUSTER_ENABLED: variable(flag().default(false), 'true or false', 'Use Redis Cluster', {
    shown: 'false',
  }),
  REDIS_CLUSTER_NODES: variable(
    addresses(),
    'host:port, separated by commas',
    'Nodes from which the cluster is discovered',
  ),
  REDIS_SENTINELS: variable(
    addresses(),
    'host:port, separated by commas',
    'Sentinels that know which Redis is the primary',
  ),
  REDIS_SENTINEL_NAME: variable(
    text().default('mymaster'),
    'a name',
    'Name of the primary in the Sentinels’ configuration',
    { shown: 'mymaster' },
  ),
  REDIS_SENTINEL_PASSWORD: variable(z.string().optional(), 'a password', 'Password of the Sentinels', {
    secret: true,
  }),
  CACHE_PREFIX: variable(
    text()
      .regex(/^[\w.-]{1,60}:$/)
      .default('holdfast:'),
    'letters, digits, dots and dashes, then a colon',
    'What every key in Redis begins with; consoles that share it share one cache',
    { shown: 'holdfast:' },
  ),
  CACHE_MEMORY_MAX: variable(
    size()
      .refine((bytes) => bytes >= 2 ** 20)
      .default(64 * 2 ** 20),
    'a size such as 64MB, at least 1MB',
    'Memory that the cache may hold in each process',
    { shown: '64MB' },
  ),
}

/** What contradicts itself among them, in one sentence; undefined when nothing does. */
export function cacheMistake(env: {
  REDIS_HOST?: string | undefined
  REDIS_CLUSTER_ENABLED: boolean
  REDIS_CLUSTER_NODES: string[]
  REDIS_SENTINELS: string[]
}): string | undefined {
  if (env.REDIS_CLUSTER_ENABLED && env.REDIS_CLUSTER_NODES.length === 0) {
    return 'REDIS_CLUSTER_ENABLED is true but REDIS_CLUSTER_NODES is not set; it takes host:port, separated by commas.'
  }
  if (env.REDIS_CLUSTER_ENABLED && env.REDIS_SENTINELS.length > 0) {
    return 'REDIS_CLUSTER_ENABLED and REDIS_SENTINELS are both set; a cluster looks after its own failover, so remove one of them.'
  }
  if (env.REDIS_HOST && env.REDIS_SENTINELS.length > 0) {
    return 'REDIS_HOST and REDIS_SENTINELS are both set; the Sentinels say where Redis is, so remove REDIS_HOST.'
  }
  return undefined
}
