import type { HistogramCounts } from '@/server/histogram'
import type { CacheMode, CacheState, CacheStateChange } from '../types'

/** undefined: Redis did not answer in time, or isn't used now for this key. */
export type Answer<T> = T | undefined

export interface RedisFigures {
  mode: Exclude<CacheMode, 'memory'>
  state: CacheState
  place: string
  since: number
  reason: string | null
  errors: number
  reads: HistogramCounts
  writes: HistogramCounts
  changes: CacheStateChange[]
  pendingKeys: number
  /** Whether every master tells of changes now (client-side tracking is armed). */
  tracking: boolean
}

/**
 * Redis, a cluster or a Sentinel group behind a deadline. No method throws or takes longer than the deadline.
 * Keys are whole keys without the prefix of the cache, which this level puts before them. A write that Redis did not
 * take makes its key `pending`: reads of it are not asked of Redis until it was deleted there.
 */
export interface RedisLevel {
  readonly state: CacheState
  /** As `figures().tracking`, asked on every read. Whenever it turns, `changed(null)` is told before. */
  readonly tracking: boolean
  get(key: string): Promise<Answer<Buffer | null>>
  mget(keys: readonly string[]): Promise<Answer<Buffer | null>[]>
  /** Whether Redis took it. `ttl` in milliseconds. */
  set(key: string, entry: Buffer, ttl: number): Promise<boolean>
  mset(items: readonly { key: string; entry: Buffer; ttl: number }[]): Promise<boolean[]>
  delete(keys: readonly string[]): Promise<boolean[]>
  /** Takes a lock by SET NX PX: true when it is ours now, false when another has it, undefined without an answer. */
  lock(key: string, token: string, ttl: number): Promise<Answer<boolean>>
  /** Gives it back if it is still ours. */
  unlock(key: string, token: string): Promise<void>
  /** Runs a script over one whole key, which gets no prefix, at its node. It may have run even without an answer. */
  evaluate(script: string, key: string, args: readonly string[]): Promise<Answer<unknown>>
  figures(): RedisFigures
  /** A client for each node that answers, for looking at it: connections of their own, opened when first asked. */
  control(): RedisControl
  close(): Promise<void>
}

export interface RedisEvents {
  stateChanged(change: CacheStateChange): void
  /**
   * Keys (without the prefix) that somebody else changed; null: anything may have changed. It comes over another
   * connection, so before or after the answer of a read under way: who keeps copies counts changes, and drops an
   * answer whose key changed between question and answer.
   */
  changed(keys: readonly string[] | null): void
}

/** Questions for single nodes. Each throws CACHE_UNAVAILABLE with a reason when the node doesn't answer in 2 s. */
export interface RedisControl {
  mode: Exclude<CacheMode, 'memory'>
  /** Addresses, host:port, of the nodes as they are now: masters alone, or with their replicas. */
  nodes(which: 'masters' | 'all'): Promise<{ address: string; role: 'primary' | 'replica' }[]>
  /** One command to one node; bulk strings are Buffers. */
  ask(address: string, command: string, ...args: (string | number | Buffer)[]): Promise<unknown>
  /** Several at once, answered in their order; an error stands in its place. */
  askAll(address: string, commands: (string | number | Buffer)[][]): Promise<(unknown | Error)[]>
  /** The master that has a whole key. */
  masterOf(key: Buffer | string): Promise<string>
}
