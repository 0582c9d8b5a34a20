import type { Store } from '@/db/store'
import { unit } from '@/db/unit'
import { type AuditEventName, appendAudit, type Caller, noted } from '@/server/audit'
import type { Clock } from '@/server/clock'
import { useGrant } from '@/server/grants'
import type { Log } from '@/server/log'
import type { CacheInspector, ClearTarget, KeyScope } from './inspect/types'

/** Who asks for a change, with the step-up grant of the request. */
interface Privilege {
  by: Caller
  grantId: string | null
}

export interface Pattern {
  scope: KeyScope
  pattern: string
}

export interface CacheOperationsDeps {
  store: Store
  clock: Clock
  log: Log
  inspect: CacheInspector
  /** Empties the local level of this process; answers how many values it held. */
  clearLocal: (namespace: string | null) => number
  /** Whether there is a Redis at all. */
  shared: boolean
}

export interface Deleted {
  deleted: number
}

/** What an operator or an admin does to the cache. Each is noted in the audit log with its outcome. */
export interface CacheOperations {
  expire(by: Caller, asked: { key: string; ttl: number | null }): Promise<void>
  deleteKeys(by: Caller, keys: readonly string[]): Promise<Deleted>
  resetSlowLog(by: Caller): Promise<void>
  /** Uses up a grant for `cache.deletePattern` and the pattern. Throws STEP_UP_REQUIRED, CACHE_UNAVAILABLE. */
  deletePattern(pattern: Pattern, privilege: Privilege): Promise<Deleted>
  /** Uses up a grant for `cache.clear` and the target. Throws STEP_UP_REQUIRED, CACHE_UNAVAILABLE. */
  clear(target: ClearTarget, privilege: Privilege): Promise<Deleted>
}

interface Begun extends Privilege {
  action: 'cache.clear' | 'cache.deletePattern'
  event: AuditEventName
  input: ClearTarget | Pattern
  target: string
  now: number
}

/** Uses the grant up and notes that it begins, in one: what is deleted then can't be taken back with it. */
const begin = unit('cache.begin', function* (tx, { action, event, input, target, by, grantId, now }: Begun) {
  yield* useGrant(tx, { grantId, by, action, input, now })
  yield* appendAudit(tx, { ...by, time: now, event, outcome: 'success', target })
})

/** Opens what operators do to the cache, over what looks into it. */
export function openCacheOperations(deps: CacheOperationsDeps): CacheOperations {
  const { store, clock, inspect, clearLocal, shared } = deps

  /** Deletes, and notes how many keys went. */
  async function deleting(
    by: Caller,
    event: AuditEventName,
    target: string,
    act: () => Promise<number>,
  ): Promise<Deleted> {
    const after = (deleted: number) => ({ deleted })
    return { deleted: await noted(deps, { by, event, target, act, after }) }
  }

  return {
    expire: (by, { key, ttl }) =>
      noted(deps, {
        ...{ by, event: 'sys_cache_expiry_changed', target: `key:${key}` },
        act: () => inspect.expire(key, ttl),
      }),
    deleteKeys: (by, keys) =>
      deleting(by, 'sys_cache_keys_deleted', keysTarget(keys), () => inspect.deleteKeys(keys)),
    resetSlowLog: (by) =>
      noted(deps, {
        ...{ by, event: 'sys_cache_slow_log_reset', target: 'cache' },
        act: () => inspect.resetSlowLog(),
      }),
    async deletePattern(pattern, { by, grantId }) {
      const target = `pattern:${pattern.scope}:${pattern.pattern}`
      await store.run(begin, {
        ...{ action: 'cache.deletePattern', event: 'sys_cache_pattern_delete_began', input: pattern },
        ...{ target, by, grantId, now: clock.now() },
      })
      return deleting(by, 'sys_cache_pattern_deleted', target, () => inspect.deletePattern(pattern))
    },
    async clear(what, { by, grantId }) {
      const target = what.scope === 'namespace' ? `namespace:${what.namespace}` : `cache:${what.scope}`
      await store.run(begin, {
        ...{ action: 'cache.clear', event: 'sys_cache_clear_began', input: what },
        ...{ target, by, grantId, now: clock.now() },
      })
      return deleting(by, 'sys_cache_cleared', target, async () => {
        const local = clearLocal(what.scope === 'namespace' ? what.namespace : null)
        return shared ? inspect.clear(what) : local
      })
    },
  }
}

function keysTarget(keys: readonly string[]): string {
  const [first] = keys
  return keys.length === 1 ? `key:${first}` : `keys:${keys.length}, first ${first}`
}
