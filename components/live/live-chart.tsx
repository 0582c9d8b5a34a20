'use client'

import { LiveLine } from '@/components/charts/live-line'
import { useTimeRange } from '@/components/shell/time-range'
import type { Parts, Reading } from '@/components/ui/format'
import { formatOf } from './live-stat'
import type { MetricName, Sample } from './types'

const KEPT_MS = 15 * 60_000

export type LiveChartProps = {
  title: string
  /** At most four metrics of one unit. */
  series: readonly { metric: MetricName; label: string }[]
  samples: readonly Sample[]
  /** A plain word after the figure, where the metric has no unit of its own. */
  unit?: string
  max?: number
}

/** Metrics of the stream over the chosen time, as far back as the console keeps them: a quarter of an hour. */
export function LiveChart({ title, series, samples, unit, max }: LiveChartProps) {
  const { range, window, brush } = useTimeRange()
  const newest = samples.at(-1)?.at ?? 0
  const to = window?.to ?? newest
  const from = Math.max(window?.from ?? newest - Math.min(range.ms, KEPT_MS), samples[0]?.at ?? 0)
  const first = series[0]
  if (!first) return null
  const write = formatOf(first.metric)
  const format = (value: Reading) => {
    const parts = write(value)
    return joinParts({ ...parts, unit: parts.unit ?? (typeof value === 'number' ? unit : undefined) })
  }
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
      from={from}
      to={to}
      max={max}
      onBrush={brush}
    />
  )
}

const joinParts = ({ figure, unit }: Parts) => (unit ? `${figure} ${unit}` : figure)
