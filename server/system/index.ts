import { randomUUID } from 'node:crypto'
import type { Store } from '@/db/store'
import type { Clock } from '@/server/clock'
import type { Log } from '@/server/log'
import { Repeating } from '@/server/repeating'
import type { LiveEvent, Sample } from './events'
import { type Health, judge } from './health'
import { History, type HistoryColumns } from './history'
import { type Delivered, Hub, type Subscription } from './hub'
import { Reader } from './reader'
import type { RangeColumns, RangeQuery } from './rollups-range'
import { Recorder } from './rollups-recorder'
import type { CacheSource, DatabaseSource } from './sources'

export type { AuditNews, LiveEvent, MetricValues, MigrationNews, Sample } from './events'
export type { Health, HealthComponent, HealthState } from './health'
export type { HistoryColumns } from './history'
export type { Delivered } from './hub'
export { type MetricName, metricNames, metrics } from './metrics'
export type { RangeColumns, RangeQuery } from './rollups-range'

export interface SystemDeps {
  clock: Clock
  log: Log
  store: Store
  cache: CacheSource
  /** The database under the store, which a switchover replaces. */
  database: () => DatabaseSource
  /** Names this process among those that share the store; random without. */
  instance?: string
  /** Public origin of the console, for its verdict on plain http. */
  url?: string
}

/** The console's measurements of itself, and the one stream that carries live events. */
export interface System {
  start(): void
  /** Hands an event to every open stream. */
  publish(event: LiveEvent): void
  subscribe(subscription: Subscription): AsyncGenerator<Delivered<LiveEvent>, void, void>
  latest(): Sample | undefined
  /** The newest samples as columns; all that are kept (15 minutes) without a count. */
  history(count?: number): HistoryColumns
  /** Hours and days from the store, of all instances together, with what this one has not written yet. */
  range(query: RangeQuery): Promise<RangeColumns>
  /** The event after which a stream goes on from what `history` has told. */
  lastEventId(): string
  health(): Promise<Health>
  close(): Promise<void>
}

const PERIOD_MS = 1_000
const HEALTH_PERIOD_MS = 5_000
const RECENT = 10

/** Opens the measurements; nothing runs before `start()`. One sampling a second serves every stream. */
export function openSystem(deps: SystemDeps): System {
  const { clock, log, store, database, cache, instance = randomUUID() } = deps
  const hub = new Hub<LiveEvent>({ kind: 'reset' })
  const history = new History()
  const reader = new Reader({ clock, log, store, database, cache, streams: () => hub.subscribers })
  const recorder = new Recorder({ store, clock, log, instance })
  const every = (period: number, tick: () => Promise<void>) =>
    new Repeating({
      ...{ period, tick, pace: 'begin-to-begin' },
      failed: (error) => log.error({ error }, 'sampling failed'),
    })
  const sampler = every(PERIOD_MS, async () => {
    const sample = await reader.read()
    const seq = sample.values.holdfast_audit_events
    const grown = seq !== null && seq !== history.latest?.values.holdfast_audit_events
    history.add(sample)
    recorder.add(sample)
    hub.publish({ kind: 'sample', ...sample })
    if (grown) hub.publish({ kind: 'audit', seq })
  })
  async function health(): Promise<Health> {
    const source = database()
    const stats = await source.stats()
    return judge({
      now: clock.now(),
      database: { ...stats, dialect: source.dialect, max: stats.pool?.max ?? null },
      cache: cache.stats(),
      url: deps.url,
      recent: history.last(RECENT),
    })
  }
  let known = ''
  const doctor = every(HEALTH_PERIOD_MS, async () => {
    const now = await health()
    const states = now.components.map(({ id, state }) => `${id} ${state}`).join()
    if (states !== known) hub.publish({ kind: 'health', health: now })
    known = states
  })
  return {
    start() {
      sampler.start()
      doctor.start()
      recorder.start()
    },
    publish: (event) => hub.publish(event),
    subscribe: (subscription) => hub.subscribe(subscription),
    latest: () => history.latest,
    history: (count) => history.columns(count),
    range: (query) => recorder.range(query),
    lastEventId: () => hub.lastId,
    health,
    async close() {
      await Promise.all([sampler.stop(), doctor.stop()])
      reader.close()
      await recorder.close()
    },
  }
}
