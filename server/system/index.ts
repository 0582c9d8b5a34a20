import { randomUUID } from 'node:crypto'
import type { Store } from '@/db/store'
import type { Clock } from '@/server/clock'
import type { Log } from '@/server/log'
import { Repeating } from '@/server/repeating'
import { AuditFollower } from './audit-follower'
import type { LiveEvent, Sample } from './events'
import { type Health, type HealthComponent, type HealthState, judge } from './health'
import type { HealthParts } from './health-parts'
import { History, type HistoryColumns } from './history'
import { type Delivered, Hub, type Subscription } from './hub'
import { type QueryTimes, queryTimesOf } from './query-times'
import { Reader } from './reader'
import { gridBy, type Range, type RangeQuery, type SpanQuery } from './rollups-range'
import { Recorder } from './rollups-recorder'
import type { CacheSource, DatabaseSource } from './sources'

export type { AuditNews, LiveEvent, MetricValues, MigrationNews, Sample } from './events'
export type { Health, HealthComponent, HealthState } from './health'
export type { HealthParts } from './health-parts'
export type { HistoryColumns } from './history'
export type { Delivered } from './hub'
export { type MetricName, metricNames, metrics } from './metrics'
export type { Range, RangeQuery } from './rollups-range'

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
  /** What is wrong with the audit log, in one sentence. */
  auditTrouble?: () => string | null
  /** When the last backup of the store was made, and how old it may be at most; null: nobody is warned. */
  backup?: { last: () => Promise<{ at: number } | null>; maxAgeMs: number | null }
  /** Open findings that are grave. */
  findings?: () => Promise<{ summary: string }[]>
  /** What further components tell of themselves; asked only while the store answers. */
  parts?: () => Promise<Omit<HealthParts, 'clockAhead'>>
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
  range(query: RangeQuery): Promise<Range>
  /** How many statements took how long: of this instance by seconds as far back as these are kept, else of all as stored. */
  queryTimes(query: SpanQuery): Promise<QueryTimes>
  /** The event after which a stream goes on from what `history` has told. */
  lastEventId(): string
  /** The verdict on every component, at most a second old; `at` tells. */
  health(): Promise<Health>
  close(): Promise<void>
}

const PERIOD_MS = 1_000
const HEALTH_PERIOD_MS = 5_000
/** Steps of a picture of the last minutes; a sample may come a little late, so that none is of one second. */
const SHORT_STEPS_MS = [2_000, 5_000, 10_000, 15_000, 30_000, 60_000]
/** Pages ask for whole steps: they begin so much before the first sample. */
const BEFORE_FIRST_MS = 10_000
const RECENT = 10
/** Everybody who asks within so long is told the same verdict. */
const VERDICT_MS = 1_000

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
    const { sample, times } = await reader.read()
    history.add(sample, times)
    recorder.add(sample, times)
    hub.publish({ kind: 'sample', ...sample })
  })
  const news = new AuditFollower({ store, publish: (seq) => hub.publish({ kind: 'audit', seq }) })
  // Only for those who look: one row by its key, whichever instance has written.
  const follower = every(PERIOD_MS, async () => {
    if (hub.subscribers > 0) await news.look()
  })
  async function verdict(): Promise<Health> {
    const source = database()
    const stats = await source.stats()
    // A store that does not answer is told of already.
    const findings = stats.reachable ? await (deps.findings?.() ?? []) : []
    const backup = deps.backup && stats.reachable ? await deps.backup.last() : undefined
    const parts = stats.reachable ? await deps.parts?.() : undefined
    const judged = judge({
      ...(deps.backup && backup !== undefined
        ? { backup: { lastAt: backup?.at ?? null, maxAgeMs: deps.backup.maxAgeMs } }
        : {}),
      findings,
      ...(parts ? { parts: { ...parts, clockAhead: stats.postgres?.clockAhead ?? null } } : {}),
      now: clock.now(),
      database: { ...stats, dialect: source.dialect, max: stats.pool?.max ?? null },
      cache: cache.stats(),
      auditTrouble: deps.auditTrouble?.() ?? null,
      url: deps.url,
      recent: history.last(RECENT),
    })
    return { ...judged, components: judged.components.map(sinceSeen) }
  }
  const seen = new Map<string, { state: HealthState; since: number }>()
  /** With the time since which this process has seen it in its state. */
  function sinceSeen(component: HealthComponent): HealthComponent {
    const { id, state } = component
    const before = seen.get(id)
    const since = before?.state === state ? before.since : clock.now()
    seen.set(id, { state, since })
    return { since, ...component }
  }
  let last: { since: number; verdict: Promise<Health> } | undefined
  function health(): Promise<Health> {
    const age = last ? clock.now() - last.since : Infinity
    if (last && age >= 0 && age < VERDICT_MS) return last.verdict
    const given = { since: clock.now(), verdict: verdict() }
    last = given
    // The next one asks again.
    given.verdict.catch(() => {
      if (last === given) last = undefined
    })
    return given.verdict
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
      follower.start()
      recorder.start()
    },
    publish: (event) => hub.publish(event),
    subscribe: (subscription) => hub.subscribe(subscription),
    latest: () => history.latest,
    history: (count) => history.columns(count),
    range: (query) => recorder.range(query),
    async queryTimes(query) {
      const [first] = history.times
      const last = history.times.at(-1)
      // What is not over yet is no gap.
      const to = last && last.at >= query.from ? Math.min(query.to, last.at + 1) : query.to
      const span = { ...query, to }
      if (!first || query.from < first.at - BEFORE_FIRST_MS) return recorder.queryTimes(span)
      return queryTimesOf(gridBy(SHORT_STEPS_MS, span), history.times)
    },
    lastEventId: () => hub.lastId,
    health,
    async close() {
      await Promise.all([sampler.stop(), doctor.stop(), follower.stop()])
      reader.close()
      await recorder.close()
    },
  }
}
