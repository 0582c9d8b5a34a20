'use client'

import { useMemo } from 'react'
import { LiveLine } from '@/components/charts/live-line'
import { SAMPLES_MS, useTimeRange } from '@/components/shell/time-range'
import type { Parts, Reading } from '@/components/ui/format'
import { formatOf } from './live-stat'
import { endOfMinute, PastChart } from './past-chart'
import type { MetricName, Sample } from './types'

export type LiveChartProps = {
  title: string
  /**
   * At most four metrics of one unit; two where both are to be seen in the past, each with its highest. The same array
   * each time: a chart of the past is drawn anew with another one.
   */
  series: readonly { metric: MetricName; label: string }[]
  samples: readonly Sample[]
  /** A plain word after the figure, where the metric has no unit of its own. */
  unit?: string
  max?: number
}

/**
 * Metrics over the chosen time: the samples of the stream as far back as they are kept, a quarter of an hour, and
 * stored roll-ups beyond. Every live chart of the console is this one.
 */
export function LiveChart({ title, series, samples, unit, max }: LiveChartProps) {
  const { range, window, brush } = useTimeRange()
  const metric = series[0]?.metric
  const format = useMemo(() => metric && writerOf(metric, unit), [metric, unit])
  if (!metric || !format) return null
  const newest = samples.at(-1)?.at ?? 0
  if (window ? window.from < newest - SAMPLES_MS : range.ms > SAMPLES_MS) {
    return (
      <PastChart
        title={title}
        series={series}
        now={endOfMinute(newest)}
        span={window ?? range.ms}
        format={format}
        onBrush={brush}
      />
    )
  }
  const to = window?.to ?? newest
  return (
    <LiveLine
      title={title}
      name={metric}
      times={samples.map(({ at }) => at)}
      series={series.map(({ metric, label }) => ({
        key: metric,
        label,
        values: samples.map(({ values }) => values[metric]),
      }))}
      format={format}
      from={Math.max(window?.from ?? newest - range.ms, samples[0]?.at ?? 0)}
      to={to}
      max={max}
      onBrush={brush}
    />
  )
}

/** Writes a metric's values, with the plain word where it has no unit of its own. */
function writerOf(metric: MetricName, plain: string | undefined): (value: Reading) => string {
  const write = formatOf(metric)
  return (value) => {
    const { figure, unit = typeof value === 'number' ? plain : undefined }: Parts = write(value)
    return unit ? `${figure} ${unit}` : figure
  }
}
