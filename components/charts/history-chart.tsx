'use client'

import dynamic from 'next/dynamic'
import { Skeleton } from '@/components/ui/skeleton'
import { ChartFrame } from './chart-frame'
import { type Point, type Series, sentenceOf } from './geometry'
import type { ChartMark } from './live-line'

/** A series of means may bring the highest of each step: a finer line of the same colour. */
export type HistorySeries = Series & { highest?: readonly Point[] }

export type HistoryChartProps = {
  title: string
  sentence?: string
  name: string
  format: (value: Point) => string
  /** UTC ms, ascending. */
  times: readonly number[]
  /** At most four, each as long as `times`; null or undefined is a gap. */
  series: readonly HistorySeries[]
  /** The span shown; by default from the first sample to the last. */
  from?: number
  to?: number
  marks?: readonly ChartMark[]
  /** Called with the brushed window (drag, or Enter twice). */
  onBrush?: (window: { from: number; to: number }) => void
}

const HistoryPlot = dynamic(() => import('./history-plot').then((module) => module.HistoryPlot), {
  ssr: false,
  loading: PlotLoading,
})

/** In the place of a drawing that is to come. */
export function PlotLoading() {
  return <Skeleton className="h-44 w-full" label="Loading the chart" />
}

/** A chart of the past. Its library (recharts) comes only with the first such chart on a page, and never on the server. */
export function HistoryChart(props: HistoryChartProps) {
  const { title, sentence, name, format, times, series } = props
  const from = props.from ?? times[0] ?? 0
  const to = props.to ?? times.at(-1) ?? 1
  const lines = linesOf(series)
  return (
    <ChartFrame
      title={title}
      sentence={sentence ?? sentenceOf(times, lines, { from, to }, format)}
      name={name}
      format={format}
      times={times}
      series={lines}
      roomy
    >
      <HistoryPlot {...props} from={from} to={to} />
    </ChartFrame>
  )
}

/** Every line on its own, as the table and the CSV list them. */
function linesOf(series: readonly HistorySeries[]): Series[] {
  return series.flatMap(({ key, label, values, highest }) =>
    highest
      ? [
          { key, label: `${label}, mean`, values },
          { key: highestKey(key), label: `${label}, highest`, values: highest },
        ]
      : [{ key, label, values }],
  )
}

export const highestKey = (key: string) => `${key}:highest`
