import type { Store } from '@/db/store'
import type { Clock } from '@/server/clock'
import type { Log } from '@/server/log'
import { endsWithin } from '@/server/patience'
import type { Sample } from './events'
import { metricNames } from './metrics'
import { type PackedCounts, type QueryTimes, queryTimesOf } from './query-times'
import { Accumulator, finest, floorTo, levels, type Rollup } from './rollups'
import {
  columnsOf,
  firstReading,
  type Grid,
  gridOf,
  type Range,
  type RangeQuery,
  type SpanQuery,
} from './rollups-range'
import { cleanRollups, readRollups, writeRollups } from './rollups-units'

interface Deps {
  store: Store
  clock: Clock
  log: Log
  instance: string
}

/** Minutes that wait in memory for a store that is away: a day, of about a kilobyte each. */
const PENDING = 24 * 60
/** Minutes that one unit writes. */
const BATCH = 30
/** The end waits no longer for a store that does not answer: the process has five seconds in all. */
const LAST_WRITE_MS = 2_000
/** The last sample of a minute lies at most this long before its end while an instance runs. */
const LATE_MS = 5_000
const CLEAN_MS = 10 * 60_000
/** All that is kept, in hours. */
const KEPT_MS = Math.max(...levels.map(({ keep }) => keep))
const KEPT_POINTS = KEPT_MS / Math.max(...levels.map(({ step }) => step)) + 1

/**
 * Rolls samples up to minutes and writes each when it is over. While the store is away they wait, the oldest
 * going first when there are too many, and follow when it is back.
 */
export class Recorder {
  readonly #deps: Deps
  #current: Accumulator | undefined
  #pending: Rollup[] = []
  #writing: Promise<void> | undefined
  #failed = false
  #cleaning: Promise<unknown> = Promise.resolve()
  #timer: NodeJS.Timeout | undefined
  #closing = false

  constructor(deps: Deps) {
    this.#deps = deps
  }

  start(): void {
    if (this.#timer) return
    this.#schedule(CLEAN_MS * 0.1 * Math.random())
  }

  /** Takes one sample; what is written for it is not waited for. */
  add(sample: Sample, times: PackedCounts | null = null): void {
    const at = floorTo(sample.at, finest.step)
    if (this.#current && this.#current.at !== at) {
      this.#endMinute()
      void this.flush()
    }
    this.#current ??= new Accumulator(at, metricNames)
    this.#current.add(sample, times)
  }

  /** Writes what waits. Never throws: what could not be written waits on. */
  flush(): Promise<void> {
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined
    })
    return this.#writing
  }

  /** Removes what is older than it is kept, batch after batch. Answers how many rows went. */
  async clean(): Promise<number> {
    const { store, clock } = this.#deps
    let removed = 0
    for (const { step, keep } of levels) {
      for (let done = 1; done > 0; removed += done) {
        done = await store.run(cleanRollups, { step, before: clock.now() - keep })
        // On SQLite a batch never waits: requests get their turn in between.
        await new Promise((resolve) => setImmediate(resolve))
        if (this.#closing) return removed
      }
    }
    return removed
  }

  async range(query: RangeQuery): Promise<Range> {
    const { grid, rows } = await this.#read(query)
    const columns = columnsOf(grid, rows, query.metrics)
    if (firstReading(rows, query.metrics) !== null) return { ...columns, since: null }
    const to = this.#deps.clock.now() + 1
    const all = await this.#read({ from: to - KEPT_MS, to, points: KEPT_POINTS })
    return { ...columns, since: firstReading(all.rows, query.metrics) }
  }

  /** How many statements took how long, of all instances. */
  async queryTimes(query: SpanQuery): Promise<QueryTimes> {
    const { grid, rows } = await this.#read(query)
    return queryTimesOf(grid, rows)
  }

  async #read(query: SpanQuery): Promise<{ grid: Grid; rows: Rollup[] }> {
    const { store, clock, instance } = this.#deps
    const grid = gridOf(query, clock.now())
    const waiting = this.#unwritten().filter(({ at }) => at >= grid.from && at < grid.to)
    const [oldest] = waiting
    const byMinute = grid.of === finest.step
    // What is written by now, though it waited a moment ago, would be counted twice.
    const apart =
      oldest && !byMinute ? await readRollups(store, { step: finest.step, from: oldest.at, to: grid.to }) : []
    const stored = await readRollups(store, { ...grid, step: grid.of })
    const minutes = byMinute ? stored : apart
    const written = new Set(minutes.flatMap((row) => (row.instance === instance ? row.at : [])))
    const own = waiting.filter(({ at }) => !written.has(at))
    const others = byMinute ? goneOn(stored, own, instance) : []
    return { grid, rows: [...stored, ...own, ...others] }
  }

  /** Writes the minute as far as it went. */
  async close(): Promise<void> {
    this.#closing = true
    clearTimeout(this.#timer)
    await this.#cleaning
    this.#endMinute()
    await endsWithin(
      LAST_WRITE_MS,
      this.flush().then(() => this.flush()),
    )
  }

  #unwritten(): Rollup[] {
    const { instance } = this.#deps
    return this.#current
      ? [...this.#pending, this.#current.rollup(instance, finest.step)]
      : [...this.#pending]
  }

  #endMinute(): void {
    if (!this.#current) return
    this.#pending.push(this.#current.rollup(this.#deps.instance, finest.step))
    this.#current = undefined
    if (this.#pending.length > PENDING) this.#pending.shift()
  }

  async #write(): Promise<void> {
    const { store, log } = this.#deps
    try {
      while (this.#pending.length > 0) {
        const minutes = this.#pending.slice(0, BATCH)
        await store.run(writeRollups, { minutes })
        const done = new Set(minutes)
        this.#pending = this.#pending.filter((minute) => !done.has(minute))
      }
      this.#failed = false
    } catch (error) {
      if (!this.#failed) log.warn({ error }, 'history could not be written: it waits in memory')
      this.#failed = true
    }
  }

  #schedule(delay: number): void {
    if (this.#closing) return
    this.#timer = setTimeout(() => {
      this.#cleaning = this.clean()
        .catch((error: unknown) => this.#deps.log.warn({ error }, 'old history could not be removed'))
        .finally(() => this.#schedule(CLEAN_MS * (0.8 + 0.4 * Math.random())))
    }, delay)
    this.#timer.unref()
  }
}

/**
 * Other instances write a minute when it is over: one that was there to the end of the last is taken to go on
 * as it did, or every sum would fall at the right edge. Statements are counted one by one, and none is made up.
 */
function goneOn(stored: readonly Rollup[], own: readonly Rollup[], instance: string): Rollup[] {
  const ended = ({ at, step, lastAt }: Rollup) => lastAt < at + step - LATE_MS
  return own.flatMap(({ at, firstAt, lastAt }) =>
    stored
      .filter((row) => row.instance !== instance && row.at === at - finest.step && !ended(row))
      .filter((row) => !stored.some((other) => other.instance === row.instance && other.at === at))
      .map((row) => ({ ...row, at, firstAt, lastAt, times: null })),
  )
}
