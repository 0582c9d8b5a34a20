'use client'

import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { HistoryChart } from '@/components/charts/history-chart'
import { useTimeRange } from '@/components/shell/time-range'
import { useTRPC } from '@/components/trpc/trpc'
import { ErrorTile } from '@/components/ui/error-tile'
import { formatDuration, formatNumber } from '@/components/ui/format'
import { useNow } from '@/components/ui/now'
import { Skeleton } from '@/components/ui/skeleton'

/** Figures of statements are kept by the minute at the finest: the window moves on once a minute too. */
const STEP_MS = 60_000

/** Calls and mean time of one statement over the chosen time. */
export function StatementHistory({ fingerprint }: { fingerprint: string }) {
  const trpc = useTRPC()
  const now = useNow()
  const { range, window, label } = useTimeRange()
  const end = window?.to ?? Math.ceil((now ?? 0) / STEP_MS) * STEP_MS
  const from = window?.from ?? end - range.ms
  const history = useQuery(
    trpc.database.statementHistory.queryOptions(
      { fingerprint, from: Math.max(from, 0), to: end },
      { enabled: end > 0, placeholderData: keepPreviousData, staleTime: STEP_MS },
    ),
  )
  if (!history.data) {
    if (history.isPending) return <Skeleton className="h-64 w-full" label="Reading the past" />
    return <ErrorTile error={history.error} what="Over time" onRetry={() => history.refetch()} />
  }
  const points = history.data
  if (points.length === 0) {
    return <p className="text-muted">No call was counted in this time ({label.toLowerCase()}).</p>
  }
  const times = points.map(({ at }) => at)
  const shared = { times, from, to: end }
  return (
    <div className="flex flex-col gap-6">
      <HistoryChart
        {...shared}
        title="Calls"
        name="holdfast_database_statement_calls"
        format={(value) => formatNumber(value)}
        series={[{ key: 'calls', label: 'Calls', values: points.map(({ calls }) => calls) }]}
      />
      <HistoryChart
        {...shared}
        title="Mean time"
        name="holdfast_database_statement_mean_seconds"
        format={formatDuration}
        series={[
          {
            key: 'mean',
            label: 'Mean time',
            values: points.map(({ calls, totalMs }) => (calls > 0 ? totalMs / calls : null)),
          },
        ]}
      />
    </div>
  )
}
