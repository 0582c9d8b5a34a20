import type { Health } from './health'
import type { MetricName } from './metrics'

/** All metrics at one moment; null where the source has no such value (yet). */
export type MetricValues = Record<MetricName, number | null>

export interface Sample {
  /** UTC milliseconds. */
  at: number
  values: MetricValues
}

/** News of a migration run, as the run's page shows it; only those who may read migrations get it. */
export interface MigrationNews {
  kind: 'migration'
  runId: string
  /** What happened, as the worker reports it (server/migration/types.ts, RunEvent). */
  news: unknown
}

/** Audit events were written within the last second, up to `seq`: pages that show the log fetch it anew. */
export interface AuditNews {
  kind: 'audit'
  seq: number
}

/** What the one event stream carries. */
export type LiveEvent =
  | ({ kind: 'sample' } & Sample)
  /** A component is in another state than before. */
  | { kind: 'health'; health: Health }
  | MigrationNews
  | AuditNews
  /** The stream could not go on where it was broken off: fetch again what was built from it. */
  | { kind: 'reset' }
