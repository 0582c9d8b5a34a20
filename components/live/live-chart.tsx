'use client'

import { LiveLine } from '@/components/charts/live-line'
import { SAMPLES_MS, useTimeRange } from '@/components/shell/time-range'
import type { Parts, Reading } from '@/components/ui/format'
import { formatOf } from './live-stat'
import { PastChart } from './past-chart'
import type { MetricName, Sample } from './types'

export type LiveChartProps = {
  title: string
  /** At most four metrics of one unit; two where both are to be seen in the past, each with its highest. */
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
  const newest = samples.at(-1)?.at ?? 0
  const first = series[0]
  if (!first) return null
  const write = formatOf(first.metric)
  const format = (value: Reading) => {
    const parts = write(value)
    return joinParts({ ...parts, unit: parts.unit ?? (typeof value === 'number' ? unit : undefined) })
  }
  if (window ? window.from < newest - SAMPLES_MS : range.ms > SAMPLES_MS) {
    return (
      <PastChart
        title={title}
        series={series}
        now={newest}
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
      name={first.metric}
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

const joinParts = ({ figure, unit }: Parts) => (unit ? `${figure} ${unit}` : figure)
