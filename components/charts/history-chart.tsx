'use client'

import dynamic from 'next/dynamic'
import { Skeleton } from '@/components/ui/skeleton'
import { type ChartData, ChartFrame } from './chart-frame'
import { type Point, sentenceOf } from './geometry'
import type { ChartMark } from './live-line'

export type HistoryChartProps = ChartData & {
  title: string
  sentence?: string
  name: string
  format: (value: Point) => string
  /** The span shown; by default from the first sample to the last. */
  from?: number
  to?: number
  marks?: readonly ChartMark[]
}

const HistoryPlot = dynamic(() => import('./history-plot').then((module) => module.HistoryPlot), {
  ssr: false,
  loading: () => <Skeleton className="h-56 w-full" label="Loading the chart" />,
})

/** A chart of the past. Its library (recharts) comes only with the first such chart on a page, and never on the server. */
export function HistoryChart(props: HistoryChartProps) {
  const { title, sentence, name, format, times, series } = props
  const from = props.from ?? times[0] ?? 0
  const to = props.to ?? times.at(-1) ?? 1
  return (
    <ChartFrame
      title={title}
      sentence={sentence ?? sentenceOf(times, series, { from, to }, format)}
      name={name}
      format={format}
      times={times}
      series={series}
    >
      <HistoryPlot {...props} from={from} to={to} />
    </ChartFrame>
  )
}
