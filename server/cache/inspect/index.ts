import type { Clock } from '@/server/clock'
import type { RedisControl } from '../redis/types'
import { nodesOf } from './asking'
import { readKeys } from './keys'
import { readNodes } from './nodes'
import { clear, countMatches, expire, removeKeys, removeMatches } from './remove'
import { readSample } from './sample'
import { readSlowLog, resetSlowLog } from './slow-log'
import type { CacheInspector } from './types'
import { readKey } from './value'

export interface CacheInspectorDeps {
  clock: Clock
  /** The nodes of Redis; null when none is configured. */
  control: () => RedisControl | null
  /** What every key of this cache begins with. */
  prefix: string
  /** Undefined for bytes that aren't an entry of ours. */
  /** Told of keys of ours, without the prefix, that were deleted or changed here; null: all of them may have been. */
  forget: (keys: readonly string[] | null) => Promise<void>
}

/** Opens what looks into Redis under the cache. Nothing is asked before the first question. */
export function openCacheInspector(deps: CacheInspectorDeps): CacheInspector {
  const prefix = Buffer.from(deps.prefix)
  // For each call anew: the nodes are found, or refused, when they are needed.
  const now = () => ({ ...deps, control: nodesOf(deps.control), prefix })
  return {
    keys: async (query) => await readKeys(now(), query),
    key: async (key) => await readKey(now(), key),
    match: async (pattern) => await countMatches(now(), pattern),
    nodes: async () => await readNodes(now()),
    slowLog: async () => await readSlowLog(now()),
    sample: async (scope) => await readSample(now(), scope),
    expire: async (key, ttl) => await expire(now(), key, ttl),
    deleteKeys: async (keys) => await removeKeys(now(), keys),
    deletePattern: async (pattern) => await removeMatches(now(), pattern),
    clear: async (what) => await clear(now(), what),
    resetSlowLog: async () => await resetSlowLog(now().control),
  }
}
