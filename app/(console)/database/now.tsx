import type { Stats } from '@/components/database/types'
import { LiveStat } from '@/components/live/live-stat'
import type { Sample } from '@/components/live/types'
import { StatRow } from '@/components/ui/stat'

/** The pool at this moment; on SQLite, which has one handle and no pool, its statements alone. */
export function Now({ samples, stats }: { samples: readonly Sample[]; stats: Stats | undefined }) {
  const pooled = stats === undefined || stats.pool !== null
  const max = stats?.pool?.max
  return (
    <StatRow label="Now" columns={pooled ? 6 : 4}>
      <LiveStat samples={samples} label="Queries" metric="holdfast_database_queries_per_second" unit="/s" />
      {pooled ? null : (
        <LiveStat samples={samples} label="Query time, p50" metric="holdfast_database_query_p50_seconds" />
      )}
      <LiveStat samples={samples} label="Query time, p99" metric="holdfast_database_query_p99_seconds" />
      <LiveStat samples={samples} label="Errors" metric="holdfast_database_errors_per_second" unit="/s" />
      {pooled ? (
        <>
          <LiveStat
            samples={samples}
            label="Connections in use"
            metric="holdfast_database_pool_in_use_connections"
            max={max}
            note={max === undefined ? undefined : `of ${max} at most`}
          />
          <LiveStat
            samples={samples}
            label="Idle"
            metric="holdfast_database_pool_idle_connections"
            max={max}
            note={stats?.pool ? `${stats.pool.min} kept open` : undefined}
          />
          <LiveStat
            samples={samples}
            label="Callers waiting"
            metric="holdfast_database_pool_waiting_callers"
          />
        </>
      ) : null}
    </StatRow>
  )
}
