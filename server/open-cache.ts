import { join } from 'node:path'
import { readAuthority } from './authority'
import type { CacheConfig } from './cache'
import type { Env } from './env'

/** What the environment says about the cache. Throws a ConfigurationError when REDIS_TLS_CA can't be read. */
export function cacheConfig(env: Env): CacheConfig {
  const shared = {
    prefix: env.CACHE_PREFIX,
    memoryBytes: env.CACHE_MEMORY_MAX,
    journalFile: join(env.HOLDFAST_DATA_DIR, 'cache-pending'),
  }
  const ca = env.REDIS_TLS_CA ? readAuthority(env.REDIS_TLS_CA, 'REDIS_TLS_CA') : undefined
  const access = {
    username: env.REDIS_USERNAME,
    password: env.REDIS_PASSWORD,
    tls: env.REDIS_TLS ? { ca } : undefined,
  }
  if (env.REDIS_CLUSTER_ENABLED) {
    return { ...shared, cluster: { ...access, nodes: env.REDIS_CLUSTER_NODES } }
  }
  const db = env.REDIS_DB
  if (env.REDIS_SENTINELS.length > 0) {
    const { REDIS_SENTINELS: sentinels, REDIS_SENTINEL_NAME: name } = env
    return {
      ...shared,
      sentinel: { ...access, db, sentinels, name, sentinelPassword: env.REDIS_SENTINEL_PASSWORD },
    }
  }
  if (!env.REDIS_HOST) return shared
  return { ...shared, redis: { ...access, db, host: env.REDIS_HOST, port: env.REDIS_PORT } }
}
