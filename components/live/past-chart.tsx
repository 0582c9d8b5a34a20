'use client'

import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { memo } from 'react'
import { summaryOf } from '@/components/charts/geometry'
import { HistoryChart } from '@/components/charts/history-chart'
import { useTRPC } from '@/components/trpc/trpc'
import { Empty } from '@/components/ui/empty'
import { ErrorTile } from '@/components/ui/error-tile'
import type { Reading } from '@/components/ui/format'
import { Skeleton } from '@/components/ui/skeleton'
import { Time } from '@/components/ui/time'
import type { RouterOutputs } from '@/server/routers/_app'
import type { MetricName } from './types'

type Range = RouterOutputs['system']['range']

const MINUTE_MS = 60_000
const POINTS = 240

export type PastChartProps = {
  title: string
  series: readonly { metric: MetricName; label: string }[]
  /** The end of the newest sample's minute, with which a following span ends. */
  now: number
  /** A window that stands still, or milliseconds up to now. */
  span: { from: number; to: number } | number
  format: (value: Reading) => string
  onBrush: (window: { from: number; to: number }) => void
}

/**
 * Stored roll-ups of metrics: the mean of each step as a line, its highest as a finer one. Remembered, as what is
 * around it is drawn anew with every sample.
 */
export const PastChart = memo(function PastChart(props: PastChartProps) {
  const { title, series, now, span, format, onBrush } = props
  const trpc = useTRPC()
  const { from, to } = typeof span === 'number' ? { from: now - span, to: now } : span
  const metrics = series.map(({ metric }) => metric)
  const { data, error, refetch } = useQuery(
    trpc.system.range.queryOptions(
      { from, to, points: POINTS, metrics },
      {
        placeholderData: keepPreviousData,
        enabled: to > 0,
        staleTime: MINUTE_MS,
        // The first minute is soon stored.
        refetchInterval: ({ state: { data } }) => data && !hasReading(data) && data.since === null && 5_000,
      },
    ),
  )
  if (error && !data) return <ErrorTile error={error} what={title} onRetry={() => void refetch()} />
  if (!data) return <Skeleton className="h-62 w-full" label={`Reading ${title}`} />
  if (!hasReading(data)) return <NoHistory title={title} since={data.since} />
  return (
    <HistoryChart
      title={title}
      name={metrics[0] ?? 'history'}
      times={data.at}
      series={series.map(({ metric, label }) => ({
        key: metric,
        label,
        values: data.mean[metric] ?? [],
        highest: data.max[metric] ?? [],
      }))}
      sentence={sentenceOf(data, series, format)}
      format={format}
      from={from}
      to={to}
      onBrush={onBrush}
    />
  )
})

/** Charts that are drawn in one minute ask the same. */
export const endOfMinute = (at: number) => Math.ceil(at / MINUTE_MS) * MINUTE_MS

const hasReading = ({ mean }: Range) =>
  Object.values(mean).some((values) => values.some((value) => value !== null))

function sentenceOf(
  { at, mean, max }: Range,
  series: PastChartProps['series'],
  format: PastChartProps['format'],
): string {
  const parts = series.map(({ metric, label }) => {
    const [from, to] = [at[0] ?? 0, at.at(-1) ?? 0]
    const usual = summaryOf(at, mean[metric] ?? [], from, to)
    const { greatest } = summaryOf(at, max[metric] ?? [], from, to)
    if (usual.last === undefined) return `${label}: no reading`
    const means = [...new Set([format(usual.least), format(usual.greatest)])]
    return `${label}: mean ${means.length === 1 ? means[0] : `between ${means.join(' and ')}`}, at most ${format(greatest)}`
  })
  return `${parts.join('; ')}.`
}

/** Nothing is stored in the span: says since when there is history at all. */
function NoHistory({ title, since }: { title: string; since: number | null }) {
  return (
    <figure aria-label={title} className="flex min-h-62 min-w-0 flex-col">
      <figcaption className="mb-1 font-medium">{title}</figcaption>
      <div className="flex flex-1 items-center border-y border-border">
        <Empty kind="no-data" title="No history of this time is stored">
          {since === null ? (
            'Nothing of this has been measured yet. History is kept for 30 days.'
          ) : (
            <>
              There is history since <Time at={since} seconds={false} />. It is kept for 30 days.
            </>
          )}
        </Empty>
      </div>
    </figure>
  )
}
