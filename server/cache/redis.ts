import { performance } from 'node:perf_hooks'
import { Cluster, type Redis } from 'ioredis'
import type { Clock } from '@/server/clock'
import { Histogram } from '@/server/histogram'
import type { Log } from '@/server/log'
import { type ClusterPlace, makeClient, parseInfo, type RedisClient, type RedisPlace } from './connect'

export type RedisState = 'redis' | 'degraded'

export interface RedisLevelOptions {
  prefix: string
  /** Milliseconds that one call waits for Redis. */
  deadline: number
}

export interface NodeFacts {
  address: string
  role: string
  version: string
  usedBytes: number
  /** 0: no limit set. */
  maxBytes: number
  clients: number
  operationsPerSecond: number
  /** Of all its clients, since it started. */
  hits: number
  misses: number
  evictedKeys: number
  uptimeSeconds: number
}

const PROBE_INTERVAL = 250
const PROBE_DEADLINE = 250
/** Silent reads in a row after which Redis is taken for away. One silent write is enough. */
const PATIENCE = 3
/** Keys changed while Redis was away that are remembered one by one; with more, all of ours are deleted. */
const MAX_CHANGED = 10_000

/**
 * Redis, or a cluster, behind a deadline. Away, it is asked nothing but a probe; before it is used again,
 * every key that changed meanwhile is deleted there, so that no stale value comes back to life.
 */
export class RedisLevel {
  readonly latency = new Histogram()
  readonly mode: 'single' | 'cluster'
  readonly #client: RedisClient
  readonly #clock: Clock
  readonly #log: Log
  readonly #options: RedisLevelOptions
  readonly #changed = new Set<string>()
  #changedTooMany = false
  #state: RedisState = 'degraded'
  #since: number
  #reason: string | null = 'Connecting.'
  #silent = 0
  #probing = false
  #closed = false
  readonly #timer: NodeJS.Timeout
  errors = 0

  constructor(
    { clock, log }: { clock: Clock; log: Log },
    place: { redis: RedisPlace } | { cluster: ClusterPlace },
    options: RedisLevelOptions,
  ) {
    this.#clock = clock
    this.#log = log
    this.#options = options
    this.#since = clock.now()
    this.mode = 'redis' in place ? 'single' : 'cluster'
    this.#client = makeClient(place, (error) => this.#away(reasonOf(error)))
    this.#client.on('ready', () => void this.probe())
    void this.#client.connect().catch(() => {})
    this.#timer = setInterval(() => void this.probe(), PROBE_INTERVAL).unref()
  }

  get state(): RedisState {
    return this.#state
  }

  get since(): number {
    return this.#since
  }

  /** Why Redis isn't used, in words; null while it is. */
  get reason(): string | null {
    return this.#reason
  }

  /** The entry; null when there is none; undefined when Redis didn't answer. */
  async get(key: string): Promise<Buffer | null | undefined> {
    if (this.#state !== 'redis') return undefined
    return this.#ask(this.#client.getBuffer(this.#options.prefix + key), false)
  }

  /** Whether Redis took it. */
  async set(key: string, entry: Buffer, ttl: number): Promise<boolean> {
    return this.#write(key, () => this.#client.set(this.#options.prefix + key, entry, 'PX', Math.ceil(ttl)))
  }

  async delete(key: string): Promise<boolean> {
    return this.#write(key, () => this.#client.unlink(this.#options.prefix + key))
  }

  async #write(key: string, command: () => Promise<unknown>): Promise<boolean> {
    if (this.#state !== 'redis') {
      this.#remember(key)
      return false
    }
    if ((await this.#ask(command(), true)) !== undefined) return true
    this.#remember(key)
    return false
  }

  /** Half-open: while Redis is away one question is let through; if it answers, Redis is put in order and used. */
  async probe(): Promise<void> {
    if (this.#closed || this.#probing || this.#state === 'redis') return
    this.#probing = true
    try {
      await deadline(PROBE_DEADLINE, Promise.all(this.#masters().map((master) => master.ping())))
      await this.#putInOrder()
      this.#turn('redis', null)
    } catch (error) {
      if (!this.#closed && this.#reason === 'Connecting.' && isTelling(error)) this.#reason = reasonOf(error)
    } finally {
      this.#probing = false
    }
  }

  /** What every node tells of itself; those that don't answer are left out. */
  async nodes(): Promise<NodeFacts[]> {
    if (this.#state !== 'redis') return []
    const nodes = this.#client instanceof Cluster ? this.#client.nodes('all') : [this.#client]
    const facts = await Promise.all(
      nodes.map((node) => deadline(1_000, factsOf(node)).catch(() => undefined)),
    )
    return facts.filter((node) => node !== undefined).sort((a, b) => a.address.localeCompare(b.address))
  }

  async close(): Promise<void> {
    this.#closed = true
    clearInterval(this.#timer)
    this.#client.disconnect()
  }

  async #ask<T>(answer: Promise<T>, write: boolean): Promise<T | undefined> {
    const start = performance.now()
    try {
      const value = await deadline(this.#options.deadline, answer)
      this.#silent = 0
      this.latency.record(performance.now() - start)
      return value
    } catch (error) {
      this.errors++
      const late = error instanceof LateError
      if (!late || write || ++this.#silent >= PATIENCE) this.#away(reasonOf(error))
      return undefined
    }
  }

  #remember(key: string): void {
    if (this.#changed.size >= MAX_CHANGED) this.#changedTooMany = true
    else this.#changed.add(key)
  }

  async #putInOrder(): Promise<void> {
    if (this.#changedTooMany) {
      await this.#deleteAll()
      this.#changed.clear()
      this.#changedTooMany = false
    }
    // Keys may change while this works: it ends when none is left, and the state turns in the same turn.
    while (this.#changed.size > 0) {
      const keys = [...this.#changed].slice(0, 500)
      await deadline(5_000, Promise.all(keys.map((key) => this.#client.unlink(this.#options.prefix + key))))
      for (const key of keys) this.#changed.delete(key)
    }
  }

  async #deleteAll(): Promise<void> {
    for (const master of this.#masters()) {
      let cursor = '0'
      do {
        const [next, keys] = await deadline(
          5_000,
          master.scan(cursor, 'MATCH', `${this.#options.prefix}*`, 'COUNT', 500),
        )
        await deadline(5_000, Promise.all(keys.map((key) => master.unlink(key))))
        cursor = next
      } while (cursor !== '0')
    }
  }

  /** In a cluster every master must answer, or a part of the keys is away. */
  #masters(): Redis[] {
    if (!(this.#client instanceof Cluster)) return [this.#client]
    const masters = this.#client.nodes('master')
    if (masters.length === 0) throw new Error('No node of the cluster answers.')
    return masters
  }

  #away(reason: string): void {
    if (this.#closed) return
    if (this.#state === 'degraded') {
      this.#reason = reason
      return
    }
    this.#turn('degraded', reason)
  }

  #turn(state: RedisState, reason: string | null): void {
    this.#state = state
    this.#since = this.#clock.now()
    this.#reason = reason
    this.#silent = 0
    if (state === 'redis') this.#log.info({ mode: this.mode }, 'the cache uses Redis')
    else this.#log.warn({ mode: this.mode, reason }, 'the cache works from memory: Redis is away')
  }
}

class LateError extends Error {
  override name = 'LateError'
}

async function deadline<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new LateError(`No answer within ${milliseconds} ms.`)), milliseconds)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
    // An answer after the deadline, or an error, is nobody's any more.
    work.catch(() => {})
  }
}

/** Whether an error says more than that the client isn't connected yet. */
function isTelling(error: unknown): boolean {
  return !/isn't writeable|isn't ready/.test((error as Error).message)
}

function reasonOf(error: unknown): string {
  const { message, code } = error as Error & { code?: string }
  if (/NOAUTH|WRONGPASS/.test(message)) return 'The password is missing or wrong.'
  if (/cluster support disabled/i.test(message)) return 'The server is not a cluster.'
  if (/^MOVED/.test(message)) return 'The server is a cluster: set REDIS_CLUSTER_ENABLED.'
  if (/^OOM/.test(message)) return 'Redis is out of memory.'
  if (/^READONLY/.test(message)) return 'The server is a replica.'
  if (/^LOADING/.test(message)) return 'Redis is loading its data.'
  if (error instanceof LateError) return 'Redis did not answer in time.'
  if (code === 'ECONNREFUSED') return 'Nothing listens there.'
  if (code === 'ENOTFOUND') return 'The host name is unknown.'
  if (/slots cache|No node of the cluster/.test(message)) return 'No node of the cluster answers.'
  return 'The connection was lost.'
}

async function factsOf(node: Redis): Promise<NodeFacts> {
  const info = parseInfo(await node.info())
  const number = (field: string) => Number(info[field] ?? 0)
  return {
    address: `${node.options.host}:${node.options.port}`,
    role: info.role === 'slave' ? 'replica' : 'primary',
    version: info.redis_version ?? '',
    usedBytes: number('used_memory'),
    maxBytes: number('maxmemory'),
    clients: number('connected_clients'),
    operationsPerSecond: number('instantaneous_ops_per_sec'),
    hits: number('keyspace_hits'),
    misses: number('keyspace_misses'),
    evictedKeys: number('evicted_keys'),
    uptimeSeconds: number('uptime_in_seconds'),
  }
}
