import { freemem, loadavg, totalmem } from 'node:os'
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks'
import { getHeapStatistics } from 'node:v8'
import type { Store } from '@/db/store'
import type { Clock } from '@/server/clock'
import { countedSince, type HistogramCounts, quantile } from '@/server/histogram'
import type { Log } from '@/server/log'
import { endsWithin } from '@/server/patience'
import { countStore, type StoreCounts } from './counts'
import type { MetricValues, Sample } from './events'
import { type PackedCounts, packed } from './query-times'
import type { CacheCounts, CacheSource, DatabaseSource } from './sources'

export interface ReaderDeps {
  clock: Clock
  log: Log
  store: Store
  database: () => DatabaseSource
  cache: CacheSource
  /** Open event streams. */
  streams: () => number
}

/** The timer of the delay's histogram; what it shows without any delay. */
const LOOP_RESOLUTION_MS = 10
/** The store is asked less often than the memory is read. */
const COUNT_PERIOD_MS = 5_000
const HIT_RATIO_WINDOW_MS = 60_000

/** A sample, and what is kept beside it: how many statements since the one before took how long. */
export interface Measured {
  sample: Sample
  times: PackedCounts
}

interface DatabaseMoment {
  dialect: string
  queries: number
  errors: number
  queryTime: HistogramCounts
}

/** Reads all metrics; rates and quantiles are over the time since the reading before. */
export class Reader {
  readonly #deps: ReaderDeps
  readonly #loop: IntervalHistogram
  #at: number | undefined
  #cpu = process.cpuUsage()
  #database: DatabaseMoment | undefined
  #times: PackedCounts = []
  /** Of the last minute, oldest first. */
  #cacheMoments: (CacheCounts & { at: number })[] = []
  #counts: StoreCounts | undefined
  #countedAt = Number.NEGATIVE_INFINITY

  constructor(deps: ReaderDeps) {
    this.#deps = deps
    this.#loop = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS })
    this.#loop.enable()
  }

  async read(): Promise<Measured> {
    const at = this.#deps.clock.now()
    const seconds = this.#at === undefined || at <= this.#at ? null : (at - this.#at) / 1000
    const values: MetricValues = {
      ...this.#process(seconds),
      ...this.#databaseValues(seconds),
      ...this.#cache(at, seconds),
      ...(await this.#storeValues(at)),
      holdfast_live_streams: this.#deps.streams(),
    }
    this.#at = at
    return { sample: { at, values }, times: this.#times }
  }

  close(): void {
    this.#loop.disable()
  }

  #process(seconds: number | null) {
    const cpu = process.cpuUsage()
    const used = cpu.user + cpu.system - this.#cpu.user - this.#cpu.system
    this.#cpu = cpu
    // Measured delays hold the timer's own period; an idle loop shows no more than that.
    const delay = Math.max(0, this.#loop.percentile(99) / 1e6 - LOOP_RESOLUTION_MS)
    const measured = this.#loop.count > 0
    this.#loop.reset()
    const { used_heap_size, heap_size_limit } = getHeapStatistics()
    return {
      holdfast_event_loop_delay_p99_seconds: measured ? delay / 1000 : null,
      holdfast_process_cpu_ratio: seconds === null ? null : used / 1e6 / seconds,
      holdfast_process_resident_bytes: process.memoryUsage.rss(),
      holdfast_process_heap_used_bytes: used_heap_size,
      holdfast_process_heap_limit_bytes: heap_size_limit,
      holdfast_host_memory_used_ratio: 1 - freemem() / totalmem(),
      holdfast_host_load1: loadavg()[0] ?? null,
    }
  }

  #databaseValues(seconds: number | null) {
    const { figures, dialect } = this.#deps.database()
    const { counts, pool } = figures()
    const now: DatabaseMoment = {
      dialect,
      queries: counts.queries,
      errors: Object.values(counts.errors).reduce((sum, n) => sum + n, 0),
      queryTime: counts.queryTime,
    }
    // After a switchover the counters begin anew.
    const before = this.#database && this.#database.queries <= now.queries ? this.#database : undefined
    this.#database = now
    const time = countedSince(now.queryTime, before?.queryTime)
    this.#times = packed(time.buckets)
    const rate = (value: number, former: number | undefined) =>
      seconds === null || former === undefined ? null : (value - former) / seconds
    return {
      holdfast_database_pool_in_use_connections: pool?.inUse ?? null,
      holdfast_database_pool_idle_connections: pool?.idle ?? null,
      holdfast_database_pool_waiting_callers: pool?.waiting ?? null,
      holdfast_database_queries_per_second: rate(now.queries, before?.queries),
      holdfast_database_errors_per_second: rate(now.errors, before?.errors),
      holdfast_database_query_p50_seconds: inSeconds(quantile(time, 0.5)),
      holdfast_database_query_p99_seconds: inSeconds(quantile(time, 0.99)),
    }
  }

  #cache(at: number, seconds: number | null) {
    const now = this.#deps.cache.figures()
    const last = this.#cacheMoments.at(-1)
    this.#cacheMoments.push({ at, ...now })
    while ((this.#cacheMoments[1]?.at ?? at) <= at - HIT_RATIO_WINDOW_MS) this.#cacheMoments.shift()
    const first = this.#cacheMoments[0] ?? now
    const found = now.hits - first.hits
    const asked = found + now.misses - first.misses
    const rate = (of: (counts: CacheCounts) => number) =>
      seconds === null || !last ? null : (of(now) - of(last)) / seconds
    const redisTime = countedSince(now.redisReads, last?.redisReads)
    return {
      holdfast_cache_hit_ratio: asked === 0 ? null : found / asked,
      holdfast_cache_reads_per_second: rate(({ hits, misses }) => hits + misses),
      holdfast_cache_errors_per_second: rate(({ errors }) => errors),
      holdfast_cache_redis_read_p99_seconds: inSeconds(quantile(redisTime, 0.99)),
      holdfast_cache_evictions_per_second: rate((counts) => counts.evictions + counts.pressureEvictions),
      // Small values grow by their header; what compression spares is never less than nothing.
      holdfast_cache_saved_bytes_per_second: notNegative(
        rate(({ rawBytes, storedBytes }) => rawBytes - storedBytes),
      ),
      holdfast_cache_memory_bytes: now.memoryBytes,
    }
  }

  async #storeValues(at: number) {
    if (at - this.#countedAt >= COUNT_PERIOD_MS) {
      this.#countedAt = at
      await this.#count(at)
    }
    return {
      holdfast_security_sessions: this.#counts?.sessions ?? null,
      holdfast_audit_events: this.#counts?.auditEvents ?? null,
      holdfast_migration_runs_active: this.#counts?.activeRuns ?? null,
    }
  }

  /** A store that is away must not hold the sampling up: its counts are then missing. */
  async #count(at: number): Promise<void> {
    const counting = countStore(this.#deps.store, at).then(
      (counts) => {
        this.#counts = counts
      },
      (error: unknown) => {
        this.#counts = undefined
        this.#deps.log.warn({ error }, 'the store could not be counted')
      },
    )
    if (!(await endsWithin(500, counting))) this.#counts = undefined
  }
}

const inSeconds = (milliseconds: number | null) => (milliseconds === null ? null : milliseconds / 1000)
const notNegative = (value: number | null) => (value === null ? null : Math.max(0, value))
