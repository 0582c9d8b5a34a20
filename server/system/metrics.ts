/**
 * How the values of several instances become one: `sum` of what each has for itself, `mean` of levels, `max`
 * where the worst counts, `last` of what all read from the one store.
 */
export type Merge = 'sum' | 'mean' | 'max' | 'last'

/** What the console measures of itself. Names follow OpenMetrics: base units, and the same word on every page. */
export const metrics = {
  holdfast_event_loop_delay_p99_seconds: {
    unit: 'seconds',
    merge: 'max',
    help: 'Delay that 99 % of the event loop turns of the last second did not exceed',
  },
  holdfast_process_cpu_ratio: {
    unit: 'ratio',
    merge: 'mean',
    help: 'Processor time of the process, in shares of one core',
  },
  holdfast_process_resident_bytes: { unit: 'bytes', merge: 'mean', help: 'Memory that the process holds' },
  holdfast_process_heap_used_bytes: { unit: 'bytes', merge: 'mean', help: 'JavaScript heap in use' },
  holdfast_process_heap_limit_bytes: {
    unit: 'bytes',
    merge: 'mean',
    help: 'JavaScript heap at which the process ends',
  },
  holdfast_host_memory_used_ratio: {
    unit: 'ratio',
    merge: 'mean',
    help: 'Share of the memory of the machine in use',
  },
  holdfast_host_load1: { unit: 'processes', merge: 'mean', help: 'Load average of the last minute' },
  holdfast_database_pool_in_use_connections: {
    unit: 'connections',
    merge: 'sum',
    help: 'Connections lent to a caller',
  },
  holdfast_database_pool_idle_connections: {
    unit: 'connections',
    merge: 'sum',
    help: 'Open connections that nobody uses',
  },
  holdfast_database_pool_waiting_callers: {
    unit: 'callers',
    merge: 'sum',
    help: 'Callers that wait for a connection',
  },
  holdfast_database_queries_per_second: {
    unit: 'per second',
    merge: 'sum',
    help: 'Statements run in the last second',
  },
  holdfast_database_errors_per_second: {
    unit: 'per second',
    merge: 'sum',
    help: 'Statements that failed in the last second',
  },
  holdfast_database_query_p50_seconds: {
    unit: 'seconds',
    merge: 'mean',
    help: 'Time that half of the statements of the last second did not exceed',
  },
  holdfast_database_query_p99_seconds: {
    unit: 'seconds',
    merge: 'max',
    help: 'Time that 99 % of the statements of the last second did not exceed',
  },
  holdfast_cache_hit_ratio: {
    unit: 'ratio',
    merge: 'mean',
    help: 'Share of reads that the cache answered, last minute',
  },
  holdfast_cache_reads_per_second: {
    unit: 'per second',
    merge: 'sum',
    help: 'Reads of the cache in the last second',
  },
  holdfast_cache_errors_per_second: {
    unit: 'per second',
    merge: 'sum',
    help: 'Calls of the last second that Redis failed or left unanswered',
  },
  holdfast_cache_redis_read_p99_seconds: {
    unit: 'seconds',
    merge: 'max',
    help: 'Time that 99 % of the answers of Redis to reads of the last second did not exceed',
  },
  holdfast_cache_evictions_per_second: {
    unit: 'per second',
    merge: 'sum',
    help: 'Values pushed out of the level in the process in the last second, for want of room or memory',
  },
  holdfast_cache_saved_bytes_per_second: {
    unit: 'bytes per second',
    merge: 'sum',
    help: 'Bytes that compression spared in values of the last second',
  },
  holdfast_cache_memory_bytes: {
    unit: 'bytes',
    merge: 'sum',
    help: 'Memory that the level in the process holds',
  },
  holdfast_security_sessions: { unit: 'sessions', merge: 'last', help: 'Sessions that are signed in' },
  holdfast_audit_events: { unit: 'events', merge: 'last', help: 'Events in the audit log' },
  holdfast_migration_runs_active: { unit: 'runs', merge: 'last', help: 'Migrations at work or paused' },
  holdfast_live_streams: { unit: 'streams', merge: 'sum', help: 'Event streams that are open' },
} as const satisfies Record<string, { unit: string; merge: Merge; help: string }>

export type MetricName = keyof typeof metrics

export const metricNames = Object.keys(metrics) as MetricName[]
