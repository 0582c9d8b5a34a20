import { textOf } from './asking'
import type { NodeFacts } from './types'

/** The lines `name:value` of INFO and CLUSTER INFO. */
export function readLines(answer: unknown): Map<string, string> {
  const lines = new Map<string, string>()
  for (const line of (textOf(answer) ?? '').split(/\r?\n/)) {
    const colon = line.indexOf(':')
    if (colon > 0 && !line.startsWith('#')) lines.set(line.slice(0, colon), line.slice(colon + 1))
  }
  return lines
}

/** A number of INFO; null where this release doesn't tell it. */
export function numberIn(info: Map<string, string>, name: string): number | null {
  const text = info.get(name)
  const number = Number(text)
  return text === undefined || text === '' || !Number.isFinite(number) ? null : number
}

/** A node of which nothing is known but why. */
export function silentNode(address: string, error: string): NodeFacts {
  return { ...factsFromInfo(address, new Map()), error }
}

/** What INFO tells of a node. Bytes behind and slots are filled in from others. */
export function factsFromInfo(address: string, info: Map<string, string>): NodeFacts {
  const role = info.get('role')
  const host = info.get('master_host')
  return {
    address,
    role: role === 'master' ? 'primary' : role === 'slave' ? 'replica' : null,
    error: null,
    version: info.get('redis_version') ?? null,
    uptimeSeconds: numberIn(info, 'uptime_in_seconds'),
    usedBytes: numberIn(info, 'used_memory'),
    peakBytes: numberIn(info, 'used_memory_peak'),
    rssBytes: numberIn(info, 'used_memory_rss'),
    maxBytes: numberIn(info, 'maxmemory'),
    policy: info.get('maxmemory_policy') ?? null,
    fragmentation: numberIn(info, 'mem_fragmentation_ratio'),
    clients: numberIn(info, 'connected_clients'),
    blockedClients: numberIn(info, 'blocked_clients'),
    operationsPerSecond: numberIn(info, 'instantaneous_ops_per_sec'),
    hits: numberIn(info, 'keyspace_hits'),
    misses: numberIn(info, 'keyspace_misses'),
    evictedKeys: numberIn(info, 'evicted_keys'),
    expiredKeys: numberIn(info, 'expired_keys'),
    keys: null,
    primary: host ? `${host}:${info.get('master_port')}` : null,
    linked: role === 'slave' ? info.get('master_link_status') === 'up' : null,
    behindBytes: null,
    replicas: role === 'master' ? linkedReplicas(info) : null,
    slots: [],
  }
}

function linkedReplicas(info: Map<string, string>): number {
  return [...info].filter(([name, value]) => /^slave\d+$/.test(name) && value.includes('state=online')).length
}
