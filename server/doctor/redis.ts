import { examineRedis, type RedisFacts } from '@/server/cache'
import type { Env } from '@/server/env'
import { cacheConfig } from '@/server/open-cache'
import type { Line } from './line'

const title = 'Redis'
/** Oldest major release whose clients are told of changes (CLIENT TRACKING), on which the local level stands. */
const OLDEST = 6

/** Each Redis that the configuration names. */
export async function examineCache(env: Env): Promise<Line[]> {
  const { redis, cluster, sentinel } = cacheConfig(env)
  const place = redis ? { redis } : cluster ? { cluster } : sentinel ? { sentinel } : null
  if (!place) return [{ title, state: 'ok', detail: 'No Redis is named: the cache lives in memory.' }]
  const facts = await examineRedis(place)
  return facts.flatMap((each) => judged(each, { cluster: Boolean(cluster), stores: !sentinel }))
}

function judged(facts: RedisFacts, { cluster, stores }: { cluster: boolean; stores: boolean }): Line[] {
  const { address, problem, version, maxMemory, evictionPolicy, persistent } = facts
  if (problem) {
    const remedy =
      'Check that it runs, its address and password. The console starts without it, and serves from memory.'
    return [{ title, state: 'problem', detail: `${address} cannot be used. ${problem}`, remedy }]
  }
  if (facts.cluster !== cluster && stores) {
    const [detail, remedy] = facts.cluster
      ? [`${address} is a node of a cluster.`, 'Set REDIS_CLUSTER_ENABLED=true and REDIS_CLUSTER_NODES.']
      : [
          `${address} is a single Redis, no node of a cluster.`,
          'Set REDIS_HOST, and remove REDIS_CLUSTER_ENABLED.',
        ]
    return [{ title, state: 'problem', detail, remedy }]
  }
  const lines: Line[] = [{ title, state: 'ok', detail: `${address} answers: Redis ${version}.` }]
  const warn = (detail: string, remedy: string) => lines.push({ title, state: 'warning', detail, remedy })
  if (Number(version.split('.')[0]) < OLDEST)
    warn(`${address} is Redis ${version}.`, `Use ${OLDEST} or newer: older ones do not tell of changes.`)
  if (!stores) return lines
  if (maxMemory === 0) {
    warn(
      `${address} has no maxmemory: it grows until the system ends it.`,
      'CONFIG SET maxmemory 256mb, or what the machine can spare.',
    )
  } else if (!evictionPolicy.startsWith('allkeys-')) {
    warn(
      `${address} has the eviction policy ${evictionPolicy}: when it is full, ${evictionPolicy === 'noeviction' ? 'every write is refused' : 'only keys with a time to live make room'}.`,
      'CONFIG SET maxmemory-policy allkeys-lru',
    )
  }
  if (!persistent)
    lines.push({
      title,
      state: 'ok',
      detail: `${address} keeps nothing on a disk; a cache needs none, but limits begin anew with it.`,
    })
  return lines
}
