/** What can be seen, and done, in Redis under the cache. Keys are written as text; bytes that aren't UTF-8 as \xNN. */

/** Whose keys: those of this cache alone, or everything that the server holds. */
export type KeyScope = 'ours' | 'all'

export interface KeyFacts {
  /** The whole key as it stands in Redis. */
  key: string
  /** What follows the prefix and the namespace; the whole key for a foreign one. */
  name: string
  type: 'string' | 'hash' | 'list' | 'set' | 'zset' | 'stream' | 'other'
  /** Milliseconds left; null: for ever. */
  ttl: number | null
  /** Memory that Redis counts for it; null when it doesn't tell. */
  bytes: number | null
}

/** A folder of the tree: what keys have in common up to the next colon. */
export interface KeyFolder {
  /** With the last colon. */
  prefix: string
  name: string
  /** Among the keys scanned so far. */
  keys: number
}

export interface KeyPage {
  folders: KeyFolder[]
  keys: KeyFacts[]
  /** Keys looked at by this call and the ones before it, and about how many there are in all. */
  scanned: number
  total: number
  /** For the next call; null at the end. */
  cursor: string | null
  at: number
}

export interface KeyQuery {
  scope: KeyScope
  /** What keys must begin with, as text; the folder that is open. */
  prefix: string
  /** A glob of Redis over the rest of the key; everything without. */
  match?: string | undefined
  cursor?: string | null | undefined
}

/** One value. Long ones are cut: `shown` of `length`. `length` counts bytes of strings, elements of the others. */
export interface KeyValueFacts extends KeyFacts {
  encoding: string | null
  idleSeconds: number | null
  length: number
  shown: number
  content:
    | {
        kind: 'entry'
        /** The value as it was set, laid out for reading. */
        text: string
        codec: string
        rawBytes: number
        storedBytes: number
        tags: string[]
        /** UTC milliseconds; null where the entry doesn't say. */
        writtenAt: number | null
        staleUntil: number | null
      }
    | { kind: 'string'; text: string; format: 'json' | 'text' | 'bytes' }
    | { kind: 'hash'; fields: { field: string; value: string }[] }
    | { kind: 'list'; items: string[] }
    | { kind: 'set'; members: string[] }
    | { kind: 'zset'; members: { member: string; score: number }[] }
    | { kind: 'stream'; entries: { id: string; fields: { field: string; value: string }[] }[] }
    | { kind: 'other'; type: string }
}

export interface MatchCount {
  /** Exact: the whole of every master was scanned. */
  matched: number
  scanned: number
  /** Up to 20 of them. */
  examples: string[]
  at: number
}

export interface NodeFacts {
  address: string
  /** Null when it doesn't answer; `error` says why then, and the rest is null or empty. */
  role: 'primary' | 'replica' | null
  error: string | null
  version: string | null
  uptimeSeconds: number | null
  usedBytes: number | null
  peakBytes: number | null
  rssBytes: number | null
  /** 0: no limit. */
  maxBytes: number | null
  policy: string | null
  fragmentation: number | null
  clients: number | null
  blockedClients: number | null
  operationsPerSecond: number | null
  hits: number | null
  misses: number | null
  evictedKeys: number | null
  expiredKeys: number | null
  keys: number | null
  /** Of a replica: its primary, whether it is linked, bytes behind. Of a primary: how many replicas are linked. */
  primary: string | null
  linked: boolean | null
  behindBytes: number | null
  replicas: number | null
  /** Slots that a primary of a cluster serves. */
  slots: { from: number; to: number }[]
}

export interface NodesReport {
  mode: 'single' | 'cluster' | 'sentinel'
  nodes: NodeFacts[]
  /** Of a cluster: its own word for its state, slots covered of 16,384, and what is wrong. */
  cluster: { state: string; slotsCovered: number; epoch: number; failing: string[] } | null
  /** Of Sentinel: what the Sentinels say of the master. */
  sentinel: { master: string; quorum: number; sentinels: number; state: string } | null
  at: number
}

export interface SlowCommand {
  node: string
  id: number
  /** UTC milliseconds. */
  at: number
  /** Microseconds. */
  took: number
  /** The command with its arguments; values of writes are hidden. */
  command: string
  client: string | null
}

export interface SlowLogReport {
  commands: SlowCommand[]
  /** Commands slower than this are noted, in microseconds; the kept length of each node. Null: Redis doesn't tell. */
  threshold: number | null
  length: number | null
  at: number
}

export interface SampleReport {
  /** Keys drawn at random, of how many in all. */
  sampled: number
  total: number
  biggest: KeyFacts[]
  /** By namespace, or by the first part of a foreign key: estimates from the sample with their 95 % interval. */
  groups: {
    name: string
    ours: boolean
    sampled: number
    keys: number
    bytes: number
    bytesLow: number
    bytesHigh: number
  }[]
  at: number
}

/** Looks into Redis. Throws CACHE_UNAVAILABLE when Redis is away, or none is configured. */
export interface CacheInspector {
  keys(query: KeyQuery): Promise<KeyPage>
  /** Throws NOT_FOUND. */
  key(key: string): Promise<KeyValueFacts>
  /** What a delete by this pattern would delete: a dry run. */
  match(pattern: { scope: KeyScope; pattern: string }): Promise<MatchCount>
  nodes(): Promise<NodesReport>
  slowLog(): Promise<SlowLogReport>
  sample(scope: KeyScope): Promise<SampleReport>
  /** `ttl` in milliseconds, null: for ever. Throws NOT_FOUND. */
  expire(key: string, ttl: number | null): Promise<void>
  /** Answers how many were deleted. */
  deleteKeys(keys: readonly string[]): Promise<number>
  deletePattern(pattern: { scope: KeyScope; pattern: string }): Promise<number>
  /** All of ours, one namespace of ours, or (`all`) everything on every master. Answers how many were deleted. */
  clear(what: ClearTarget): Promise<number>
  resetSlowLog(): Promise<void>
}

export type ClearTarget = { scope: 'ours' } | { scope: 'namespace'; namespace: string } | { scope: 'all' }
