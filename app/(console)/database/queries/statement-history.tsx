'use client'

import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { HistoryChart } from '@/components/charts/history-chart'
import type { ChartMark } from '@/components/charts/live-line'
import { useTimeRange } from '@/components/shell/time-range'
import { useTRPC } from '@/components/trpc/trpc'
import { ErrorTile } from '@/components/ui/error-tile'
import { formatDuration, formatNumber } from '@/components/ui/format'
import { useNow } from '@/components/ui/now'
import { Skeleton } from '@/components/ui/skeleton'
import { spanOf } from './span'

/** Calls and mean time of one statement over the chosen time, with marks where an index was made for it. */
export function StatementHistory({ fingerprint }: { fingerprint: string }) {
  const trpc = useTRPC()
  const now = useNow()
  const { range, window } = useTimeRange()
  const span = spanOf(window ?? { from: now - range.ms, to: now })
  const history = useQuery(
    trpc.database.statementHistory.queryOptions(
      { fingerprint, ...span },
      { placeholderData: keepPreviousData },
    ),
  )
  const marks = useChanges(fingerprint)
  if (!history.data) {
    if (history.isPending) return <Skeleton className="h-64 w-full" label="Reading the past" />
    return <ErrorTile error={history.error} what="Over time" onRetry={() => history.refetch()} />
  }
  const { at, calls, totalMs } = history.data
  if (at.length === 0) {
    return (
      <p className="text-muted">Nothing is kept of this time. What takes most time is counted by the hour.</p>
    )
  }
  const shared = { times: at, marks, ...span }
  return (
    <div className="flex flex-col gap-6">
      <HistoryChart
        {...shared}
        title="Calls an hour"
        name="statement_calls_per_hour"
        format={(value) => formatNumber(value)}
        series={[{ key: 'calls', label: 'Calls an hour', values: calls }]}
      />
      <HistoryChart
        {...shared}
        title="Mean time"
        name="statement_mean_milliseconds"
        format={formatDuration}
        series={[
          { key: 'mean', label: 'Mean time', values: totalMs.map((total, hour) => mean(total, calls[hour])) },
        ]}
      />
    </div>
  )
}

/** In an hour without a call there is no mean. */
const mean = (totalMs: number, calls: number | undefined) => (calls ? totalMs / calls : null)

function useChanges(fingerprint: string): ChartMark[] {
  const { data } = useQuery(useTRPC().database.indexChanges.queryOptions())
  return (data ?? []).flatMap(({ fingerprints, finishedAt, undoneAt, kind, state }) => {
    if (state === 'failed' || !fingerprints.includes(fingerprint)) return []
    const made = kind === 'create' ? 'index made' : 'index dropped'
    return [
      ...(finishedAt === null ? [] : [{ at: finishedAt, label: made }]),
      ...(undoneAt === null ? [] : [{ at: undoneAt, label: 'undone' }]),
    ]
  })
}
